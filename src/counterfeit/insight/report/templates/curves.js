// Charts over epochs, drawn in place of the pictures, which stay for print. They share the epoch that
// is pointed at: by the mouse, a finger, keys, or the player.
if (document.getElementById("curves")) {
  const charts = JSON.parse(document.getElementById("curves").textContent);
  const epochs = drawing.span(charts), off = new Set();
  let chosen = epochs[1]; // the player's epoch

  const plots = charts.map((chart, index) => {
    const box = document.getElementById(`curve-${index}`), section = box.closest("section");
    section.classList.add("live");
    section.querySelector(".curves").hidden = false;
    return { chart, box, told: box.nextElementSibling, plot: drawing.make(chart, box, () => epochs, off) };
  });
  const remarks = [...document.querySelectorAll(".remarks")].map(said => ({
    said, marks: plots.find(({ box }) => said.parentElement.contains(box)).chart.marks,
  }));
  const point = epoch => {
    for (const each of plots) drawing.tell(each, epoch, off);
    for (const { said, marks } of remarks) drawing.remark(said, marks, epoch, off);
  };
  const pick = epoch => document.dispatchEvent(new CustomEvent("wanted", { detail: epoch }));

  for (const each of plots) drawing.lead(each, point, () => point(chosen), pick);
  for (const button of document.querySelectorAll(".legend button"))
    button.addEventListener("click", () => {
      const { key } = button.dataset, show = off.has(key);
      if (show) off.delete(key);
      else off.add(key);
      for (const each of document.querySelectorAll(`.legend [data-key="${key}"]`)) each.setAttribute("aria-pressed", show);
      for (const each of plots) drawing.choose(each, off);
      point(chosen);
    });
  for (const button of document.querySelectorAll(".as-pictures"))
    button.addEventListener("click", () => {
      const live = button.closest("section").classList.toggle("live");
      button.setAttribute("aria-expanded", !live);
    });
  document.addEventListener("shown", ({ detail: epoch }) => point(chosen = epoch));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach(({ plot }) => plot.redraw(false)));
  point(chosen);
}
