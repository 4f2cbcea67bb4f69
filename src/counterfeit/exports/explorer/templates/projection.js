// The latent whose image is nearest to a picture, by Levenberg and Marquardt's least squares. There
// are no gradients here: the Jacobian is one batch of images, each of a latent that is moved a little.
const STARTS = 192, // samples of the prior, of which the nearest are begun from
  BEGUN = 2,
  ROUNDS = 12,
  NEAR = .03, // difference of pixels at which no other start is tried
  AFFORDED = 800, // milliseconds for a Jacobian; where all numbers of a latent take more, principal directions do
  STEP = .02, // of a forward difference, in standard deviations
  PRIOR = .02; // weight of the latent's own length beside the picture

const squares = values => values.reduce((sum, value) => sum + value * value, 0);

// What is moved: all of a latent but its category, or its principal directions.
function freedom(millisecondsEach) {
  const free = [...Array(facts.latent.width).keys()].filter(i => i < dim || i >= dim + categories);
  if (free.length * millisecondsEach <= AFFORDED) return free.map(i => unit(i, facts.latent.width));
  return bases[0].directions;
}

// Solves A x = b for a symmetric positive definite A (n * n numbers), by Cholesky.
function solved(A, b) {
  const n = b.length, L = Float64Array.from(A), x = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = L[i * n + j];
      for (let k = 0; k < j; k++) sum -= L[i * n + k] * L[j * n + k];
      L[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / L[j * n + j];
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= L[i * n + k] * x[k];
    x[i] /= L[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= L[k * n + i] * x[k];
    x[i] /= L[i * n + i];
  }
  return x;
}

// Within the prior: a uniform one ends, and so do codes.
function kept(latent) {
  const edge = Math.sqrt(3) * std;
  return latent.map((value, i) => (i >= dim ? Math.max(-1, Math.min(1, value)) : uniform ? Math.max(-edge, Math.min(edge, value)) : value));
}

const errorOf = (image, picture) => squares(image.map((value, i) => value - picture[i]));
const costOf = (image, latent, picture) => errorOf(image, picture) + (uniform ? 0 : PRIOR * squares(latent.subarray(0, dim)) / std ** 2);

// One round from `now` ({ latent, label, image, cost }): the best of steps of several lengths, or `now`.
async function round(now, picture, moves, damping) {
  const n = moves.length, J = [], normal = new Float64Array(n * n), down = new Float64Array(n);
  const nudged = await generate(moves.map(move => ({ latent: moved(now.latent, move, STEP * std), label: now.label })));
  for (let i = 0; i < n; i++) J.push(imageOf(nudged, i).map((value, p) => (value - now.image[p]) / (STEP * std)));
  const missing = picture.map((value, p) => value - now.image[p]);
  const own = now.latent.map((value, i) => (i < dim ? value : 0));
  const pull = uniform ? 0 : PRIOR / std ** 2;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let p = 0; p < pixels; p++) sum += J[i][p] * J[j][p];
      normal[i * n + j] = normal[j * n + i] = sum;
    }
    normal[i * n + i] += pull;
    down[i] = along(J[i], missing) - pull * along(own, moves[i]);
  }
  const mean = moves.reduce((sum, _, i) => sum + normal[i * n + i], 0) / n;
  const tried = [.1, 1, 10, 100].map(factor => {
    const damped = normal.slice();
    for (let i = 0; i < n; i++) damped[i * n + i] += damping * factor * mean;
    const step = solved(damped, down);
    const latent = kept(moves.reduce((there, move, i) => moved(there, move, step[i]), now.latent));
    return { latent, label: now.label, damping: damping * factor };
  });
  const images = await generate(tried);
  tried.forEach((each, i) => {
    each.image = imageOf(images, i);
    each.cost = costOf(each.image, each.latent, picture);
  });
  return tried.reduce((best, each) => (each.cost < best.cost ? each : best), { ...now, damping: 100 * damping });
}

// Yields ever nearer samples, until none is found or `signal` is aborted.
async function* nearestSample(picture, signal) {
  const starts = Array.from({ length: STARTS }, () => drawn());
  const began = performance.now();
  const images = await generate(starts);
  const moves = freedom((performance.now() - began) / STARTS);
  starts.forEach((each, i) => {
    each.image = imageOf(images, i);
    each.cost = costOf(each.image, each.latent, picture);
  });
  starts.sort((one, other) => one.cost - other.cost);
  let best = starts[0];
  yield best;
  for (const start of starts.slice(0, BEGUN)) {
    if (errorOf(best.image, picture) / pixels < NEAR ** 2) break;
    let now = { ...start, damping: .01 };
    for (let i = 0; i < ROUNDS && !signal.aborted; i++) {
      const next = await round(now, picture, moves, Math.min(now.damping, 1e4));
      const gain = 1 - next.cost / now.cost;
      now = next;
      if (now.cost < best.cost) yield best = now;
      if (gain < .005) break;
    }
  }
}
