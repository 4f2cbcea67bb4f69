"""What can be known without a GPU: tensors that stay, the plain step's numbers, the same results.

Where there is a GPU, that a replayed graph computes what the plain step does.
"""

from functools import partial

import pytest
import torch

from counterfeit import networks, recipe
from counterfeit.game import optimizers
from counterfeit.game.engines.cuda import WARM_UPS, GraphedStep
from counterfeit.game.inputs import draw_latents
from counterfeit.game.step import Outcome, Player, alternating_step, simultaneous_step
from counterfeit.seeds import stream

SHAPE = (1, 8, 8)
BATCH = 16
NAMES = ["batchnorm-smoothing", "paper"]


def updates(name: str, device: str, graphed: bool):
    """The players, and a function from an update's number to its outcome."""
    small = ["generator.hidden=[20, 24]", "discriminator.hidden=[16, 12]"]
    spec = recipe.load(name).with_overrides(small)
    G = networks.build_generator(spec, SHAPE, seed=1).to(device)
    D = networks.build_discriminator(spec, SHAPE, seed=1, device=device)
    pair = (
        Player(G, optimizers.build(G, spec.generator.optimizer, graphed=device == "cuda")),
        Player(D, optimizers.build(D, spec.discriminator.optimizer, graphed=device == "cuda")),
    )
    simultaneous = spec.training.update == "simultaneous"
    move = partial(simultaneous_step if simultaneous else alternating_step, *pair)
    labels = torch.linspace(*spec.loss.real_labels, BATCH, device=device)
    step = GraphedStep(move, D.rng) if graphed else move

    def update(number: int) -> Outcome:
        rng = stream(0, "test", number)
        reals = torch.rand(1, BATCH, *SHAPE, generator=rng).to(device)
        z = draw_latents(spec.latent, BATCH, rng).view(1, BATCH, -1).to(device)
        D.rng.manual_seed(number)
        for player, settings in zip(pair, (spec.generator, spec.discriminator), strict=True):
            optimizers.schedule(player.optimizer, settings.optimizer, number, number)
        return step(reals, z, labels, spec.loss.generator)

    return pair, update


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
        ),
    ],
)
def test_it_computes_what_the_plain_step_does(name: str, device: str) -> None:
    plain, plainly = updates(name, device, graphed=False)
    mine, quickly = updates(name, device, graphed=True)
    for number in range(WARM_UPS + 3):
        expected, outcome = plainly(number), quickly(number)
        for field in ("discriminator_loss", "generator_loss", "real_logits", "fake_logits"):
            torch.testing.assert_close(getattr(outcome, field), getattr(expected, field))
    for one, other in zip(plain, mine, strict=True):
        for left, right in zip(one.parameters, other.parameters, strict=True):
            torch.testing.assert_close(left, right)


def test_inputs_lie_in_the_same_tensors_at_every_update() -> None:
    seen: list[tuple[int, int]] = []

    def move(reals: torch.Tensor, z: torch.Tensor, *rest: object) -> Outcome:
        seen.append((reals.data_ptr(), z.data_ptr()))
        return Outcome(reals.sum(), z.sum(), reals, z, [], [])

    step = GraphedStep(move, torch.Generator())
    for number in range(4):
        given = torch.full((1, 2, 1, 3, 3), number), torch.full((1, 2, 5), number)
        outcome = step(*given, torch.ones(2), "minimax")
        assert outcome.discriminator_loss == 18 * number
        assert outcome.generator_loss == 10 * number
    assert len(set(seen)) == 1
