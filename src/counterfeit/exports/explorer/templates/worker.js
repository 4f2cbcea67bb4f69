// In a worker, behind ONNX Runtime Web: runs the networks, one request after the other.
const sessions = {};
let last = Promise.resolve();

onmessage = ({ data }) => { last = last.then(() => answer(data)); };

async function answer({ number, network, ...given }) {
  try {
    const result = network ? await run(sessions[network], given) : await load(given);
    postMessage({ number, result }, [result.buffer]);
  } catch (error) {
    postMessage({ number, error: String(error) });
  }
}

async function load({ binary, networks }) {
  ort.env.wasm.numThreads = 1; // more need headers that a file has not
  ort.env.wasm.wasmBinary = binary;
  for (const [name, model] of Object.entries(networks))
    sessions[name] = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  return new Float32Array();
}

// rows: numbers of all inputs; shape: of one input; labels: the class of each, for networks that are told it.
async function run(session, { rows, shape, labels }) {
  const [input, told] = session.inputNames;
  const feeds = { [input]: new ort.Tensor("float32", rows, [labels.length, ...shape]) };
  if (told) feeds[told] = new ort.Tensor("int64", BigInt64Array.from(labels, BigInt), [labels.length]);
  const output = (await session.run(feeds))[session.outputNames[0]];
  return Float32Array.from(output.data);
}
