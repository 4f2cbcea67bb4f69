"""Every option of the rules: it changes training, resumes to the bit, and without force it changes
nothing."""

import pytest
import torch
from torch import Tensor

from counterfeit import recipe
from counterfeit.game.engines.fast import FastEngine
from counterfeit.game.engines.plain import PlainEngine
from counterfeit.game.game import Game
from counterfeit.game.inputs import Batch

SHAPE = (1, 8, 8)
CPU = torch.device("cpu")
BATCH = 8
SMALL = [
    "generator.hidden=[12, 10]",
    "discriminator.hidden=[11, 9]",
    f"training.batch_size={BATCH}",
    "latent.dim=5",
]

OPTIONS = {
    "least squares": ["loss.name=least-squares"],
    "Wasserstein": ["loss.name=wasserstein"],
    "hinge": ["loss.name=hinge"],
    "relativistic": ["loss.name=relativistic"],
    "noisy labels": ["loss.real_labels=[0.8, 1.0]", "loss.fake_labels=[0.0, 0.3]"],
    "flipped labels": ["loss.label_flips=0.25"],
    "gradient penalty": ["penalties.gradient.weight=10"],
    "zero-centred": ["penalties.gradient.target=0.0"],
    "R1": ["penalties.r1.weight=1"],
    "lazy R1": ["penalties.r1.every=3"],
    "R2": ["penalties.r2.weight=1"],
    "consistency": ["penalties.consistency.weight=1"],
    "clipped weights": ["constraints.clip_weights=0.05"],
    "noise": ["inputs.noise=0.1"],
    "falling noise": ["inputs.noise=0.1", "inputs.noise_epochs=2"],
    "augmentation": ['inputs.augment=["color", "translation", "cutout"]'],
    "adaptive": ['inputs.augment=["cutout"]', "inputs.adaptive=-0.9"],
    "AdamW": ["generator.optimizer.name=adamw", "discriminator.optimizer.name=adamw"],
    "linear": ["generator.optimizer.schedule=linear", "discriminator.optimizer.warmup=5"],
    "cosine": ["generator.optimizer.schedule=cosine", "training.epochs=3"],
    "clipped gradients": [
        "generator.optimizer.clip_gradients=0.1", "discriminator.optimizer.clip_gradients=0.1",
    ],
    "replay": ["inputs.replay=0.5"],
}  # fmt: skip
FAST = {
    "least squares", "Wasserstein", "hinge", "relativistic", "noisy labels", "flipped labels",
    "clipped weights", "AdamW", "linear", "cosine",
}  # fmt: skip


def game_of(*overrides: str, name: str = "batchnorm-smoothing") -> Game:
    spec = recipe.load(name).with_overrides([*SMALL, *overrides])
    return Game.from_recipe(spec, torch.full(SHAPE, 0.4), seed=2, device=CPU)


def play(game: Game, steps: range) -> Game:
    for step in steps:
        rng = torch.Generator().manual_seed(step)
        game.update(step, step / 4, [Batch(torch.rand(BATCH, *SHAPE, generator=rng))])
    return game


def same(one: Game, other: Game) -> bool:
    ours, theirs = one.tensors(), other.tensors()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}


@pytest.mark.parametrize("option", OPTIONS)
def test_it_changes_training_from_the_same_start(option: str) -> None:
    plain, changed = game_of(), game_of(*OPTIONS[option])
    start, other = plain.tensors(), changed.tensors()
    for name, tensor in start.items():
        assert torch.equal(tensor, other[name])
    play(plain, range(6)), play(changed, range(6))
    moved = [n for n in start if not torch.equal(plain.tensors()[n], changed.tensors()[n])]
    assert any(name.startswith("generator.") for name in moved)
    assert any(name.startswith("discriminator.") for name in moved)


@pytest.mark.parametrize("option", OPTIONS)
def test_it_goes_on_to_the_bit(option: str) -> None:
    whole = play(game_of(*OPTIONS[option]), range(8))
    for stop in (3, 5):
        first = play(game_of(*OPTIONS[option]), range(stop))
        resumed = game_of(*OPTIONS[option])
        resumed.load(copied(first.tensors()))
        assert same(whole, play(resumed, range(stop, 8)))


