// What D says of an image: a probability where its loss makes one, else a score, on a scale that
// shows what it says of most real images and of most generated ones.
const said = logit => (facts.verdict.probability ? 1 / (1 + Math.exp(-logit)) : logit);

function told(logit) {
  const value = said(logit).toFixed(2);
  if (!facts.verdict.probability) return tr("D's score: {value}", { value });
  return logit > 0 ? tr("D(x) = {value}: D takes it for real", { value }) : tr("D(x) = {value}: D takes it for a fake", { value });
}

function scaled(value) {
  const { low, high } = facts.verdict;
  return Math.max(0, Math.min(100, 100 * (value - low) / (high - low)));
}

function showVerdict(place, logit) {
  place.querySelector(".said").textContent = told(logit);
  place.querySelector(".needle").style.left = `${scaled(said(logit))}%`;
}

// The nearest training image of those that the page holds, by the pixels' squared differences.
const thumbs = { images: new Uint8Array(), count: 0 };

function nearest(image) {
  const wanted = Float32Array.from(image, value => 255 * value);
  let best = Infinity, at = 0;
  for (let i = 0; i < thumbs.count; i++) {
    let sum = 0;
    for (let p = 0, from = i * pixels; p < pixels && sum < best; p++) sum += (wanted[p] - thumbs.images[from + p]) ** 2;
    if (sum < best) [best, at] = [sum, i];
  }
  return { image: Float32Array.from(imageOf(thumbs.images, at), value => value / 255), apart: Math.sqrt(best / pixels) / 255 };
}

const differ = apart => tr("Pixels differ by {apart} of their range", { apart: apart.toFixed(3) });

async function startVerdicts() {
  const verdict = document.getElementById("verdict"), beside = document.getElementById("nearest");
  if (facts.training.count) {
    Object.assign(thumbs, { images: new Uint8Array(await unpacked("training")), count: facts.training.count });
    Object.assign(beside.querySelector("canvas"), { width, height });
  }
  const look = newest(async image => {
    if (facts.verdict) showVerdict(verdict, await judge(image, current.label));
    if (thumbs.count) {
      const found = nearest(image);
      paint(beside.querySelector("canvas"), found.image);
      beside.querySelector(".apart").textContent = differ(found.apart);
    }
  });
  document.addEventListener("shown", () => look(current.image));
}
