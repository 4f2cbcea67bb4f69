"""What the tables of tricks say."""

import math
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from outcomes import results_of
from rich.cells import cell_len

from counterfeit.errors import UsageError
from counterfeit.language import speaking
from counterfeit.measure.names import MetricName
from counterfeit.study.statistics import Estimate
from counterfeit.tricks import words
from counterfeit.tricks.catalogue import catalogue
from counterfeit.tricks.judge import NOTHING, effects
from counterfeit.tricks.record import Effect, Judged

STAGE_3, DCGAN = catalogue().bases
OWN = STAGE_3.recipe

GOOD = [41.0, 39.0, 44.0, 40.0, 42.5]
BAD = [401.0, 395.0, 420.0, 399.0, 390.0]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Judged:
    """Stage 3's study has ended, but for most tricks; dcgan's was never begun."""
    found = effects(
        STAGE_3, results_of({OWN: GOOD, "no-batchnorm-g": BAD, "hinge": BAD, "tanh": GOOD[::-1]})
    )
    found["replay"] = Effect(
        "unsure", Estimate(9.99, 4.05, 37.1), 0.5, Estimate(-0.1, -0.25, 0.05), NOTHING, 5, 5
    )
    found["soft-fakes"] = Effect(
        "unsure", Estimate(99.9, 0.0036, 2800), 1, Estimate(-0.1, -0.25, 0.05), NOTHING, 4, 5
    )
    judged = Judged(
        epochs=4,
        metric="fid_mnist-v1-0123abcd_test_2k",
        protocol=MetricName.parse("fid_mnist-v1-0123abcd_test_2k").protocol_parts,
        fid=Estimate(41.3, 39.0, 44.0),
        coverage=Estimate(0.08, 0.07, 0.09),
        seeds=5,
        torch="2",
        processor="x",
        effects=found,
    )
    monkeypatch.setattr(words, "kept", {STAGE_3.study: judged}.get)
    return judged


def test_what_helps_comes_first_with_its_switch_below(measured: Judged) -> None:
    text = words.terminal_text([STAGE_3], 80)
    assert text.index("\nbetter:") < text.index("\nworse:") < text.index("\ncan't tell:")
    assert text.index("\ncan't tell:") < text.index("\nnot measured:")
    own = text[text.index("\nbetter:") : text.index("\nworse:")]
    assert re.search(r"BatchNorm in G +0\.10 \[0\.\d\d, 0\.\d\d\]", own)
    assert "is in it, and gone with --set generator.batch_norm=false" in own
    assert re.search(r"Hinge loss +9\.\d\d \[", text[text.index("\nworse:") :])
    assert "4 epochs, 5 seeds: FID 41.3, coverage 0.080" in text
    assert "Failures tracked early (ganhacks 10): `counterfeit diagnose RUN`" in text


def test_numbers_are_told_as_far_as_they_are_known() -> None:
    effect = Effect(
        "unsure",
        Estimate(12.34, 9.876, 150.4),
        0.5,
        Estimate(-0.0312, -0.0001, 0.5),
        Estimate(1.0, 1.0, 1.0),
        2,
        5,
    )
    assert words.cells(effect) == ["12.3 [9.88, 150]", "-.031 [+.000, +.500]", "2", "1.00"]
    few = replace(effect, fid=Estimate(0.5, math.nan, math.nan), coverage=NOTHING, seconds=NOTHING)
    assert words.cells(replace(few, failed=0)) == ["0.50", "–", "–", "–"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_rows_fit_80_columns(measured: Judged, language) -> None:
    with speaking(language):
        text = words.terminal_text([STAGE_3, DCGAN], 80)
    for line in text.splitlines():
        assert cell_len(line) <= 80, line


def test_what_was_not_measured_says_so(measured: Judged) -> None:
    text = words.terminal_text([DCGAN], None)
    assert text.startswith("dcgan: its tricks are not measured yet.\n\nnot measured:\n")
    table = words.markdown(DCGAN, None).splitlines()[2:]
    assert len(table) == 2 + len(catalogue().of(DCGAN))
    assert all("| not measured |  |  |  |  |" in line for line in table[2:])


def test_markdown_is_a_table(measured: Judged) -> None:
    *_, table = words.markdown(STAGE_3, measured).split("\n\n")
    lines = table.splitlines()
    assert {line.count(" | ") for line in lines} == {6}
    assert re.match(
        r"\| BatchNorm in G \(ganhacks 4.*\) \| better \| 0\.10 \[.*\] \| – \| – \| 1\.00 \|",
        lines[2],
    )
    assert "| is in it, and gone with `--set generator.batch_norm=false` |" in lines[2]
    assert "Made with torch 2 on x." in words.markdown(STAGE_3, measured)


def test_they_are_shown_without_what_trains() -> None:
    code = "import sys, counterfeit.tricks.words; print({'torch', 'scipy'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_only_a_base_has_tricks() -> None:
    assert words.bases_of(None) == catalogue().bases
    assert words.bases_of("dcgan") == [DCGAN]
    with pytest.raises(UsageError, match="judged on batchnorm-smoothing and dcgan, not on sgd"):
        words.bases_of("sgd")
