// What the playground draws on its canvases: a game on a line after the paper's figure 1, and one in
// the plane, D's answers as a surface with points and G's gradients on it. It says nothing.
const playgroundDrawing = (() => {
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const rgb = text => {
    const hex = text.replace("#", "");
    return [0, 2, 4].map(at => parseInt(hex.slice(at, at + 2), 16));
  };
  const mixed = (one, other, share) => one.map((value, at) => value + (other[at] - value) * share);
  const STRENGTH = 0.6; // of the surface's ends, so that points stand out

  // A canvas as large as it is shown, cleared, with one unit for each of the page's pixels.
  function begin(canvas, aspect) {
    const width = canvas.clientWidth || 300, height = Math.round(width * aspect), dense = devicePixelRatio || 1;
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
    const context = canvas.getContext("2d");
    context.scale(dense, dense);
    context.font = "12px system-ui, sans-serif";
    return { context, width, height };
  }

  // From 0, what is taken for generated, by the paper's colour to 1, what is taken for real.
  function palette() {
    const [fake, middle, real] = ["--fake", "--paper", "--real"].map(name => rgb(colour(name)));
    return share => share < 0.5
      ? mixed(middle, fake, STRENGTH * (1 - 2 * share))
      : mixed(middle, real, STRENGTH * (2 * share - 1));
  }

  function arrow(context, x, y, dx, dy) {
    const length = Math.hypot(dx, dy);
    if (length < 1.5) return;
    const [ux, uy] = [dx / length, dy / length], head = Math.min(5, length / 2);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + dx, y + dy);
    context.moveTo(x + dx - head * (ux - uy * 0.6), y + dy - head * (uy + ux * 0.6));
    context.lineTo(x + dx, y + dy);
    context.lineTo(x + dx - head * (ux + uy * 0.6), y + dy - head * (uy - ux * 0.6));
    context.stroke();
  }

  // Long gradients are shortened, short ones stay short: a gradient that vanishes is seen to.
  const reach = length => 7 * Math.asinh(3 * length);

  function marks(context, points, place, kind) {
    context.globalAlpha = 0.85;
    context.fillStyle = context.strokeStyle = colour(kind === "real" ? "--real" : "--fake");
    context.lineWidth = 1.4;
    for (const point of points) {
      const [x, y] = place(point);
      context.beginPath();
      if (kind === "real") {
        context.moveTo(x - 3, y); context.lineTo(x + 3, y);
        context.moveTo(x, y - 3); context.lineTo(x, y + 3);
        context.stroke();
      } else {
        context.arc(x, y, 2.4, 0, 7);
        context.fill();
      }
    }
    context.globalAlpha = 1;
  }

  // A surface of bytes by rows, the lowest y first; 255 is no number, and has a colour of its own.
  function surface(context, bytes, width, height) {
    const levels = Uint8Array.from(atob(bytes), each => each.charCodeAt(0)), side = Math.sqrt(levels.length);
    const picture = new OffscreenCanvas(side, side), own = picture.getContext("2d");
    const pixels = own.createImageData(side, side), shade = palette(), none = rgb(colour("--nowhere"));
    const table = Array.from({ length: 256 }, (_, level) => level === 255 ? none : shade(level / 254));
    levels.forEach((level, at) => {
      const row = side - 1 - Math.floor(at / side), place = 4 * (row * side + at % side);
      pixels.data.set([...table[level], 255], place);
    });
    own.putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(picture, 0, 0, width, height);
  }

  function plane(canvas, seen, field, arrows) {
    const { context, width, height } = begin(canvas, 1);
    const place = ([x, y]) => [(x / seen.half + 1) / 2 * width, (1 - y / seen.half) / 2 * height];
    context.fillStyle = colour("--panel");
    context.fillRect(0, 0, width, height);
    if (field) surface(context, field, width, height);
    marks(context, seen.real, place, "real");
    marks(context, seen.fake, place, "fake");
    if (!arrows) return;
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.2;
    seen.arrows.forEach(([dx, dy], at) => {
      const length = Math.hypot(dx, dy), scale = length ? reach(length) / length : 0;
      arrow(context, ...place(seen.fake[at]), dx * scale, -dy * scale);
    });
  }

  function line(canvas, seen) {
    const { context, width, height } = begin(canvas, Math.min(0.72, 420 / (canvas.clientWidth || 300)));
    const left = 8, right = width - 34, top = 12, floor = height * 0.66, base = height - 16;
    const x = value => left + (value / seen.half + 1) / 2 * (right - left);
    const at = index => left + index / (seen.p_data.length - 1) * (right - left);
    const highest = 1.15 * Math.max(...seen.p_data, Math.min(Math.max(...seen.p_g), 1.6 * Math.max(...seen.p_data)));
    const density = value => floor - Math.min(1, value / highest) * (floor - top);
    const [low, high] = seen.range, answer = value => floor - (Math.max(low, Math.min(high, value)) - low) / (high - low) * (floor - top);
    const curve = (values, y, name, dashes, thickness) => {
      context.strokeStyle = colour(name);
      context.lineWidth = thickness;
      context.setLineDash(dashes);
      context.beginPath();
      let pen = false;
      values.forEach((value, index) => {
        if (value === null) { pen = false; return; }
        context[pen ? "lineTo" : "moveTo"](at(index), y(value));
        pen = true;
      });
      context.stroke();
      context.setLineDash([]);
    };
    context.strokeStyle = colour("--rule");
    context.lineWidth = 1;
    for (const y of [top, (top + floor) / 2]) { context.beginPath(); context.moveTo(left, y); context.lineTo(right, y); context.stroke(); }
    context.fillStyle = colour("--quiet");
    context.textBaseline = "middle";
    for (const [value, y] of [[high, top], [(low + high) / 2, (top + floor) / 2], [low, floor]])
      context.fillText(String(Number(value.toPrecision(2))), right + 5, y);
    if (seen.optimal) curve(seen.optimal, answer, "--best", [2, 3], 2.5);
    curve(seen.said, answer, "--real", [9, 5], 2);
    curve(seen.p_data, density, "--ink", [1.5, 4], 2.5);
    curve(seen.p_g, density, "--fake", [], 2.2);
    // G from z below to x above, as the paper draws it.
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1;
    for (const y of [floor, base]) { context.beginPath(); context.moveTo(left, y); context.lineTo(right, y); context.stroke(); }
    const [z, made] = seen.lines, [first, last] = [z?.[0], z?.[z.length - 1]];
    context.strokeStyle = colour("--fake");
    context.globalAlpha = 0.55;
    z?.forEach((value, index) => {
      if (made[index] === null) return;
      context.beginPath();
      context.moveTo(left + (value - first) / (last - first) * (right - left), base);
      context.lineTo(x(made[index]), floor);
      context.stroke();
    });
    context.globalAlpha = 1;
    context.fillStyle = colour("--ink");
    context.fillText("x", right + 5, floor + 13);
    context.fillText("z", right + 5, base);
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.4;
    seen.arrows.forEach(([push], index) => {
      if (push === null || index % 2) return;
      arrow(context, x(seen.fake[index][0]), floor + 5 + index % 5, Math.sign(push) * reach(Math.abs(push)), 0);
    });
  }

  // What is being sketched: bars on a line, dabs in the plane, and where the keyboard stands.
  function sketch(canvas, drawn, cursor, focused) {
    const { context, width, height } = begin(canvas, drawn.dim === 1 ? 0.4 : 1);
    context.fillStyle = colour("--panel");
    context.fillRect(0, 0, width, height);
    context.fillStyle = colour("--real");
    if (drawn.dim === 1) {
      const bar = width / drawn.heights.length;
      drawn.heights.forEach((tall, at) => context.fillRect(at * bar, height * (1 - tall), bar - 1, height * tall));
    } else {
      for (const [x, y] of drawn.dabs) {
        context.beginPath();
        context.arc((x + 1) / 2 * width, (1 - y) / 2 * height, 4, 0, 7);
        context.fill();
      }
    }
    if (!focused) return;
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.5;
    const [x, y] = [(cursor[0] + 1) / 2 * width, (1 - cursor[1]) / 2 * height];
    context.beginPath();
    context.moveTo(x - 7, y); context.lineTo(x + 7, y);
    context.moveTo(x, y - 7); context.lineTo(x, y + 7);
    context.stroke();
  }

  return { plane, line, sketch };
})();
