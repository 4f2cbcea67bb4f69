"""The fast step is the plain step: same parameters, batches, latents and dropout, same result."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from counterfeit import networks, recipe
from counterfeit.game import optimizers
from counterfeit.game.engines import products
from counterfeit.game.engines.fast import FastEngine, Perceptron, Unknown
from counterfeit.game.engines.plain import PlainEngine
from counterfeit.game.game import Game
from counterfeit.game.inputs import Batch, draw_latents
from counterfeit.game.losses import LOSSES, from_recipe
from counterfeit.game.step import Outcome, Player, Rules
from counterfeit.seeds import stream
from small_networks import PERCEPTRONS

SHAPE = (1, 12, 12)
BATCH = 32

VARIANTS = {
    **{name: (name, []) for name in PERCEPTRONS},
    "trained lines": ("sgd", ["discriminator.train_shared_maxout=true"]),
    "minimax": ("batchnorm-smoothing", ["loss.name=minimax"]),
    "k = 2": ("batchnorm-smoothing", ["training.discriminator_steps=2"]),
    "fresh latents": ("batchnorm-smoothing", ["training.generator_latents=fresh"]),
    "simultaneous": ("batchnorm-smoothing", ["training.update=simultaneous"]),
    "alternating paper": ("paper", ["training.update=alternating"]),
    "leaky, tanh": (
        "batchnorm-smoothing",
        [
            "generator.activation=leaky-relu",
            "discriminator.activation=leaky-relu",
            "generator.output=tanh",
        ],
    ),
    "one hidden layer": ("sgd", ["generator.hidden=[8]", "discriminator.hidden=[9]",
                                 "discriminator.dropout=0.25"]),
}  # fmt: skip
EVERY_LOSS = {
    f"{loss}, {update}": ("sgd", [f"loss.name={loss}", f"training.update={update}"])
    for loss in LOSSES
    for update in ("alternating", "simultaneous")
}


def players(spec: recipe.Recipe, dtype: torch.dtype) -> tuple[Player, Player]:
    if spec.discriminator.init_range is not None:  # the paper's D starts too small to tell errors
        spec = spec.with_overrides(["discriminator.init_range=0.05"])
    G = networks.build_generator(spec.generator, spec.latent.dim, SHAPE, seed=1).to(dtype)
    D = networks.build_discriminator(spec.discriminator, SHAPE, seed=1).to(dtype)
    return (
        Player(G, optimizers.build(G, spec.generator.optimizer), spec.generator.optimizer),
        Player(D, optimizers.build(D, spec.discriminator.optimizer), spec.discriminator.optimizer),
    )


def updates(
    spec: recipe.Recipe,
    pair: tuple[Player, Player],
    quick: bool,
    products: torch.dtype = torch.float32,
):
    """A function from an update's number to its outcome, by the fast step or the plain one."""
    dtype = pair[0].parameters[0].dtype
    k = spec.training.discriminator_steps
    draws = k + (spec.training.generator_latents == "fresh")
    loss = from_recipe(spec.loss, BATCH, 0, torch.device("cpu"))
    rules = Rules(loss, update=spec.training.update)
    bf16 = products == torch.bfloat16
    if quick:
        engine = FastEngine(*pair, rules, bf16=bf16)
    else:
        engine = PlainEngine(*pair, rules, bf16=bf16, rng=torch.Generator())

    def update(number: int) -> Outcome:
        rng = stream(0, "test", number)
        reals = torch.rand(k, BATCH, *SHAPE, generator=rng).to(dtype)
        z = draw_latents(spec.latent, draws * BATCH, rng).view(draws, BATCH, -1).to(dtype)
        for layer in pair[1].network.modules():
            if isinstance(layer, networks.Dropout):
                layer.rng.manual_seed(number)
        return engine([Batch(real) for real in reals], z, number)

    return update


@pytest.fixture(autouse=True, params=["every product by oneDNN", "small ones plain"])
def small_or_onednn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """These networks' products are all small: without this, oneDNN would compute none of them."""
    if request.param.startswith("every"):
        monkeypatch.setattr(products, "SMALL", 0)


def spec_of(variant: str) -> recipe.Recipe:
    name, overrides = (VARIANTS | EVERY_LOSS)[variant]
    small = ["generator.hidden=[40, 24]", "discriminator.hidden=[30, 20]"]
    return recipe.load(name).with_overrides(small + overrides)


@pytest.mark.parametrize("variant", VARIANTS | EVERY_LOSS)
def test_one_update_agrees_to_float32_rounding(variant: str) -> None:
    spec = spec_of(variant)
    mine = updates(spec, players(spec, torch.float32), quick=True)(0)
    reference = updates(spec, players(spec, torch.float64), quick=False)(0)
    for name in ("discriminator_loss", "generator_loss", "real_logits", "fake_logits"):
        torch.testing.assert_close(
            getattr(mine, name).double(), getattr(reference, name), rtol=1e-5, atol=1e-6
        )
    for name in ("discriminator_gradients", "generator_gradients"):
        expected = getattr(reference, name)
        largest = max(gradient.abs().max().item() for gradient in expected)
        for gradient, other in zip(getattr(mine, name), expected, strict=True):
            torch.testing.assert_close(gradient.double(), other, rtol=1e-4, atol=1e-5 * largest)


