"""Run directories: the one contract between training, which writes them, and all that reads."""

from counterfeit.run.directory import Run
from counterfeit.run.sampler import generate
from counterfeit.run.snapshots import SNAPSHOT_IMAGES

__all__ = ["SNAPSHOT_IMAGES", "Run", "generate"]
