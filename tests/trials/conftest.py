"""MNIST in miniature, in files of its names."""

from dataclasses import replace
from pathlib import Path

import pytest

from counterfeit.data import catalogue, stacked
from counterfeit.data.idx import IDX_FILES
from miniatures import Miniature, idx, random


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    """In a folder of data sets, `tmp_path / "data"`; stacked to 64 and 32 images."""
    made = random(1, 28, 10)
    parts = [
        part
        for split in ("train", "test")
        for part in (made.images[split][:, 0], made.labels[split])
    ]
    made.files = {name: idx(part) for name, part in zip(IDX_FILES, parts, strict=True)}
    made.write(tmp_path / "data" / "mnist")
    for name in ("mnist", "stacked-mnist"):
        small = replace(catalogue.PUBLISHED[name], checksums=made.checksums, sources=())
        monkeypatch.setitem(catalogue.PUBLISHED, name, small)
    for split, count in (("train", 64), ("test", 32)):
        monkeypatch.setitem(stacked.COUNTS, split, count)
    return made
