"""An engine is held to the plain step: after construction, after every load, whatever is loaded.

The kind of fault: an engine that keeps copies of state, or runs what it does not know.
"""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from counterfeit import networks, recipe
from counterfeit.data import ImageData
from counterfeit.game import optimizers
from counterfeit.game.engines.plain import PlainEngine
from counterfeit.game.game import Game
from counterfeit.game.inputs import Batch, Pool
from counterfeit.training import loop
from small_networks import PERCEPTRONS, shrunk

SHAPE = (1, 8, 8)
SMALL = ["training.batch_size=8", "latent.dim=5"]
CPU = torch.device("cpu")


def spec_of(name: str, *overrides: str) -> recipe.Recipe:
    return recipe.load(name).with_overrides([*shrunk(name), *SMALL, *overrides])


def game_of(spec: recipe.Recipe, seed: int) -> Game:
    """The recipe's game, which knows its recipe here."""
    game = Game.from_recipe(spec, torch.full(SHAPE, 0.4), seed=seed, device=CPU)
    game.recipe = spec
    return game


def batch(spec: recipe.Recipe, number: int) -> list[Batch]:
    rng = torch.Generator().manual_seed(number)
    k = spec.training.discriminator_steps
    return [Batch(images) for images in torch.rand(k, 8, *SHAPE, generator=rng)]


def plain_twin(game: Game) -> Game:
    """A copy of the game, moved by the plain step."""
    twin = game_of(game.recipe, game.seed)
    twin.load({name: tensor.clone() for name, tensor in game.tensors().items()})
    twin.engine = PlainEngine(
        twin.generator, twin.discriminator, twin.rules, bf16=False, rng=twin.rng
    )
    return twin


def assert_it_is_the_plain_step(game: Game, step: int) -> None:
    """One update of the game equals one of its plain twin, to float32's rounding.

    Gradients are compared: Adam would scale the rounding of a gradient that is zero up to a step.
    """
    twin = plain_twin(game)
    reals = batch(game.recipe, step)
    mine, plain = (each.update(step, 1, reals) for each in (game, twin))
    for name in ("discriminator_loss", "generator_loss", "real_logits", "fake_logits"):
        torch.testing.assert_close(getattr(mine, name), getattr(plain, name), rtol=1e-4, atol=1e-5)
    for name in ("discriminator_gradients", "generator_gradients"):
        for one, other in zip(getattr(mine, name), getattr(plain, name), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@given(
    name=st.sampled_from(PERCEPTRONS),
    seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    trained=st.booleans(),
    before=st.integers(0, 2),
)
@settings(max_examples=40)
def test_after_a_load_it_trains_what_was_loaded(
    name: str, seeds: tuple[int, int], trained: bool, before: int
) -> None:
    """A fork or a resume: a game of one seed is given the state of another."""
    spec = spec_of(name, f"discriminator.train_shared_maxout={str(trained).lower()}")
    first, second = (game_of(spec, seed) for seed in seeds)
    assert_it_is_the_plain_step(game_of(spec, seeds[0]), 0)
    for step in range(before):
        first.update(step, 0, batch(spec, step))
        second.update(step, 0, batch(spec, step + 7))
    second.load({key: tensor.clone() for key, tensor in first.tensors().items()})
    assert_it_is_the_plain_step(second, before)


@pytest.mark.parametrize("name", PERCEPTRONS)
def test_gradients_that_others_replaced_are_not_the_old_ones(name: str) -> None:
    game = game_of(spec_of(name), 0)
    game.update(0, 0, batch(game.recipe, 0))
    for player in (game.generator, game.discriminator):
        player.optimizer.zero_grad(set_to_none=True)
    assert_it_is_the_plain_step(game, 1)
    for player in (game.generator, game.discriminator):
        for parameter in player.parameters:
            parameter.grad = torch.ones_like(parameter)
    assert_it_is_the_plain_step(game, 2)


class Residual(nn.Module):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.inner = nn.Linear(units, units)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x).relu()


class Halved(networks.MLPGenerator):
    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z) / 2


def hooked(network: nn.Module) -> None:
    network.hidden[0].register_forward_hook(lambda module, inputs, output: output * 0.5)


def with_skip(network: nn.Module) -> None:
    network.hidden.append(Residual(network.output.in_features))


def subclassed(network: nn.Module) -> None:
    network.__class__ = Halved


def parametrised(network: nn.Module) -> None:
    nn.utils.parametrizations.spectral_norm(network.output)


def evaluating(network: nn.Module) -> None:
    network.eval()


CHANGES = {
    "a residual block": (with_skip, "both"),
    "a hook": (hooked, "both"),
    "a subclass": (subclassed, "generator"),
    "a parametrisation": (parametrised, "discriminator"),
    "evaluation mode": (evaluating, "both"),
}


