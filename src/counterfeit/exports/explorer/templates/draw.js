// A canvas to draw on: what D says of the drawing, and the sample that comes nearest to it.
const SCALE = 12; // of the pad's pixels for one of an image
const pad = document.getElementById("pad"), pen = pad.getContext("2d", { willReadFrequently: true });
const seen = document.getElementById("seen"), found = document.getElementById("found");
let searching = new AbortController(), nearestToDrawing = null;
const drawnNow = { x: .5, y: .5 }; // where the keyboard's pen is, in shares of the pad

function wipe() {
  pen.fillStyle = facts.paper;
  pen.fillRect(0, 0, pad.width, pad.height);
}

function drawing() {
  const small = seen.getContext("2d", { willReadFrequently: true });
  small.imageSmoothingQuality = "high";
  small.drawImage(pad, 0, 0, width, height);
  const { data } = small.getImageData(0, 0, width, height);
  return Float32Array.from({ length: pixels }, (_, i) => {
    const [c, p] = [Math.floor(i / (width * height)), i % (width * height)];
    return data[4 * p + c] / 255;
  });
}

const judgeDrawing = newest(async () => {
  if (facts.verdict) showVerdict(document.getElementById("drawing-verdict"), await judge(drawing(), current.label));
});

async function search() {
  searching.abort();
  searching = new AbortController();
  const { signal } = searching, picture = drawing();
  for await (const sample of nearestSample(picture, signal)) {
    if (signal.aborted) return;
    nearestToDrawing = sample;
    paint(found, sample.image);
    const apart = Math.sqrt(errorOf(sample.image, picture) / pixels);
    document.getElementById("found-how").textContent = differ(apart) + (facts.classes.length ? `, ${facts.classes[sample.label]}` : "");
    document.getElementById("take").disabled = false;
  }
  if (!signal.aborted) document.dispatchEvent(new Event("found"));
}

function stroke(x, y, from = [x, y]) {
  pen.strokeStyle = document.getElementById("colour")?.value ?? facts.ink;
  pen.lineWidth = SCALE * Math.max(1.2, .085 * width); // as strokes of MNIST's digits
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(from[0] * pad.width, from[1] * pad.height);
  pen.lineTo(x * pad.width, y * pad.height);
  pen.stroke();
  judgeDrawing();
}

function put(image) {
  const small = picture("");
  paint(small, image);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, pad.width, pad.height);
  judgeDrawing();
  search();
}

function startDrawing() {
  for (const canvas of [seen, found]) Object.assign(canvas, { width, height });
  Object.assign(pad, { width: SCALE * width, height: SCALE * height });
  wipe();
  let before = null;
  const place = event => {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  pad.addEventListener("pointerdown", event => {
    pad.setPointerCapture(event.pointerId);
    searching.abort();
    before = place(event);
    stroke(...before);
  });
  pad.addEventListener("pointermove", event => {
    if (!before) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const now = place(each);
      stroke(...now, before);
      before = now;
    }
  });
  for (const end of ["pointerup", "pointercancel"])
    pad.addEventListener(end, () => { if (before) { before = null; search(); } });
  pad.addEventListener("keydown", event => { // arrows draw, and with Shift only move
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const from = [drawnNow.x, drawnNow.y];
    drawnNow.x = Math.max(0, Math.min(1, drawnNow.x + arrow[0] / width));
    drawnNow.y = Math.max(0, Math.min(1, drawnNow.y - arrow[1] / height));
    if (!event.shiftKey) stroke(drawnNow.x, drawnNow.y, from);
  });
  pad.addEventListener("keyup", event => { if (ARROWS[event.key] && !event.shiftKey) search(); });
  document.getElementById("wipe").addEventListener("click", () => { searching.abort(); wipe(); judgeDrawing(); });
  document.getElementById("copy-sample").addEventListener("click", () => put(current.image));
  document.getElementById("copy-training")?.addEventListener("click", () =>
    put(Float32Array.from(imageOf(thumbs.images, Math.floor(Math.random() * thumbs.count)), value => value / 255)));
  document.getElementById("take").addEventListener("click", () => go(nearestToDrawing));
  judgeDrawing();
}
