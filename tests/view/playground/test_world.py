"""A world of points: the project's own game on it, and what is to be seen of that."""

import math
from dataclasses import astuple

import pytest
import torch
from torch import Tensor

from counterfeit.data import points
from counterfeit.game.inputs import POINTS_EPOCH as EPOCH
from counterfeit.game.losses import LOSSES
from counterfeit.game.penalties import PENALTIES
from counterfeit.view.playground.setup import recipe_for
from counterfeit.view.playground.world import PLACES, SHOWN, Look, World

FEW = {"training.batch_size": 32}


def world(name: str, values: dict[str, object] | None = None, seed: int = 0) -> World:
    mixture = points.by_name(name)
    return World(mixture, recipe_for(mixture, FEW | (values or {})), seed)


def tensors(look: Look) -> list[Tensor]:
    return [each for each in astuple(look) if isinstance(each, Tensor)]


@pytest.mark.parametrize(("name", "dim"), [("two", 1), ("ring", 2)])
def test_a_look_has_its_shapes_and_a_density_sums_to_one(name: str, dim: int) -> None:
    look = world(name).look()
    places = (PLACES[dim],) * dim
    assert look.real.shape == look.fake.shape == look.arrows.shape == (SHOWN, dim)
    assert look.p_data.shape == look.p_g.shape == look.said.shape == places
    assert look.optimal is not None
    assert look.optimal.shape == places
    assert (look.lines is not None) == (dim == 1)
    area = float(look.axis[1] - look.axis[0]) ** dim
    assert float(look.p_data.sum()) * area == pytest.approx(1, abs=1e-3)
    assert float(look.p_g.sum()) * area == pytest.approx(1, abs=1e-3)


def test_rows_of_a_field_are_y_and_columns_x() -> None:
    """Of a point on the right the mass lies on the right."""
    right = points.mixture("right", [[1.5, -0.5]], 0.3, 2)
    look = World(right, recipe_for(right)).look()
    y, x = divmod(int(look.p_data.argmax()), len(look.axis))
    assert float(look.axis[x]) == pytest.approx(1.5, abs=0.05)
    assert float(look.axis[y]) == pytest.approx(-0.5, abs=0.05)


def test_p_g_lies_where_gs_points_do() -> None:
    for name in ("two", "ring"):
        look = world(name).look()
        step = float(look.axis[1] - look.axis[0])
        columns = ((look.fake - look.axis[0]) / step).round().long()  # (n, D) as x, y
        at_points = look.p_g[tuple(columns.flip(1).T)]
        assert float(at_points.mean()) > 3 * float(look.p_g.mean())


def test_the_same_seed_is_the_same_world_to_the_bit_however_it_is_stepped() -> None:
    at_once, in_parts, other = world("ring"), world("ring"), world("ring", seed=1)
    at_once.step(EPOCH + 10)
    for part in (1, EPOCH, 9):
        in_parts.step(part)
        in_parts.look()
        in_parts.findings()
    other.step(EPOCH + 10)
    assert at_once.updates == in_parts.updates == EPOCH + 10
    for one, same in zip(tensors(at_once.look()), tensors(in_parts.look()), strict=True):
        assert torch.equal(one.nan_to_num(7), same.nan_to_num(7))
    assert list(at_once.signs.vitals) == list(in_parts.signs.vitals)
    assert not torch.equal(at_once.look().fake, other.look().fake)


def test_a_discriminator_trained_to_its_optimum_is_d_star() -> None:
    """Proposition 1 of the paper, against a generator that stands all but still."""
    values = {
        "generator.optimizer.lr": 1e-12,
        "discriminator.optimizer.lr": 5e-3,
        "training.batch_size": 512,
    }
    played = world("gaussian", values)
    before = gap(played.look())
    played.step(400)
    assert gap(played.look()) < min(0.05, before / 5)


def gap(look: Look) -> float:
    """The mean of |D - D*| over real and generated points."""
    assert look.optimal is not None
    mass = look.p_data + look.p_g
    there = look.optimal.isfinite()
    return float(((look.said - look.optimal).abs() * mass)[there].sum() / mass[there].sum())


