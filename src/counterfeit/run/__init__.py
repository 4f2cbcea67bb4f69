"""The run directory: the one contract between training, which writes it, and all that reads it.

recipe.toml        the resolved recipe
environment.json   seed, image shape, the data's checksums and place (see `provenance`), versions,
                   device, threads, git revision
log.jsonl          a row for each logging interval (see `rows`, also for the next two)
metrics.jsonl      a row for each evaluation
vitals.jsonl       a row for each epoch that was examined
findings.jsonl     a row for each finding, when it was said (see `findings`); training's own rows
                   also say where it went back (`rollbacks`)
real_images.json   what real training images score, `[value, spread]` under the metrics' names
checkpoints/       see `checkpoint`; damaged ones are set aside in checkpoints/damaged/
snapshots/         epoch-N.npz: `images`, uint8 (100, C, H, W), of the same 100 latents each epoch
samples.npz        the newest images of a generator that is the user's code (see `stored`)
data.npz           and the real ones, where they have no name
figures/           PNG and WebP files; report.html stands beside
exports/           networks that were taken away; tensorboard/ holds event files
.lock              held by the process that trains the run

Whatever moment training is killed at, the directory holds a whole run: every file but the .jsonl
ones is written under a temporary name and renamed, and what came after the newest checkpoint is
forgotten when training goes on from it.
"""

from counterfeit.run.run import Run
from counterfeit.run.sampler import generate
from counterfeit.run.snapshots import SNAPSHOT_IMAGES

__all__ = ["SNAPSHOT_IMAGES", "Run", "generate"]
