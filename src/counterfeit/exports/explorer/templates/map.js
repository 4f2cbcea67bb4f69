// A map of the plane through the sample along two directions; a press or a drag goes there.
const CELLS = 9;
const map = document.getElementById("map"), here = document.getElementById("here");
const axes = ["across", "up"].map(id => document.getElementById(id));
let drawnAround = null; // what of the latent the map does not move

const plane = () => axes.map(axis => basis.directions[axis.value]);
const far = () => Math.min(...plane().map(reach));

function at(x, y) { // from -1 to 1
  const shares = [x, y];
  return plane().reduce((latent, direction, i) => moved(latent, direction, shares[i] * far() - along(latent, direction)), current.latent);
}

const drawMap = newest(async () => {
  const cells = Array.from({ length: CELLS * CELLS }, (_, i) => ({
    latent: at(place(i % CELLS), -place(Math.floor(i / CELLS))), label: current.label,
  }));
  const images = await generate(cells);
  cells.forEach((_, i) => paint(map, imageOf(images, i), (i % CELLS) * width, Math.floor(i / CELLS) * height));
});

const place = cell => (2 * cell + 1) / CELLS - 1; // of its middle

function mark() {
  const [x, y] = plane().map(direction => Math.max(-1, Math.min(1, along(current.latent, direction) / far())));
  here.style.left = `${50 + 50 * x}%`;
  here.style.top = `${50 - 50 * y}%`;
  return [x, y];
}

// Drawn again when the sample has left the plane, and rests.
let resting = null;

function follow() {
  mark();
  const middle = [...at(0, 0), current.label];
  if (drawnAround?.every((value, i) => Math.abs(value - middle[i]) < 1e-4)) return;
  clearTimeout(resting);
  resting = setTimeout(() => { drawnAround = middle; drawMap(); }, 150); // milliseconds
}

function redraw() { drawnAround = null; follow(); }

function goTo(event) {
  const box = map.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  go({ latent: at(2 * x - 1, 1 - 2 * y) });
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function startMap() {
  Object.assign(map, { width: CELLS * width, height: CELLS * height });
  map.addEventListener("pointerdown", event => { map.setPointerCapture(event.pointerId); goTo(event); });
  map.addEventListener("pointermove", event => { if (event.buttons) goTo(event); });
  map.addEventListener("keydown", event => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    go({ latent: at(...mark().map((value, i) => Math.max(-1, Math.min(1, value + arrow[i] / CELLS)))) });
  });
  document.addEventListener("basis", () => {
    axes.forEach((axis, i) => {
      axis.replaceChildren(...basis.names.map((name, n) => new Option(name, n, n === i, n === i)));
    });
    redraw();
  });
  axes.forEach(axis => axis.addEventListener("change", redraw));
  document.addEventListener("moved", follow);
}
