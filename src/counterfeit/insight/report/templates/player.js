// The images of the fixed latents, epoch by epoch. It tells the document the epoch that it shows
// (the event "shown"), and goes to one that it is asked for ("wanted").
if (document.getElementById("player")) {
  const slider = document.getElementById("epoch"), play = document.getElementById("play");
  const epochs = JSON.parse(slider.dataset.epochs);
  const films = [...document.querySelectorAll("img.film")].map(image => ({
    image, after: image.parentElement.querySelector(".after"), ...JSON.parse(image.nextElementSibling.textContent),
  }));
  const last = epochs.length - 1;
  const speed = document.getElementById("speed"), loop = document.getElementById("loop");
  const pause = Math.min(600, Math.max(100, 15000 / epochs.length)); // milliseconds an image, at speed 1
  let timer = null;

  const show = () => {
    const epoch = epochs[slider.value];
    document.getElementById("shown").textContent = epoch;
    slider.setAttribute("aria-valuetext", tr("epoch {epoch}", { epoch }));
    for (const film of films) { // a run that ended earlier shows its last epoch
      const at = Math.max(0, film.epochs.findLastIndex(each => each <= epoch));
      film.image.src = film.frames[at];
      film.image.alt = tr("{picture} after epoch {epoch}.", { picture: film.image.dataset.alt, epoch: film.epochs[at] });
      film.after.textContent = film.epochs[at];
    }
    document.dispatchEvent(new CustomEvent("shown", { detail: epoch }));
  };
  const stop = () => { clearTimeout(timer); timer = null; play.textContent = tr("Play"); };
  const move = index => { slider.value = index; show(); };
  const next = () => {
    timer = setTimeout(() => {
      const at = Number(slider.value);
      move(at === last ? 0 : at + 1);
      if (Number(slider.value) === last && !loop.checked) stop();
      else next();
    }, pause / speed.value);
  };
  const toggle = () => {
    if (timer !== null) return stop();
    if (Number(slider.value) === last) move(0);
    play.textContent = tr("Pause");
    next();
  };

  slider.addEventListener("input", () => { stop(); show(); });
  slider.addEventListener("keydown", event => {
    if (event.key !== " ") return;
    event.preventDefault();
    toggle();
  });
  play.addEventListener("click", toggle);
  document.addEventListener("wanted", ({ detail: epoch }) => {
    stop();
    const at = epochs.findIndex(each => each >= epoch);
    move(at < 0 ? last : at);
  });
  for (const link of document.querySelectorAll("[data-epoch]"))
    link.addEventListener("click", () => {
      document.dispatchEvent(new CustomEvent("wanted", { detail: Number(link.dataset.epoch) }));
    });
  addEventListener("beforeprint", () => { stop(); move(last); });
  document.getElementById("player").hidden = false;
  move(last); // a browser may remember where the slider stood
}
