// Samples to pick from, drawn from the prior, cut off where the slider says.
const THUMBS = 24;
const gallery = document.getElementById("gallery"), truncation = document.getElementById("truncation");
let offered = [];

const cut = () => Number(truncation.value);

const showGallery = newest(async () => {
  const images = await generate(offered);
  gallery.querySelectorAll("canvas").forEach((canvas, i) => paint(canvas, imageOf(images, i)));
});

function cutOff() {
  const whole = cut() >= WHOLE;
  const said = whole ? tr("the whole prior") : tr("within {cut} standard deviations", { cut: cut().toFixed(2) });
  document.getElementById("cut").textContent = said;
  truncation.setAttribute("aria-valuetext", said);
  for (const each of offered) each.latent = latentOf(each.random, cut());
  return showGallery();
}

function offer() {
  offered = Array.from({ length: THUMBS }, () => drawn(cut()));
  return showGallery();
}

function startGallery() {
  Object.assign(truncation, { min: .1, max: WHOLE, step: "any", value: WHOLE });
  truncation.addEventListener("input", cutOff);
  document.getElementById("more").addEventListener("click", offer);
  gallery.append(...Array.from({ length: THUMBS }, (_, i) =>
    pictureButton(tr("Sample {number}", { number: i + 1 }), () => go(offered[i]))));
  offer();
  cutOff();
}
