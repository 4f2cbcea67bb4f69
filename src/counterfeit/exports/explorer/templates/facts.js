// What the page holds: facts of the run, and its parts, which are gzip in base64.
const facts = JSON.parse(document.getElementById("facts").textContent);
const [channels, height, width] = facts.shape;
const pixels = channels * height * width; // of an image, each from 0 to 1

async function unpacked(name) {
  const part = document.getElementById(name);
  const text = atob(part.textContent);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  part.remove(); // megabytes
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
