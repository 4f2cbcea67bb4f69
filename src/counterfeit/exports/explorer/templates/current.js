// The sample that the page is at. `go` moves it, and the document hears "moved"; when its image is
// on the page, "shown".
const current = { latent: new Float32Array(facts.latent.width), label: 0, image: null };
const sample = document.getElementById("sample");

function go({ latent, label = current.label }) {
  current.latent = latent;
  current.label = label;
  document.dispatchEvent(new Event("moved"));
}

const show = newest(async () => {
  const image = await generate([current]);
  current.image = image;
  paint(sample, image);
  document.dispatchEvent(new Event("shown"));
});

document.addEventListener("moved", show);
Object.assign(sample, { width, height });

document.getElementById("new").addEventListener("click", () => go({ latent: drawn(cut()).latent }));
document.getElementById("middle").addEventListener("click", () => {
  const latent = current.latent.slice();
  latent.fill(0, 0, dim);
  go({ latent });
});

if (facts.classes.length) {
  const choice = choose(document.getElementById("class"), facts.classes, 0, label => go({ latent: current.latent, label }));
  document.addEventListener("moved", () => choice(current.label));
}

// The picture, to be taken away.
document.getElementById("save").addEventListener("click", () => {
  const large = document.createElement("canvas");
  const scale = Math.ceil(512 / width);
  Object.assign(large, { width: width * scale, height: height * scale });
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(sample, 0, 0, large.width, large.height);
  Object.assign(document.createElement("a"), { href: large.toDataURL(), download: "sample.png" }).click();
});
