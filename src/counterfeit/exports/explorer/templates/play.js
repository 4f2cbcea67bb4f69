// All of it started, once the networks are there.
try {
  await start();
  await startVerdicts();
  startMap();
  await startSliders();
  showBasis(0);
  go(drawn());
  startGallery();
  startBetween();
  startDrawing();
  await show();
  document.body.classList.remove("loading");
  document.getElementById("loading").remove();
} catch (error) {
  document.getElementById("loading").textContent = tr("The networks did not start: {error}", { error: error.message });
  throw error;
}

// For the browser's console: the sample, the networks, and what moves through latents.
globalThis.explorer = {
  facts, current, go, generate, judge, drawn, bases, paths, ends, drawing, nearestSample,
  apart: () => Math.sqrt(errorOf(nearestToDrawing.image, drawing()) / pixels),
};
