"""Ring and grid: what of a recipe is played there, and what is counted."""

import math
from pathlib import Path

import pytest
import torch

from counterfeit import recipe
from counterfeit.errors import UsageError
from counterfeit.trials.folder import Folder
from counterfeit.trials.points import HIDDEN, METRICS, SAMPLES, PointsTrial, suited
from counterfeit.trials.trial import DIVERGED

SMALL: dict[str, object] = {
    "training.epochs": 1,
    "training.batch_size": 8,
    "generator.hidden": [8],
    "discriminator.hidden": [8],
}


def trial(name: str = "ring", base: str = "ragan", **values: object) -> PointsTrial:
    spec = suited(recipe.load(base), name).with_values(SMALL | values)
    return PointsTrial(name, spec)


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_a_generator_that_is_the_mixture_finds_all_modes(name: str, modes: int) -> None:
    """And its share of high quality is that of a round Gaussian within 3 standard deviations."""
    played = trial(name)
    own = played.mixture.sample(SAMPLES, torch.Generator().manual_seed(1))
    result = played.result(0, own, 1.0)
    share = -math.expm1(-4.5)
    error = math.sqrt(share * (1 - share) / SAMPLES)
    assert result.scores["modes_found"] == modes == played.modes
    assert result.scores["high_quality"] == pytest.approx(share, abs=4 * error)
    assert result.why is None


def test_one_that_collapses_finds_one_mode_in_high_quality() -> None:
    played = trial()
    one = played.mixture.centres[5].expand(SAMPLES, 2)
    assert played.result(0, one, 1.0).scores == {"modes_found": 1, "high_quality": 1}


def test_one_that_diverges_finds_nothing_and_is_said_to_have_failed() -> None:
    result = trial().result(0, torch.full((SAMPLES, 2), torch.nan), 1.0)
    assert result.scores == dict.fromkeys(METRICS, 0)
    assert result.why == DIVERGED


def test_a_game_that_diverges_ends_early(tmp_path: Path) -> None:
    values = {"training.epochs": 9, "loss.name": "wasserstein"} | {
        f"{player}.optimizer.lr": 1e30 for player in ("generator", "discriminator")
    }
    done: list[float] = []
    result = trial(**values).perform(0, Folder(tmp_path), done.append)
    assert result.why == DIVERGED
    assert len(done) == 1


@pytest.mark.parametrize("name", recipe.names())
def test_every_recipe_can_be_tried(name: str, tmp_path: Path) -> None:
    played = trial("grid", name)
    done: list[float] = []
    result = played.perform(3, Folder(tmp_path), done.append)
    assert result.scores.keys() == set(METRICS)
    assert done == [1.0]
    assert Folder(tmp_path).samples(3).shape == (SAMPLES, 2)


def test_the_same_seed_makes_the_same_points(tmp_path: Path) -> None:
    played, folder = trial(), Folder(tmp_path)
    for seed in (0, 1):
        played.perform(seed, folder, lambda share: None)
    before = folder.samples(0)
    played.perform(0, folder, lambda share: None)
    assert (folder.samples(0) == before).all()
    assert (folder.samples(1) != before).any()


def test_the_recipes_game_is_played_between_the_trials_networks() -> None:
    asked = recipe.load("hinge-sn")
    spec = suited(asked, "ring")
    assert (spec.loss, spec.constraints) == (asked.loss, asked.constraints)
    assert spec.generator.trained_with == asked.generator.trained_with
    assert spec.training.batch_size == asked.training.batch_size
    assert spec.generator.name == spec.discriminator.name == "mlp"
    assert spec.generator.hidden == HIDDEN
    assert spec.discriminator.norm == "spectral"


def test_what_means_nothing_on_points_is_left_out() -> None:
    assert suited(recipe.load("acgan"), "ring").condition is None
    spec = suited(recipe.load("small-data"), "ring")
    assert spec.inputs.augment == ()
    consistent = recipe.load("dcgan").with_values({"penalties.consistency.weight": 1.0})
    assert suited(consistent, "ring").penalties.consistency is None


def test_code_of_the_users_own_is_refused() -> None:
    custom = recipe.load("ragan").with_values(
        {"loss.name": "custom", "loss.outputs": "logits", "loss.label": "mine"}
    )
    with pytest.raises(UsageError, match="code of your own"):
        suited(custom, "ring")
