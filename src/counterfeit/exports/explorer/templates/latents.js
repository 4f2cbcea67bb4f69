// Latents: where they are drawn from, and ways between them. The last numbers of one may be codes:
// a category, of which one is 1 and the others 0, and continuous ones from -1 to 1 (InfoGAN).
const { dim, categories, continuous, std, distribution } = facts.latent;
const uniform = distribution === "uniform";
const WHOLE = uniform ? Math.sqrt(3) : 3; // standard deviations at which truncation no longer cuts

// Abramowitz and Stegun 7.1.26, to 1.5e-7.
function normalShare(x) {
  const t = 1 / (1 + .3275911 * Math.abs(x) / Math.SQRT2);
  const tail = t * (.254829592 + t * (-.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x / 2);
  return x < 0 ? tail / 2 : 1 - tail / 2;
}

// Its inverse, by bisection and so as exact as that.
function normalAt(share) {
  let low = -6, high = 6;
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle; else high = middle;
  }
  return (low + high) / 2;
}

const randomly = count => Float64Array.from({ length: count }, Math.random);

// The latent of uniform random numbers, from the prior cut off at so many standard deviations
// (Brock et al. 2019, arXiv 1809.11096, section 3.1): the same numbers move smoothly with the cut.
function latentOf(random, cut) {
  const below = cut >= WHOLE ? 0 : normalShare(-cut);
  const latent = new Float32Array(facts.latent.width);
  for (let i = 0; i < dim; i++)
    latent[i] = std * (uniform ? (2 * random[i] - 1) * Math.min(cut, WHOLE) : normalAt(below + random[i] * (1 - 2 * below)));
  if (categories) latent[dim + Math.floor(random[dim] * categories)] = 1;
  for (let i = dim + categories; i < latent.length; i++) latent[i] = 2 * random[i] - 1;
  return latent;
}

function drawn(cut = WHOLE) {
  const random = randomly(facts.latent.width);
  return { random, latent: latentOf(random, cut), label: Math.floor(Math.random() * facts.classes.length) };
}

// A direction is as long as `dim`, or as a latent.
function along(latent, direction) {
  let sum = 0;
  for (let i = 0; i < direction.length; i++) sum += latent[i] * direction[i];
  return sum;
}

function moved(latent, direction, amount) {
  const there = latent.slice();
  for (let i = 0; i < direction.length; i++) there[i] += amount * direction[i];
  return there;
}

const straight = (a, b, t) => a.map((value, i) => (1 - t) * value + t * b[i]);

// Along the great circle of their directions (White 2016, arXiv 1609.04468); codes go straight.
function circle(a, b, t) {
  const own = [a.subarray(0, dim), b.subarray(0, dim)];
  const [aa, bb, ab] = [[0, 0], [1, 1], [0, 1]].map(([i, j]) => along(own[i], own[j]));
  const angle = Math.acos(Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb))));
  const between = straight(a, b, t);
  if (!(angle > 1e-4)) return between; // one direction, or the middle
  const [from, to] = [(1 - t) * angle, t * angle].map(part => Math.sin(part) / Math.sin(angle));
  for (let i = 0; i < dim; i++) between[i] = from * a[i] + to * b[i];
  return between;
}

// A sample between two, whose class and category are those of the nearer.
function between(from, to, t, path) {
  const nearer = t < .5 ? from : to;
  const latent = path(from.latent, to.latent, t);
  latent.set(nearer.latent.subarray(dim, dim + categories), dim);
  return { latent, label: nearer.label };
}
