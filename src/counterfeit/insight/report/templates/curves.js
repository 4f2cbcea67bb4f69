// Charts over epochs, drawn by uPlot in place of the pictures, which stay for print. They share the
// epoch that is pointed at: by the mouse, a finger, keys, or the player.
if (document.getElementById("curves")) {
  const charts = JSON.parse(document.getElementById("curves").textContent);
  const style = getComputedStyle(document.documentElement); // live: also after a change of theme
  const colour = name => style.getPropertyValue(`--${name}`).trim();
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const edges = charts.flatMap(({ lines }) => lines.flatMap(({ x }) => [x[0], x.at(-1)]));
  const first = Math.min(...edges), last = Math.max(...edges), off = new Set();
  const share = 0.02 * (last - first || 1);
  const written = epoch => String(Number(epoch.toFixed(2)));
  const number = value => value && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
  const nearest = (x, epoch) => x.reduce(
    (best, each, at) => Math.abs(each - epoch) < Math.abs(x[best] - epoch) ? at : best, 0);
  const grid = { stroke: () => colour("rule"), width: 1 };
  let chosen = last; // the player's epoch

  const tag = (name, text, ...inside) => {
    const made = document.createElement(name);
    made.append(text, ...inside);
    return made;
  };

  const swatch = colour => {
    const made = tag("i", "");
    made.className = "swatch";
    made.style.setProperty("--swatch", `var(--${colour})`);
    return made;
  };

  // Findings stand above a chart in rows: one for each run; of one run alone, for each of them.
  const rowsOf = marks => {
    const keys = [...new Set(marks.map(({ key }) => key))];
    return keys[0] ? keys.map(key => marks.filter(each => each.key === key)) : marks.map(each => [each]);
  };

  // A line takes one series, and two more for the edges of its band.
  const make = (chart, box) => {
    const series = [{}], bands = [], tables = [];
    for (const line of chart.lines) {
      tables.push(line.low ? [line.x, line.y, line.low, line.high] : [line.x, line.y]);
      const stroke = () => colour(line.colour);
      series.push({ stroke, width: 1.75, dash: line.dashed ? [8, 4] : undefined, points: { size: 5, fill: stroke } });
      if (!line.low) continue;
      const at = series.length;
      series.push(...[0, 1].map(() => ({ width: 0, points: { show: false } })));
      bands.push({ series: [at + 1, at], fill: () => `${colour(line.colour)}30` });
    }
    const edge = series.map(({ width }) => width === 0);
    const heights = chart.levels.map(level => level.value);
    const plot = new uPlot({
      width: box.clientWidth, height: box.clientHeight, series, bands, legend: { show: false },
      padding: [8 + 7 * rowsOf(chart.marks).length, 12, 0, 0],
      cursor: {
        y: false, drag: { x: false, y: false, click: null },
        bind: Object.fromEntries(["mousedown", "mouseup", "click", "dblclick", "mousemove", "mouseleave", "mouseenter"]
          .map(name => [name, () => null])), // the page's own, below, move all charts
        dataIdx: (plot, index, at) => {
          const values = plot.data[index];
          if (edge[index]) return null;
          for (let away = 0; away < values.length; away++)
            for (const near of [at - away, at + away]) if (values[near] != null) return near;
          return null;
        },
      },
      scales: {
        x: { time: false, range: [first - share, last + share] },
        y: {
          distr: chart.log ? 3 : 1,
          range: chart.span ?? (chart.log ? undefined : (_, low, high) => {
            if (low === null) return [0, 1];
            const [least, most] = [Math.min(low, ...heights), Math.max(high, ...heights)];
            const more = Math.max(0, 0.01 * Math.max(-least, most) - (most - least)) / 2; // rounding is no news
            return uPlot.rangeNum(least - more, most + more, 0.06, true);
          }),
        },
      },
      axes: [
        { incrs: [...(last - first < 2 ? [0.1, 0.2, 0.5] : []), 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000], size: 28, label: tr("epoch"), labelSize: 18, labelGap: 0 },
        { ...(chart.log && { grid: { ...grid, filter: (_, values) => values.map(each => Number.isInteger(Math.log10(each)) ? each : null) } }),
          values: (_, splits, axis, space, step) => splits.map(each => each === null ? null : chart.log ? number(each)
            : Number(each.toFixed(Math.max(0, 1 - Math.floor(Math.log10(step))))).toLocaleString("en", { maximumFractionDigits: 9 })),
          size: (_, values) => 14 + 7 * Math.max(3, ...(values ?? []).map(each => each?.length ?? 0)) },
      ].map(axis => ({ font, labelFont: font, stroke: () => colour("quiet"), grid, ticks: { show: false }, ...axis })),
      hooks: { draw: [plot => mark(plot, chart)] },
    }, uPlot.join(tables), box);
    return plot;
  };

  // Findings as bars above the chart, and levels as dotted lines across it.
  const mark = (plot, { marks, levels }) => {
    const { ctx, bbox: { left, top, width } } = plot, dense = devicePixelRatio;
    const at = epoch => Math.min(left + width, Math.max(left, plot.valToPos(epoch, "x", true)));
    ctx.save();
    rowsOf(marks).forEach((row, index) => {
      for (const each of row.filter(({ key }) => !off.has(key))) {
        const from = at(each.start);
        ctx.fillStyle = colour(each.colour);
        ctx.fillRect(from, top - (7 * index + 9) * dense, Math.max(3 * dense, at(each.end) - from), 4 * dense);
      }
    });
    ctx.font = font.replace("12", 11 * dense);
    ctx.textBaseline = "bottom";
    levels.forEach(({ name, value, colour: own }, index) => {
      const height = plot.valToPos(value, "y", true);
      ctx.strokeStyle = ctx.fillStyle = colour(own);
      ctx.lineWidth = dense;
      ctx.setLineDash([2 * dense, 3 * dense]);
      ctx.beginPath();
      ctx.moveTo(left, height);
      ctx.lineTo(left + width, height);
      ctx.stroke();
      ctx.textAlign = "right";
      ctx.setLineDash([]);
      ctx.strokeStyle = colour("paper"); // around the letters, so that they can be read on curves
      ctx.lineWidth = 3 * dense;
      const aside = index % Math.max(1, Math.floor(width / (130 * dense))) * 130 * dense; // of other levels' names
      const place = [`${name} ${value}`, left + width - aside, height - dense];
      ctx.strokeText(...place);
      ctx.fillText(...place);
    });
    ctx.restore();
  };

  const plots = charts.map((chart, index) => {
    const box = document.getElementById(`curve-${index}`), section = box.closest("section");
    section.classList.add("live");
    section.querySelector(".curves").hidden = false;
    return { chart, box, told: box.nextElementSibling, plot: make(chart, box) };
  });

  // The values of every line at the point nearest to an epoch; of another epoch, that is said.
  const tell = ({ chart, box, told, plot }, epoch) => {
    const here = plot.data[0][nearest(plot.data[0], epoch)];
    const values = chart.lines.filter(({ key }) => !off.has(key)).map(line => {
      const at = nearest(line.x, here), band = line.low?.[at] == null ? "" : ` (${tr("{low} to {high}", { low: number(line.low[at]), high: number(line.high[at]) })})`;
      const elsewhere = written(line.x[at]) === written(here) ? "" : ` ${tr("at epoch {epoch}", { epoch: written(line.x[at]) })}`;
      return { line, value: line.y[at] === null ? tr("not finite") : number(line.y[at]), rest: band + elsewhere };
    });
    plot.setCursor({ left: plot.valToPos(here, "x"), top: 0 });
    told.replaceChildren(tag("span", tr("Epoch {epoch}", { epoch: written(here) })), ...values.map(({ line, value, rest }) =>
      tag("span", swatch(line.colour), `${line.name} `, tag("b", value), rest)));
    box.setAttribute("aria-valuenow", here);
    box.setAttribute("aria-valuetext", [...told.children].map(each => each.textContent.trim()).join(", "));
  };
  const remarks = [...document.querySelectorAll(".remarks")].map(said => ({
    said, marks: plots.find(({ box }) => said.parentElement.contains(box)).chart.marks,
  }));
  const point = epoch => {
    for (const each of plots) tell(each, epoch);
    for (const { said, marks } of remarks) {
      const held = marks.filter(({ key, start, end }) => !off.has(key) && start <= epoch && epoch <= end);
      const runs = [...new Set(held.map(({ run }) => run))].map(run => held.filter(each => each.run === run));
      said.replaceChildren(`${tr("Findings at epoch {epoch}:", { epoch: written(epoch) })} `, ...runs.flatMap((found, index) => [
        index ? "; " : "", found[0].run && swatch(found[0].colour), found[0].run && `${found[0].run}: `,
        ...found.flatMap(({ run, colour, title }, at) => [at ? ", " : "", run ? "" : swatch(colour), title]),
      ]), held.length ? "." : tr("none."));
    }
  };

  for (const { box, plot } of plots) {
    const x = plot.data[0];
    const pick = epoch => document.dispatchEvent(new CustomEvent("wanted", { detail: epoch }));
    const under = event => x[plot.posToIdx(event.clientX - plot.over.getBoundingClientRect().left)];
    plot.over.addEventListener("pointermove", event => point(under(event)));
    plot.over.addEventListener("pointerleave", () => point(chosen));
    plot.over.addEventListener("click", event => pick(under(event)));
    box.addEventListener("blur", () => point(chosen));
    box.addEventListener("keydown", event => {
      const at = nearest(x, Number(box.getAttribute("aria-valuenow"))), far = Math.ceil(x.length / 10);
      const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - far, PageUp: at + far, Home: 0, End: x.length - 1 };
      if (event.key in to) point(x[Math.min(x.length - 1, Math.max(0, to[event.key]))]);
      else if (event.key === "Enter" || event.key === " ") pick(x[at]);
      else return;
      event.preventDefault();
    });
    new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: box.clientHeight })).observe(box);
  }
  for (const button of document.querySelectorAll(".legend button"))
    button.addEventListener("click", () => {
      const { key } = button.dataset, show = off.has(key);
      if (show) off.delete(key);
      else off.add(key);
      for (const each of document.querySelectorAll(`.legend [data-key="${key}"]`)) each.setAttribute("aria-pressed", show);
      for (const { chart, plot } of plots)
        plot.batch(() => {
          let at = 1;
          for (const line of chart.lines)
            for (let n = line.low ? 3 : 1; n; n--, at++) if (line.key === key) plot.setSeries(at, { show });
        });
      point(chosen);
    });
  for (const button of document.querySelectorAll(".as-pictures"))
    button.addEventListener("click", () => {
      const live = button.closest("section").classList.toggle("live");
      button.setAttribute("aria-expanded", !live);
    });
  document.addEventListener("shown", ({ detail: epoch }) => point(chosen = epoch));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach(({ plot }) => plot.redraw(false)));
  point(chosen);
}
