// From latent to latent on great circles, until it is stopped.
const wander = document.getElementById("wander");
const SECONDS = 2.5; // between two
let wandering = null;

function stopWandering() {
  cancelAnimationFrame(wandering);
  wandering = null;
  wander.textContent = tr("Wander");
}

wander.addEventListener("click", () => {
  if (wandering !== null) return stopWandering();
  wander.textContent = tr("Stop");
  let from = { ...current }, to = null, since = 0;
  const step = now => {
    if (!to || now - since > 1000 * SECONDS) [from, to, since] = [to ?? from, drawn(cut()), now];
    go(between(from, to, (now - since) / 1000 / SECONDS, circle));
    wandering = requestAnimationFrame(step);
  };
  wandering = requestAnimationFrame(step);
});