def test_arrows_point_to_where_d_finds_points_more_real() -> None:
    """G's points lie about 0, the data at 1: the best D pushes to the right."""
    played = world("gaussian", {"generator.optimizer.lr": 1e-12})
    played.step(200)
    look = played.look()
    left = look.fake[:, 0] < 0.5
    assert left.sum() > 20
    assert float((look.arrows[left, 0] > 0).double().mean()) > 0.95


@pytest.mark.parametrize("name", ["non-saturating", "minimax"])
def test_arrows_are_the_slope_of_the_loss(name: str) -> None:
    """On a line, by finite differences of D: -dL/dx for each point."""
    played = world("gaussian", {"loss.name": name})
    played.step(50)
    look = played.look()
    half, probability = 4.0, look.said
    loss = -probability.log() if name == "non-saturating" else (1 - probability).log()
    step = float(look.axis[1] - look.axis[0])
    slope = half * (loss[1:] - loss[:-1]) / step  # by the point in [-1, 1]
    at = ((look.fake[:, 0] - look.axis[0]) / step).long()
    assert torch.allclose(-slope[at], look.arrows[:, 0].double(), atol=0.05)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_can_be_played_and_seen(loss: str) -> None:
    for name in ("two", "ring"):
        played = world(name, {"loss.name": loss})
        played.step(3)
        look = played.look()
        assert look.said.isfinite().all()
        assert look.arrows.isfinite().all()
        assert look.probabilistic == (loss in ("non-saturating", "minimax"))
        assert (look.optimal is None) == (loss == "wasserstein" and name == "ring")


@pytest.mark.parametrize("penalty", PENALTIES)
def test_every_penalty_can_be_played(penalty: str) -> None:
    for name in ("two", "ring"):
        played = world(name, {f"penalties.{penalty}.weight": 1.0})
        played.step(EPOCH)
        assert played.signs.log[-1][f"penalty_{penalty}"] >= 0
        assert played.look().arrows.isfinite().all()


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_every_optimizer_can_be_played(optimizer: str) -> None:
    values = {f"{player}.optimizer.name": optimizer for player in ("generator", "discriminator")}
    played = world("ring", values | {"training.discriminator_steps": 2})
    before = played.look().fake
    played.step(5)
    assert not torch.equal(played.look().fake, before)


def test_a_sketch_can_be_played() -> None:
    for dabs in ([[0.1], [0.2]], [[0.1, 0.5], [-0.2, 0.3]]):
        drawn = points.sketch(dabs)
        played = World(drawn, recipe_for(drawn, FEW))
        played.step(EPOCH)
        assert played.look().coverage == {}
        assert "classes" not in played.signs.vitals[-1]


def test_a_world_that_diverges_says_so_and_stands_still() -> None:
    sgd = {"discriminator.optimizer.name": "sgd", "discriminator.optimizer.lr": 1e20}
    played = world("two", {"loss.name": "wasserstein", **sgd})
    played.step(2 * EPOCH)
    assert played.updates == EPOCH
    assert played.findings()[0].name == "non-finite"
    played.look()


def test_signs_mean_what_they_mean_of_images() -> None:
    """A generator of the data's own points is as varied as they are, and at no distance."""
    played = world("two")
    played.signs._made = lambda: played.mixture.to_images(  # type: ignore[method-assign]
        played.mixture.sample(100, torch.Generator().manual_seed(3))
    )
    played.step(EPOCH)
    row = played.signs.vitals[-1]
    assert row["spread"] == pytest.approx(1, abs=0.1)
    assert row["distance"] == pytest.approx(0, abs=0.05)


def test_a_collapsed_generator_is_diagnosed_in_the_words_of_runs() -> None:
    played = world("ring")
    one = torch.tensor([[[[0.5, 0.0]]]])
    begin = played.signs._made()
    played.signs._made = lambda: (  # type: ignore[method-assign]
        one.expand(100, 1, 1, 2) if played.updates > EPOCH else begin
    )
    played.step(5 * EPOCH)
    found = {each.name: each for each in played.findings()}
    assert found["mode-collapse"].severity == "critical"
    assert "Helvetica" in found["mode-collapse"].meaning
    assert math.isclose(found["mode-collapse"].evidence["spread"], 0, abs_tol=1e-6)
