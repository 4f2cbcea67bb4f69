"""A trial's seeds are trained once each, and its folder says what they came to."""

import csv
import json
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.recipe import Recipe
from counterfeit.trials import words
from counterfeit.trials.conduct import bring
from counterfeit.trials.folder import Folder, means
from counterfeit.trials.trial import DIVERGED, OnProgress, Result


class Quick:
    """A trial of four modes, of which seed n finds n, and seed 3 fails."""

    name = "quick"
    modes = 4
    device = torch.device("cpu")

    def __init__(self, spec: Recipe) -> None:
        self.spec = spec
        self.performed: list[int] = []

    @property
    def protocol(self) -> dict[str, int]:
        return {"modes": self.modes}

    def perform(self, seed: int, folder: Folder, on_progress: OnProgress) -> Result:
        self.performed.append(seed)
        on_progress(1.0)
        if seed == 3:
            return Result(seed, {"modes_found": 0.0, "high_quality": 0.0}, 2.0, DIVERGED)
        return Result(seed, {"modes_found": float(seed), "high_quality": 0.5}, 2.0)

    def picture(self, folder: Folder, results: object) -> Figure:
        return Figure()

    def notes(self) -> list[str]:
        return ["It is quick."]


@pytest.fixture
def quick() -> Quick:
    return Quick(recipe.load("sgd"))


def test_what_is_there_is_not_trained_again(quick: Quick, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "deep" / "quick-sgd")
    bring(quick, folder, 2)
    results = bring(quick, folder, 4)
    assert quick.performed == [0, 1, 2, 3]
    assert [each.seed for each in results] == [0, 1, 2, 3]
    assert bring(quick, folder, 1) == results
    assert quick.performed == [0, 1, 2, 3]


def test_a_trial_that_is_killed_keeps_the_seeds_that_ended(quick: Quick, tmp_path: Path) -> None:
    class Killed(Quick):
        def perform(self, seed: int, folder: Folder, on_progress: OnProgress) -> Result:
            if seed == 1:
                raise KeyboardInterrupt
            return super().perform(seed, folder, on_progress)

    with pytest.raises(KeyboardInterrupt):
        bring(Killed(quick.spec), Folder(tmp_path), 3)
    bring(quick, Folder(tmp_path), 3)
    assert quick.performed == [1, 2]


def test_its_files_say_what_each_seed_came_to(quick: Quick, tmp_path: Path) -> None:
    bring(quick, Folder(tmp_path), 4)
    document = json.loads((tmp_path / "trial.json").read_text())
    assert document["trial"] == "quick"
    assert document["protocol"] == {"modes": 4}
    assert "torch" in document["environment"]
    assert [each["scores"]["modes_found"] for each in document["seeds"]] == [0, 1, 2, 0]
    assert document["means"]["modes_found"]["value"] == 0.75
    rows = list(csv.DictReader((tmp_path / "trial.csv").open()))
    assert [row["modes_found"] for row in rows] == ["0.0", "1.0", "2.0", "0.0"]
    assert rows[3]["why"] == DIVERGED
    assert recipe.load(tmp_path / "recipe.toml") == quick.spec
    assert (tmp_path / "samples.png").stat().st_size > 0


def test_a_mean_has_its_interval_where_seeds_suffice(quick: Quick, tmp_path: Path) -> None:
    few = means([Result(seed, {"modes_found": 8.0}, 1.0) for seed in range(2)])
    assert few["modes_found"].value == 8
    assert few["modes_found"].low != few["modes_found"].low  # NaN
    many = means([Result(seed, {"modes_found": float(seed)}, 1.0) for seed in range(5)])
    # Student's quantile for 4 degrees of freedom, 2.776, times sqrt(2.5 / 5).
    assert many["modes_found"].high == pytest.approx(2 + 2.7764 * 0.5**0.5, abs=1e-3)
    bring(quick, Folder(tmp_path), 1)
    assert json.loads((tmp_path / "trial.json").read_text())["means"]["modes_found"]["low"] is None


def test_a_table_shows_seeds_means_and_failures(quick: Quick, tmp_path: Path) -> None:
    said = words.text(quick, bring(quick, Folder(tmp_path), 5)).splitlines()
    assert said[0].split() == ["seed", "modes", "high", "quality", "seconds"]
    assert said[2].split()[:5] == ["1", "1", "of", "4", "0.500"]
    assert said[5].split()[:3] == ["4", "4", "0.500"]
    assert said[6].startswith("mean [95 %]  1.4 [")
    assert f"seed 3: 0 of 4 modes, high quality 0.000. {DIVERGED}" in said
    assert said[-1] == "It is quick."


def test_another_recipe_needs_another_folder(quick: Quick, tmp_path: Path) -> None:
    bring(quick, Folder(tmp_path), 1)
    other = Quick(quick.spec.with_values({"training.epochs": 7, "latent.dim": 3}))
    with pytest.raises(UsageError, match=r"latent\.dim: 100 -> 3; training\.epochs: \d+ -> 7"):
        bring(other, Folder(tmp_path), 2)
    assert other.performed == []


def test_damaged_results_are_named(quick: Quick, tmp_path: Path) -> None:
    bring(quick, Folder(tmp_path), 1)
    for content in ("{", "[]", '{"seeds": [{"seed": 0}]}'):
        (tmp_path / "trial.json").write_text(content)
        with pytest.raises(CounterfeitError, match=r"trial\.json is damaged"):
            bring(quick, Folder(tmp_path), 1)


def test_two_commands_do_not_share_a_folder(quick: Quick, tmp_path: Path) -> None:
    with (
        Folder(tmp_path).open(quick.spec),
        pytest.raises(CounterfeitError, match="another command is at"),
        Folder(tmp_path).open(quick.spec),
    ):
        pass
