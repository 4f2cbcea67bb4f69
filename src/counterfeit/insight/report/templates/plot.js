// A chart over epochs, drawn by uPlot, for any page that has some: `drawing.make` puts one into a box,
// and the others say, lead and change it. `off` has the keys of lines that the legend has switched off.
const drawing = (() => {
  const style = getComputedStyle(document.documentElement); // live: also after a change of theme
  const colour = name => style.getPropertyValue(`--${name}`).trim();
  const font = size => `${size}px ${getComputedStyle(document.body).fontFamily}`;
  const written = epoch => String(Number(epoch.toFixed(2)));
  const number = value => value && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
  const nearest = (x, epoch) => x.reduce(
    (best, each, at) => Math.abs(each - epoch) < Math.abs(x[best] - epoch) ? at : best, 0);
  const grid = { stroke: () => colour("rule"), width: 1 };

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

  const data = ({ lines }) => uPlot.join(
    lines.map(({ x, y, low, high }) => low ? [x, y, low, high] : [x, y]));

  // The epochs of all charts, from the first to the last, which share an axis.
  const span = charts => {
    const edges = charts.flatMap(({ lines }) => lines.flatMap(({ x }) => [x[0], x.at(-1)]));
    return [Math.min(...edges), Math.max(...edges)];
  };

  // A line takes one series, and two more for the edges of its band. `epochs()` are those that the
  // axis has; like the chart's values they may change, and `plot.setData(drawing.data(chart))` shows it.
  const make = (chart, box, epochs, off) => {
    const series = [{}], bands = [];
    for (const line of chart.lines) {
      const stroke = () => colour(line.colour);
      series.push({ stroke, width: 1.75, dash: line.dashed ? [8, 4] : undefined, points: { size: 5, fill: stroke } });
      if (!line.low) continue;
      const at = series.length;
      series.push(...[0, 1].map(() => ({ width: 0, points: { show: false } })));
      bands.push({ series: [at + 1, at], fill: () => `${colour(line.colour)}30` });
    }
    const edge = series.map(({ width }) => width === 0);
    return new uPlot({
      width: box.clientWidth, height: box.clientHeight, series, bands, legend: { show: false },
      padding: [() => 8 + 7 * rowsOf(chart.marks).length, 12, 0, 0],
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
        x: { time: false, range: () => {
          const [first, last] = epochs(), share = 0.02 * (last - first || 1);
          return [first - share, last + share];
        } },
        y: {
          distr: chart.log ? 3 : 1,
          range: chart.span ?? (chart.log ? undefined : (_, low, high) => {
            if (low === null) return [0, 1];
            const heights = chart.levels.map(level => level.value);
            const [least, most] = [Math.min(low, ...heights), Math.max(high, ...heights)];
            const more = Math.max(0, 0.01 * Math.max(-least, most) - (most - least)) / 2; // rounding is no news
            return uPlot.rangeNum(least - more, most + more, 0.06, true);
          }),
        },
      },
      axes: [
        { incrs: () => [...(epochs()[1] - epochs()[0] < 2 ? [0.1, 0.2, 0.5] : []), 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000], size: 28, label: tr("epoch"), labelSize: 18, labelGap: 0 },
        { ...(chart.log && { grid: { ...grid, filter: (_, values) => values.map(each => Number.isInteger(Math.log10(each)) ? each : null) } }),
          values: (_, splits, axis, space, step) => splits.map(each => each === null ? null : chart.log ? number(each)
            : Number(each.toFixed(Math.max(0, 1 - Math.floor(Math.log10(step))))).toLocaleString("en", { maximumFractionDigits: 9 })),
          size: (_, values) => 14 + 7 * Math.max(3, ...(values ?? []).map(each => each?.length ?? 0)) },
      ].map(axis => ({ font: font(12), labelFont: font(12), stroke: () => colour("quiet"), grid, ticks: { show: false }, ...axis })),
      hooks: { draw: [plot => mark(plot, chart, off)] },
    }, data(chart), box);
  };

  // Findings as bars above the chart, and levels as dotted lines across it.
  const mark = (plot, { marks, levels }, off) => {
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
    ctx.font = font(11 * dense);
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

  // The values of every line at the point nearest to an epoch; of another epoch, that is said.
  const tell = ({ chart, box, told, plot }, epoch, off) => {
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

  // The findings of a section's charts that hold at an epoch.
  const remark = (said, marks, epoch, off) => {
    const held = marks.filter(({ key, start, end }) => !off.has(key) && start <= epoch && epoch <= end);
    const runs = [...new Set(held.map(({ run }) => run))].map(run => held.filter(each => each.run === run));
    said.replaceChildren(`${tr("Findings at epoch {epoch}:", { epoch: written(epoch) })} `, ...runs.flatMap((found, index) => [
      index ? "; " : "", found[0].run && swatch(found[0].colour), found[0].run && `${found[0].run}: `,
      ...found.flatMap(({ run, colour, title }, at) => [at ? ", " : "", run ? "" : swatch(colour), title]),
    ]), held.length ? "." : tr("none."));
  };

  // The mouse, a finger or keys on a chart: `point` an epoch, `leave` it, or `pick` it.
  const lead = ({ box, plot }, point, leave, pick) => {
    const under = event => plot.data[0][plot.posToIdx(event.clientX - plot.over.getBoundingClientRect().left)];
    plot.over.addEventListener("pointermove", event => point(under(event)));
    plot.over.addEventListener("pointerleave", leave);
    plot.over.addEventListener("click", event => pick(under(event)));
    box.addEventListener("blur", leave);
    box.addEventListener("keydown", event => {
      const x = plot.data[0];
      const at = nearest(x, Number(box.getAttribute("aria-valuenow"))), far = Math.ceil(x.length / 10);
      const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - far, PageUp: at + far, Home: 0, End: x.length - 1 };
      if (event.key in to) point(x[Math.min(x.length - 1, Math.max(0, to[event.key]))]);
      else if (event.key === "Enter" || event.key === " ") pick(x[at]);
      else return;
      event.preventDefault();
    });
    new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: box.clientHeight })).observe(box);
  };

  // Show the lines that are not switched off.
  const choose = ({ chart, plot }, off) => plot.batch(() => {
    let at = 1;
    for (const line of chart.lines)
      for (let n = line.low ? 3 : 1; n; n--, at++) if (plot.series[at].show === off.has(line.key)) plot.setSeries(at, { show: !off.has(line.key) });
  });

  return { data, span, make, tell, remark, lead, choose };
})();
