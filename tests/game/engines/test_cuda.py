"""What can be known without a GPU: tensors that stay, the plain step's numbers, the same results.

Where there is a GPU, that a replayed graph computes what the plain step does.
"""

from dataclasses import replace

import pytest
import torch

from counterfeit import networks, recipe
from counterfeit.game import optimizers
from counterfeit.game.constraints import clip_weights
from counterfeit.game.engines.choose import choose
from counterfeit.game.engines.cuda import WARM_UPS, GraphedEngine
from counterfeit.game.engines.plain import PlainEngine
from counterfeit.game.inputs import Batch, draw_latents
from counterfeit.game.losses import LOSSES
from counterfeit.game.penalties import R1
from counterfeit.game.replay import Replay
from counterfeit.game.step import Outcome, Player, Rules
from counterfeit.game.views import View
from counterfeit.seeds import stream

SHAPE = (1, 8, 8)
BATCH = 16
NAMES = ["batchnorm-smoothing", "paper"]


def updates(name: str, device: str, graphed: bool):
    """The players, and a function from an update's number to its outcome."""
    small = ["generator.hidden=[20, 24]", "discriminator.hidden=[16, 12]"]
    spec = recipe.load(name).with_overrides(small)
    G = networks.build_generator(spec.generator, spec.latent.dim, SHAPE, seed=1).to(device)
    dropout = torch.Generator(device)
    D = networks.build_discriminator(spec.discriminator, SHAPE, seed=1, rng=dropout).to(device)
    on_gpu = device == "cuda"
    pair = tuple(
        Player(
            network,
            optimizers.build(network, section.optimizer, graphed=on_gpu),
            section.optimizer,
        )
        for network, section in ((G, spec.generator), (D, spec.discriminator))
    )
    labels = torch.linspace(*spec.loss.real_labels, BATCH, device=device)
    rules = Rules(LOSSES[spec.loss.name](labels), update=spec.training.update)
    plain = PlainEngine(*pair, rules, bf16=False, rng=torch.Generator(device))
    engine = GraphedEngine(plain, dropout) if graphed else plain

    def update(number: int) -> Outcome:
        rng = stream(0, "test", number)
        reals = torch.rand(1, BATCH, *SHAPE, generator=rng).to(device)
        z = draw_latents(spec.latent, BATCH, rng).view(1, BATCH, -1).to(device)
        dropout.manual_seed(number)
        for player in pair:
            player.schedule(number, number)
        return engine([Batch(reals[0])], z, number)

    return pair, update


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_is_taken_only_where_it_follows_the_schedules(name: str) -> None:
    def chosen(*pair: Player, **rules: object) -> type:
        engine = choose(
            *pair,
            Rules(LOSSES["minimax"](torch.ones(BATCH)), **rules),
            device=torch.device("cuda"),
            bf16=False,
            rng=torch.Generator(),
            dropout=torch.Generator(),
        )
        return type(engine)

    players, _ = updates(name, "cpu", graphed=False)
    graphable = [
        Player(p.network, optimizers.build(p.network, p.settings, graphed=True), p.settings)
        for p in players
    ]
    assert chosen(*graphable) is GraphedEngine
    assert chosen(players[0], graphable[1]) is PlainEngine
    assert chosen(graphable[0], players[1]) is PlainEngine

    cpu = torch.device("cpu")
    for rules in (
        {"penalties": [R1(every=16)]},
        {"view": View(recipe.Inputs(noise=0.1), (0.0, 1.0), seed=0, device=cpu)},
        {"replay": Replay(0.5, BATCH, SHAPE, seed=0, device=cpu)},
    ):
        assert chosen(*graphable, **rules) is PlainEngine
    clipping = graphable[0].settings.model_copy(update={"clip_gradients": 1.0})
    assert chosen(replace(graphable[0], settings=clipping), graphable[1]) is PlainEngine
    clipped = replace(graphable[1], constraint=lambda parameters: clip_weights(parameters, 0.1))
    assert chosen(graphable[0], clipped) is GraphedEngine


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

    def engine(reals: list[Batch], z: torch.Tensor, number: int) -> Outcome:
        images = reals[0].images
        seen.append((images.data_ptr(), z.data_ptr()))
        return Outcome(images.sum(), z.sum(), images, z, [], [])

    graphed = GraphedEngine(engine, torch.Generator())
    for number in range(4):
        reals = [Batch(torch.full((2, 1, 3, 3), number))]
        outcome = graphed(reals, torch.full((1, 2, 5), number), number)
        assert outcome.discriminator_loss == 18 * number
        assert outcome.generator_loss == 10 * number
    assert len(set(seen)) == 1


def test_labels_are_those_of_each_update_in_a_tensor_that_stays() -> None:
    heard: list[torch.Tensor] = []

    def engine(reals: list[Batch], latents: torch.Tensor, number: int) -> None:
        assert reals[0].labels is not None
        heard.append(reals[0].labels)

    graphed = GraphedEngine(engine, torch.Generator())  # type: ignore[arg-type]
    for number in range(3):
        labels = torch.full((BATCH,), number)
        graphed([Batch(torch.rand(BATCH, *SHAPE), labels)], torch.zeros(1, BATCH, 4), number)
        assert heard[-1].tolist() == [number] * BATCH
    assert heard[0] is heard[1] is heard[2]
