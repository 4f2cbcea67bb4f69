import math
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from counterfeit.data import emnist
from counterfeit.errors import CounterfeitError
from counterfeit.insight.charts.classes import (
    NOTHING_FOUND,
    ClassShares,
    class_bars,
    count_classes,
)
from counterfeit.run import Run


def test_class_shares_are_those_of_the_newest_evaluation(small_run: Run, tmp_path: Path) -> None:
    with pytest.raises(CounterfeitError, match="counterfeit evaluate"):
        count_classes(small_run)
    shutil.copytree(small_run.path, tmp_path / "run")
    run = Run(tmp_path / "run")
    for epoch, share in ((3, 0.9), (2, 0.5)):
        rest = (1 - share) / 9
        values = {f"share_{c}_digits-v1-ab_10k": [rest, 0.01] for c in range(1, 10)}
        values = {"share_0_digits-v1-ab_10k": [share, 0.02]} | values
        run.append_metrics({"step": 11 * epoch, "epoch": epoch, "metrics": values})
    shares = count_classes(run)
    assert shares.generated[0] == 0.9
    assert shares.errors[0] == 0.02
    assert shares.real.sum() == pytest.approx(1)
    assert (shares.counted, shares.reader) == ("epoch 3, 10,000 samples", "digits-v1-ab")
    data_bars, generated_bars = class_bars(shares).axes[0].containers[:2]
    assert [bar.get_height() for bar in data_bars] == list(shares.real)
    assert [bar.get_height() for bar in generated_bars] == list(shares.generated)


def test_classes_are_those_of_the_labels_whatever_their_values(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = replace(small_run.load_data(), classes=())
    odd = replace(digits, labels=torch.where(torch.arange(len(digits)) % 4 == 0, 7, 3))
    monkeypatch.setattr(Run, "load_data", lambda run, split="train": odd)
    run = Run(shutil.copytree(small_run.path, tmp_path / "run"))
    values = {"share_3_digits-v1-ab_1k": [0.6, 0.1], "share_7_digits-v1-ab_1k": [0.4, 0.1]}
    run.append_metrics({"step": 33, "epoch": 3, "metrics": values})
    shares = count_classes(run)
    assert list(shares.classes) == ["3", "7"]
    np.testing.assert_allclose(shares.real, [0.75, 0.25], atol=0.01)
    assert list(shares.generated) == [0.6, 0.4]


def test_where_no_class_is_found_no_bar_says_otherwise(small_run: Run, tmp_path: Path) -> None:
    run = Run(shutil.copytree(small_run.path, tmp_path / "run"))
    values = {f"share_{c}_digits-v1-01234567_1k": [float(c == 3), 0.0] for c in range(10)}
    values["classes_found_digits-v1-01234567_1k"] = [0.0, 0.0]
    run.append_metrics({"step": 33, "epoch": 3, "metrics": values})
    axes = class_bars(count_classes(run)).axes[0]
    assert [text.get_text() for text in axes.texts] == [NOTHING_FOUND]
    assert [bars.get_label() for bars in axes.containers] == ["data"]
    assert axes.get_xlabel() == "class, as read by the Digits classifier"


def test_classes_found_that_could_not_be_computed_hide_no_bar(
    small_run: Run, tmp_path: Path
) -> None:
    run = Run(shutil.copytree(small_run.path, tmp_path / "run"))
    values = {f"share_{c}_digits-v1-01234567_1k": [0.1, 0.0] for c in range(10)}
    values["classes_found_digits-v1-01234567_1k"] = [None, None]  # type: ignore[list-item]
    run.append_metrics({"step": 33, "epoch": 3, "metrics": values})
    axes = class_bars(count_classes(run)).axes[0]
    assert len(axes.containers) > 1


@pytest.mark.parametrize(
    "classes",
    [
        tuple("0123456789"),
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        emnist.CLASSES["balanced"],
        emnist.CLASSES["byclass"],
        tuple(f"thing {number}" for number in range(100)),
    ],
    ids=len,
)
def test_names_of_classes_do_not_overlap(classes: tuple[str, ...]) -> None:
    even = np.full(len(classes), 1 / len(classes))
    figure = class_bars(ClassShares(even, 0 * even, even, classes, "", "digits-v1-ab", 1))
    figure.canvas.draw()
    (axes,) = figure.axes
    labels = [label for label in axes.get_xticklabels() if label.get_text()]
    every = math.ceil(len(classes) / len(labels))
    assert [label.get_text() for label in labels] == list(classes)[::every]
    height = labels[0].get_fontsize() / 72 * figure.dpi
    places = [axes.transData.transform((label.get_position()[0], 0))[0] for label in labels]
    for (place, label), (after, _) in pairwise(zip(places, labels, strict=True)):
        aslant = label.get_rotation() > 0
        lines = 0.75 * height / np.sin(np.pi / 3)  # a quarter of the height is between lines
        assert after - place > (lines if aslant else label.get_window_extent().width)