@pytest.mark.parametrize("family", ["dcgan", "resnet"])
def test_all_kinds_go_on_to_the_bit_with_convolutions(family: str) -> None:
    """Whose images may lie in memory otherwise than a checkpoint's."""
    overrides = [
        *(f"{player}.name={family}" for player in ("generator", "discriminator")),
        *(f"{player}.channels=4" for player in ("generator", "discriminator")),
        *OPTIONS["relativistic"], *OPTIONS["lazy R1"], *OPTIONS["consistency"],
        *OPTIONS["augmentation"], *OPTIONS["falling noise"], *OPTIONS["replay"],
    ]  # fmt: skip

    def game() -> Game:
        spec = recipe.load("adam").with_overrides([*overrides, f"training.batch_size={BATCH}"])
        return Game.from_recipe(spec, torch.full(SHAPE, 0.4), seed=2, device=CPU)

    whole, first, resumed = play(game(), range(8)), play(game(), range(5)), game()
    resumed.load(copied(first.tensors()))
    assert same(whole, play(resumed, range(5, 8)))


@pytest.mark.parametrize("option", OPTIONS)
def test_the_fast_engine_takes_what_it_knows(option: str) -> None:
    engine = FastEngine if option in FAST else PlainEngine
    assert type(game_of(*OPTIONS[option]).engine) is engine


def plainly(*overrides: str, steps: int = 6) -> Game:
    """Without dropout, of which a penalty's pass through D would draw another mask."""
    game = game_of("discriminator.dropout=0", *overrides)
    game.engine = PlainEngine(
        game.generator, game.discriminator, game.rules, bf16=False, rng=game.rng
    )
    return play(game, range(steps))


def test_without_force_an_option_changes_no_bit() -> None:
    plain = plainly().tensors()
    for overrides in (
        ["loss.fake_labels=[0.0, 0.0]", "loss.label_flips=0.0"],
        *([f"penalties.{name}.weight=0"] for name in ("gradient", "r1", "r2", "consistency")),
        ["constraints.clip_weights=1000"],
        ["inputs.noise=0.0"],
        ["generator.optimizer.clip_gradients=1e9", "discriminator.optimizer.warmup=1"],
        ["generator.optimizer={name='adamw', lr=0.001, weight_decay=0.0}"],
    ):
        tensors = plainly(*overrides).tensors()
        for name, tensor in plain.items():
            assert torch.equal(tensor, tensors[name]), (overrides, name)


def test_replay_and_adaption_start_from_plain_training() -> None:
    plain = plainly(steps=1).tensors()
    for overrides in (OPTIONS["replay"], ['inputs.augment=["cutout"]', "inputs.adaptive=0.9"]):
        tensors = plainly(*overrides, steps=1).tensors()
        for name, tensor in plain.items():
            assert torch.equal(tensor, tensors[name]), (overrides, name)


def test_clipped_weights_are_within_their_limit_on_every_engine() -> None:
    for name in ("batchnorm-smoothing", "paper"):
        for extra in ([], ["inputs.noise=0.1"]):
            game = play(game_of("constraints.clip_weights=0.02", *extra, name=name), range(3))
            for parameter in game.discriminator.parameters:
                assert parameter.abs().max() <= 0.02
            assert max(p.abs().max() for p in game.generator.parameters) > 0.02


def test_a_lazy_penalty_is_as_strong_in_all() -> None:
    """D hardly moves: over 8 updates, one of every 4 adds what 8 small ones do."""
    slow = ["discriminator.optimizer.lr=1e-12", "generator.optimizer.lr=1e-12",
            "discriminator.dropout=0"]  # fmt: skip
    sums = []
    for every in (1, 4):
        game = game_of("penalties.r1.weight=1", f"penalties.r1.every={every}", *slow)
        images = torch.rand(BATCH, *SHAPE, generator=torch.Generator().manual_seed(0))
        outcomes = [game.update(step, 0, [Batch(images)]) for step in range(8)]
        sums.append(sum(o.penalties["r1"].item() for o in outcomes if o.penalties))
    assert sums[0] == pytest.approx(sums[1], rel=1e-4)


@pytest.mark.parametrize("update", ["alternating", "simultaneous"])
def test_d_and_g_look_through_the_same_view(update: str) -> None:
    seen: list[int] = []
    game = game_of('inputs.augment=["translation"]', f"training.update={update}")
    view = game.rules.view
    assert view is not None
    see = view.augmentations[0]
    view.augmentations[0] = lambda x, rng: seen.append(x.requires_grad) or see(x, rng)
    play(game, range(1))
    assert seen == ([False, False, True] if update == "alternating" else [False, True])
