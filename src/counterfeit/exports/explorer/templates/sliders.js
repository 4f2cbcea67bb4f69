// Sliders: each shows how far the sample lies along a direction, and moves it there.
const bases = []; // { name, how, directions, names, reach }
let basis = null;

const unit = (at, length = dim) => Float32Array.from({ length }, (_, i) => Number(i === at));

// How far a slider goes: three standard deviations, or as far as a uniform prior goes.
const reach = direction => {
  const edge = Math.sqrt(3) * std / Math.max(...direction.map(Math.abs));
  return uniform ? Math.min(edge, 3 * std) : 3 * std;
};

async function readBases() {
  const numbers = new Float32Array(await unpacked("directions"));
  let from = 0;
  for (const { name, how, count, shares } of facts.directions) {
    const directions = Array.from({ length: count }, (_, i) => numbers.subarray(from + i * dim, from + (i + 1) * dim));
    from += count * dim;
    bases.push({ name, how, directions, names: directions.map((_, i) => tr("Direction {number}", { number: i + 1 })), shares });
  }
  const directions = Array.from({ length: dim }, (_, i) => unit(i));
  bases.push({ name: tr("Coordinates"), how: tr("The numbers that the latent consists of, one by one."), directions, names: directions.map((_, i) => tr("Coordinate {number}", { number: i + 1 })) });
}

function sliderRow(name, direction, far, share) {
  const row = document.createElement("label"), text = document.createElement("span"), input = document.createElement("input"), value = document.createElement("output");
  row.className = "slider";
  text.textContent = name;
  if (share !== undefined) {
    const part = document.createElement("small");
    part.textContent = ` ${(100 * share).toFixed(share < .1 ? 1 : 0)} %`;
    text.append(part);
  }
  Object.assign(input, { type: "range", min: -far, max: far, step: far / 100 });
  const place = () => along(current.latent, direction);
  input.addEventListener("input", () => go({ latent: moved(current.latent, direction, Number(input.value) - place()) }));
  row.append(text, input, value);
  const refresh = () => {
    const now = place();
    if (Math.abs(Number(input.value) - now) > far / 100) input.value = now; // not under the finger that moves it
    value.textContent = now.toFixed(2);
  };
  input.value = place();
  return { row, refresh };
}

let rows = [];

function showBasis(at) {
  basis = bases[at];
  document.getElementById("how").textContent = basis.how;
  rows = basis.directions.map((direction, i) => sliderRow(basis.names[i], direction, reach(direction), basis.shares?.[i]));
  document.getElementById("sliders").replaceChildren(...rows.map(each => each.row));
  rows.forEach(each => each.refresh());
  document.dispatchEvent(new Event("basis"));
}

// An InfoGAN's codes have sliders and a choice of their own.
function startCodes() {
  const codes = document.getElementById("codes");
  if (categories) {
    const choice = choose(codes.querySelector("[role=radiogroup]"), Array.from({ length: categories }, (_, i) => `${i}`), 0, category => {
      const latent = current.latent.slice();
      latent.fill(0, dim, dim + categories);
      latent[dim + category] = 1;
      go({ latent });
    });
    document.addEventListener("moved", () => choice(current.latent.indexOf(1, dim) - dim));
  }
  for (let i = 0; i < continuous; i++) {
    const code = sliderRow(tr("Code {number}", { number: i + 1 }), unit(dim + categories + i, facts.latent.width), 2);
    codes.append(code.row);
    document.addEventListener("moved", code.refresh);
  }
}

async function startSliders() {
  await readBases();
  choose(document.getElementById("bases"), bases.map(each => each.name), 0, showBasis);
  document.addEventListener("moved", () => rows.forEach(each => each.refresh()));
  if (categories || continuous) startCodes();
}
