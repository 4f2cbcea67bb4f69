// The networks, which compute in a worker, so that the page answers meanwhile.
const engine = { worker: null, waiting: new Map(), asked: 0 };

async function start() {
  const names = ["generator", ...(facts.verdict ? ["discriminator"] : [])];
  const [script, binary, ...models] = await Promise.all(["runtime", "binary", ...names].map(unpacked));
  const source = new Blob([script, document.getElementById("worker").textContent], { type: "text/javascript" });
  engine.worker = new Worker(URL.createObjectURL(source));
  engine.worker.onmessage = ({ data: { number, result, error } }) => {
    const { resolve, reject } = engine.waiting.get(number);
    engine.waiting.delete(number);
    if (error) reject(new Error(error));
    else resolve(result);
  };
  await new Promise((resolve, reject) => {
    engine.worker.onerror = event => reject(new Error(event.message || tr("its worker did not")));
    ask({ binary, networks: Object.fromEntries(names.map((name, i) => [name, models[i]])) }).then(resolve, reject);
  });
}


function ask(message) {
  return new Promise((resolve, reject) => {
    const number = engine.asked++;
    engine.waiting.set(number, { resolve, reject });
    engine.worker.postMessage({ number, ...message });
  });
}

// The images of samples, [{ latent, label }], as one array; a few at once, so that others come between.
const AT_ONCE = 16;

async function generate(samples) {
  const images = new Float32Array(samples.length * pixels);
  for (let start = 0; start < samples.length; start += AT_ONCE) {
    const some = samples.slice(start, start + AT_ONCE);
    const rows = new Float32Array(some.length * facts.latent.width);
    some.forEach((each, i) => rows.set(each.latent, i * facts.latent.width));
    const labels = some.map(each => each.label);
    images.set(await ask({ network: "generator", rows, shape: [facts.latent.width], labels }), start * pixels);
  }
  return images;
}

const judge = async (image, label) =>
  (await ask({ network: "discriminator", rows: image.slice(), shape: facts.shape, labels: [label] }))[0];

const imageOf = (images, i) => images.subarray(i * pixels, (i + 1) * pixels);

// Of calls that come while one goes on, only the newest is done: a slider's do not queue up. Each
// promises that none is left to do.
function newest(act) {
  let wanted = null, going = null;
  async function go() {
    try {
      while (wanted) {
        const now = wanted;
        wanted = null;
        await act(...now);
      }
    } finally { going = null; }
  }
  return (...given) => {
    wanted = given;
    return going ??= go();
  };
}