@pytest.mark.parametrize("name", ["batchnorm-smoothing", "paper"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_an_engine_does_not_know_it_leaves_to_the_plain_step(
    change: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter, where = CHANGES[change]
    build = networks.build_pair

    def altered(*arguments, **settings):
        pair = build(*arguments, **settings)
        for player, network in zip(("generator", "discriminator"), pair, strict=True):
            if where in ("both", player):
                alter(network)
        return pair

    monkeypatch.setattr(networks, "build_pair", altered)
    game = game_of(spec_of(name), 3)
    assert_it_is_the_plain_step(game, 0)


def test_optimisers_that_it_does_not_know_are_left_to_the_plain_step(monkeypatch) -> None:
    monkeypatch.setattr(
        optimizers,
        "build",
        lambda network, spec, **_: torch.optim.SGD(
            [p for p in network.parameters() if p.requires_grad], lr=0.1, weight_decay=0.5
        ),
    )
    game = game_of(spec_of("sgd"), 3)
    twin = plain_twin(game)
    for each in (game, twin):
        each.update(0, 0, batch(game.recipe, 0))
    for name, tensor in game.tensors().items():
        torch.testing.assert_close(tensor, twin.tensors()[name])


def test_threads_that_build_at_once_get_the_weights_of_their_seeds() -> None:
    """The kind: state that all threads share, such as torch's global generator."""
    spec = recipe.load("sgd").with_overrides(["generator.hidden=[64, 64]"])
    alone = [game_of(spec, seed).tensors() for seed in range(6)]
    together: dict[int, dict[str, Tensor]] = {}
    barrier = threading.Barrier(6)

    def build(seed: int) -> None:
        barrier.wait()
        for _ in range(3):
            together[seed] = game_of(spec, seed).tensors()

    threads = [threading.Thread(target=build, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, expected in enumerate(alone):
        for name, tensor in expected.items():
            assert torch.equal(tensor, together[seed][name]), (seed, name)


def test_threads_that_train_at_once_get_the_runs_of_their_seeds(tmp_path, tiny) -> None:

    def train(seed: int, folder: str) -> dict[str, Tensor]:
        run = loop.train(tiny, epochs=1, seed=seed, out=tmp_path / f"{folder}-{seed}")
        return dict(run.checkpoint().tensors)

    before = torch.random.get_rng_state()
    alone = [train(seed, "alone") for seed in range(3)]
    assert torch.equal(torch.random.get_rng_state(), before)
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda seed: train(seed, "together"), range(3)))
    for one, other in zip(alone, together, strict=True):
        for name, tensor in one.items():
            assert torch.equal(tensor, other[name]), name


def test_looking_at_the_generator_after_an_epoch_changes_nothing(tmp_path, tiny) -> None:

    def look(run, epoch: int, generator: nn.Module) -> None:
        z = torch.randn(50, tiny.latent.dim)
        generator.train()(z).mean().backward()
        with torch.no_grad():
            for tensor in generator.state_dict().values():
                tensor.zero_()

    plain = loop.train(tiny, out=tmp_path / "plain")
    looked = loop.train(tiny, out=tmp_path / "looked", on_epoch=[look])
    ours, theirs = (run.checkpoint().tensors for run in (plain, looked))
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name
    assert (plain.snapshot(2) == looked.snapshot(2)).all()


def test_a_generator_is_handed_over_as_it_samples(tmp_path, tiny) -> None:

    modes: list[bool] = []
    loop.train(tiny, out=tmp_path, on_epoch=[lambda run, epoch, G: modes.append(G.training)])
    assert modes == [False, False]


@pytest.mark.parametrize("name", ["batchnorm-smoothing", "paper"])
def test_in_bf16_pixels_logits_and_losses_stay_float32_everywhere(name: str) -> None:
    """As the recipe says of `precision`; off the CPU, autocast once made them bfloat16."""
    spec = spec_of(name)
    game = game_of(spec, 0)
    game.engine = PlainEngine(
        game.generator, game.discriminator, game.rules, bf16=True, rng=game.rng
    )
    outcome = game.update(0, 0, batch(spec, 0))
    for name in ("discriminator_loss", "generator_loss", "real_logits", "fake_logits"):
        assert getattr(outcome, name).dtype == torch.float32, name
    with torch.autocast("cpu", torch.bfloat16):
        images = game.G(torch.randn(4, spec.latent.dim))
        assert images.dtype == torch.float32
        assert game.D(images).dtype == torch.float32
    copied = copy.deepcopy(game.D).double()
    assert copied(images.double()).dtype == torch.float64


@pytest.mark.parametrize("labelled", [True, False])
def test_labels_travel_with_their_images(labelled: bool) -> None:
    images = torch.arange(12, dtype=torch.uint8).view(12, 1, 1, 1)
    data = ImageData("numbers", "train", images, torch.arange(12) if labelled else None)
    pool = Pool.of(data, (-1.0, 1.0), CPU)
    chosen = torch.tensor([7, 1, 4, 11, 0, 2])
    first, second = pool.batches(chosen, 2)
    for part, expected in ((first, [7, 1, 4]), (second, [11, 0, 2])):
        assert part.images.flatten().tolist() == pytest.approx(
            [2 * value / 255 - 1 for value in expected]
        )
        assert (part.labels.tolist() if labelled else part.labels) == (
            expected if labelled else None
        )