def drift(pair: tuple[Player, Player], reference: tuple[Player, Player]) -> float:
    """How far the two networks' answers are from the reference's, in pixels and logits.

    Not the parameters': a bias before BatchNorm has no gradient but rounding, which Adam scales
    up to whole steps, and it changes no answer.
    """
    z = torch.randn(64, 100, generator=torch.Generator().manual_seed(5))
    outputs = []
    for G, D in ((p[0].network.eval(), p[1].network.eval()) for p in (pair, reference)):
        images = G(z.to(G.output.weight.dtype)).double()
        outputs.append((images, D(images.to(D.output.weight.dtype)).double()))
    return max((one - two).abs().max().item() for one, two in zip(*outputs, strict=True))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_hundred_updates_drift_as_plain_float32_does(variant: str) -> None:
    """Rounding grows along a trajectory, whoever rounds: the bound is ten times the drift of the
    plain step in float32 from the plain step in float64, or 1e-4."""
    spec = spec_of(variant)
    quick, plain, exact = (
        players(spec, torch.float32),
        players(spec, torch.float32),
        players(spec, torch.float64),
    )
    moves = [updates(spec, quick, True), updates(spec, plain, False), updates(spec, exact, False)]
    for number in range(100):
        for move in moves:
            move(number)
    assert drift(quick, exact) < max(10 * drift(plain, exact), 1e-4)


def relative_error(gradients: Sequence[Tensor], exact: Sequence[Tensor]) -> float:
    one, other = (torch.cat([g.double().flatten() for g in part]) for part in (gradients, exact))
    return ((one - other).norm() / other.norm()).item()


BF16 = [
    "sgd", "batchnorm-smoothing", "paper", "trained lines", "k = 2", "simultaneous", "leaky, tanh"
]  # fmt: skip


@pytest.mark.parametrize("onednn", [products.ONEDNN, set()], ids=["oneDNN", "without"])
@pytest.mark.parametrize("variant", BF16)
def test_a_bf16_update_is_as_near_as_autocasts(variant: str, onednn, monkeypatch) -> None:
    """bfloat16 keeps 8 bits: losses and logits agree with float64's to 2 %, and gradients are, in
    norm and over four batches, at most three times as far off as the plain step's under autocast.
    """
    monkeypatch.setattr(products, "ONEDNN", onednn)
    spec = spec_of(variant)
    errors = torch.zeros(2, 2)  # of D's and G's gradients; here, and under autocast
    for number in range(4):
        exact = updates(spec, players(spec, torch.float64), False)(number)
        mine, autocast = (
            updates(spec, players(spec, torch.float32), quick, torch.bfloat16)(number)
            for quick in (True, False)
        )
        for name in ("discriminator_loss", "generator_loss", "real_logits", "fake_logits"):
            assert getattr(mine, name).dtype == torch.float32
            torch.testing.assert_close(
                getattr(mine, name).double(), getattr(exact, name), rtol=0.02, atol=0.02
            )
        for row, name in enumerate(("discriminator_gradients", "generator_gradients")):
            for column, outcome in enumerate((mine, autocast)):
                errors[row, column] += relative_error(getattr(outcome, name), getattr(exact, name))
    assert (errors > 1e-3).all()
    assert (errors[:, 0] < 3 * errors[:, 1]).all()


def test_training_in_bf16_goes_on_to_the_bit(tiny: recipe.Recipe) -> None:
    spec = tiny.with_values({"training.precision": "bf16"})
    reals = torch.rand(4, 1, 64, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    def game() -> Game:
        return Game.from_recipe(spec, reals.mean((0, 1, 2)), seed=3, device=torch.device("cpu"))

    whole, first, second = game(), game(), game()
    for step in range(4):
        whole.update(step, 0, [Batch(real) for real in reals[step]])
    for step in range(2):
        first.update(step, 0, [Batch(real) for real in reals[step]])
    second.load({name: tensor.clone() for name, tensor in first.tensors().items()})
    for step in range(2, 4):
        second.update(step, 0, [Batch(real) for real in reals[step]])
    for name, tensor in whole.tensors().items():
        assert tensor.dtype in (torch.float32, torch.int64)
        assert torch.equal(tensor, second.tensors()[name]), name


def test_a_layer_it_does_not_know_is_refused() -> None:
    network = networks.MLPGenerator(2, [3], (1, 2, 2))
    network.hidden.append(torch.nn.Softplus())
    with pytest.raises(Unknown, match="Softplus"):
        Perceptron(network)
