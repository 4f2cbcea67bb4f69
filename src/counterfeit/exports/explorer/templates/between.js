// From one picked sample to another: all the way as a strip, straight and on the great circle.
const STEPS = 9;
const ends = { from: null, to: null };
const way = document.getElementById("way");
const paths = [straight, circle];
let path = circle;

const showWays = newest(async () => {
  for (const strip of document.querySelectorAll(".strip")) {
    const along = paths[strip.dataset.path];
    const images = await generate(Array.from({ length: STEPS }, (_, i) => between(ends.from, ends.to, i / (STEPS - 1), along)));
    strip.querySelectorAll("canvas").forEach((canvas, i) => paint(canvas, imageOf(images, i)));
  }
});

const goBetween = t => go(between(ends.from, ends.to, t, path));

function startBetween() {
  for (const strip of document.querySelectorAll(".strip"))
    strip.append(...Array.from({ length: STEPS }, (_, i) => pictureButton(
      tr("{part} of the way", { part: `${i} / ${STEPS - 1}` }),
      () => { path = paths[strip.dataset.path]; choice(Number(strip.dataset.path)); way.value = i / (STEPS - 1); goBetween(i / (STEPS - 1)); },
    )));
  const choice = choose(document.getElementById("paths"), [tr("Straight"), tr("Great circle")], 1, at => { path = paths[at]; goBetween(Number(way.value)); });
  way.addEventListener("input", () => goBetween(Number(way.value)));
  for (const button of document.querySelectorAll("[data-end]"))
    button.addEventListener("click", () => {
      ends[button.dataset.end] = { latent: current.latent, label: current.label };
      way.value = Number(button.dataset.end === "to");
      showWays();
    });
  Object.assign(ends, { from: drawn(), to: drawn() });
  showWays();
}
