"""Labels and codes in the game: who is told them, and what is gained where they are seen."""

import math

import pytest
import torch
from torch import Tensor, nn

from counterfeit import networks, recipe
from counterfeit.game import auxiliary, optimizers
from counterfeit.game.auxiliary import Classes, Codes
from counterfeit.game.game import Game
from counterfeit.game.inputs import Batch, draw_classes, draw_latents, set_category
from counterfeit.game.losses import NonSaturating
from counterfeit.game.step import STEPS, Player, Rules
from counterfeit.networks import Scores
from counterfeit.recipe import Latent, Sgd
from counterfeit.seeds import stream

CLASSES, BATCH = 3, 4
SLOW = Sgd(lr=1e-9)


def batch(labels: list[int] | None = None, latents: Tensor | None = None) -> Batch:
    given = None if labels is None else torch.tensor(labels)
    return Batch(torch.zeros(BATCH, 1, 2, 2), given, latents)


def said(**heads: Tensor) -> Scores:
    return Scores(torch.zeros(BATCH), heads)


def test_an_undecided_head_costs_log_k() -> None:
    none = said(classes=torch.zeros(BATCH, CLASSES))
    real, fake = batch([0, 1, 2, 0]), batch([1, 1, 0, 2])
    term = Classes(weight=0.5)
    assert term.generator(none, fake).item() == pytest.approx(0.5 * math.log(CLASSES))
    assert term.discriminator(none, none, real, fake).item() == pytest.approx(math.log(CLASSES))


def test_a_head_that_is_right_costs_nothing_and_one_that_is_wrong_its_margin() -> None:
    labels = [0, 1, 2, 0]
    right = 40 * nn.functional.one_hot(torch.tensor(labels), CLASSES).float()
    term = Classes(weight=1.0)
    assert term.generator(said(classes=right), batch(labels)).item() == pytest.approx(0, abs=1e-6)
    wrong = batch([1, 2, 0, 1])
    assert term.generator(said(classes=right), wrong).item() == pytest.approx(40)


def test_the_codes_cost_a_cross_entropy_and_half_squares() -> None:
    spec = Latent(dim=2, categories=3, continuous=2, information=0.5)
    z = torch.zeros(BATCH, spec.width)
    z[:, 3] = 1.0  # the second category
    z[:, 5:] = torch.tensor([0.5, -1.0])
    told = torch.zeros(BATCH, spec.codes)
    expected = 0.5 * (math.log(3) + (0.5**2 + 1) / 2)
    term = Codes(spec)
    fake = batch(latents=z)
    assert term.generator(said(codes=told), fake).item() == pytest.approx(expected)
    assert term.discriminator(said(codes=told), said(codes=told), batch(), fake).item() == (
        pytest.approx(expected)
    )
    told[:, 1] = 40.0
    told[:, 3:] = torch.tensor([0.5, -1.0])
    assert term.generator(said(codes=told), fake).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("categories", "continuous"), [(3, 0), (0, 2)])
def test_codes_of_one_kind_alone(categories: int, continuous: int) -> None:
    spec = Latent(dim=2, categories=categories, continuous=continuous)
    z = draw_latents(spec, BATCH, torch.Generator().manual_seed(0))
    cost = Codes(spec).generator(said(codes=torch.zeros(BATCH, spec.codes)), batch(latents=z))
    expected = math.log(3) if categories else z[:, 2:].square().sum(1).mean().item() / 2
    assert cost.item() == pytest.approx(expected)


def test_latents_end_with_their_codes() -> None:
    spec = Latent(dim=3, categories=4, continuous=2)
    z = draw_latents(spec, 4000, torch.Generator().manual_seed(0))
    assert z.shape == (4000, spec.width) == (4000, 9)
    assert torch.equal(z[:, 3:7].sum(1), torch.ones(4000))
    assert set(z[:, 3:7].unique().tolist()) == {0.0, 1.0}
    assert (z[:, 3:7].mean(0) - 0.25).abs().max() < 0.03
    assert z[:, 7:].min() > -1
    assert z[:, 7:].max() < 1
    assert z[:, 7:].std() == pytest.approx(1 / math.sqrt(3), abs=0.02)
    plain = draw_latents(Latent(dim=3), 4000, torch.Generator().manual_seed(0))
    assert torch.equal(z[:, :3], plain)  # codes change no bit of the others
    set_category(z, spec, torch.full((4000,), 2))
    assert torch.equal(z[:, 3:7], torch.tensor([0.0, 0, 1, 0]).expand(4000, 4))
    assert torch.equal(z[:, :3], plain)


def test_classes_are_drawn_as_often_as_they_are_and_never_where_there_are_none() -> None:
    drawn = draw_classes([100, 0, 300], 8000, torch.Generator().manual_seed(0))
    shares = drawn.bincount(minlength=3) / 8000
    assert shares[1] == 0
    assert shares[0] == pytest.approx(0.25, abs=0.02)


class Listener(nn.Module):
    """Remembers the classes that it is told with what it is given."""

    conditional = True

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.line = nn.Linear(4, outputs)
        self.heard: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        self.heard.append((x.detach().flatten(1), labels))
        y: Tensor = self.line(x.flatten(1))
        return y.view(-1, 1, 2, 2) if y.shape[1] == 4 else y.squeeze(1)


def player(network: nn.Module) -> Player:
    return Player(network, optimizers.build(network, SLOW), SLOW)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("update", ["alternating", "simultaneous"])
def test_both_players_are_told_the_classes_of_the_real_batch(update: str, fresh: bool) -> None:
    if update == "simultaneous" and fresh:
        return
    G, D = Listener(4), Listener(1)
    rng = torch.Generator().manual_seed(0)
    labels = torch.tensor([2, 0, 1, 2])
    real = Batch(torch.rand(BATCH, 1, 2, 2, generator=rng), labels)
    z = torch.randn(1 + fresh, BATCH, 4, generator=rng)
    STEPS[update](player(G), player(D), [real], z, Rules(NonSaturating()), 0, rng)
    assert [torch.equal(told, labels) for _, told in G.heard] == [True] * (1 + fresh)
    images, told = D.heard[0]
    assert torch.equal(told, torch.cat([labels, labels]))
    assert torch.equal(images[:BATCH], real.images.flatten(1))
    assert len(D.heard) == (1 if update == "simultaneous" else 2)
    assert all(torch.equal(told[-BATCH:], labels) for _, told in D.heard)


SMALL = [
    "data.name=digits",
    "latent.dim=6",
    "generator.hidden=[12]",
    "discriminator.hidden=[10]",
    "discriminator.dropout=0",
    "training.batch_size=8",
]


def game(*overrides: str) -> Game:
    spec = recipe.load("batchnorm-smoothing").with_overrides([*SMALL, *overrides])
    mean = torch.full((1, 8, 8), 0.3)
    return Game.from_recipe(spec, mean, 10, seed=0, device=torch.device("cpu"))


def real_batch() -> Batch:
    rng = torch.Generator().manual_seed(1)
    return Batch(torch.rand(8, 1, 8, 8, generator=rng), torch.randint(10, (8,), generator=rng))


@pytest.mark.parametrize(
    "overrides",
    [
        ["condition.discriminator=auxiliary"],
        ["latent.categories=3", "latent.continuous=1"],
        ["condition.discriminator=auxiliary", "latent.categories=2"],
    ],
)
@pytest.mark.parametrize("update", ["alternating", "simultaneous"])
def test_gradients_are_those_of_the_losses_and_the_terms(overrides: list[str], update: str) -> None:
    """Against autograd of the sum as the papers write it, in one expression."""
    trained = game(f"training.update={update}", *overrides)
    expected = game(f"training.update={update}", *overrides)
    real = real_batch()
    outcome = trained.update(0, 0, [real])
    G, D, loss = expected.G, expected.D, expected.rules.loss
    spec = recipe.load("batchnorm-smoothing").with_overrides([*SMALL, *overrides])
    z = draw_latents(spec.latent, 8, stream(0, "latent", 0))
    fakes = networks.ask(G, z, real.labels)
    of_both = D(torch.cat([real.images, fakes]))
    of_real = Scores(of_both.logits[:8], {k: v[:8] for k, v in of_both.extra.items()})
    of_fake = Scores(of_both.logits[8:], {k: v[8:] for k, v in of_both.extra.items()})
    fake = Batch(fakes, real.labels, z)
    terms = auxiliary.from_recipe(spec)
    total = loss.discriminator(of_real, of_fake)
    for term in terms:
        total = total + term.discriminator(of_real, of_fake, real, fake)
    gradients = torch.autograd.grad(total, expected.discriminator.parameters, retain_graph=True)
    for one, other in zip(outcome.discriminator_gradients, gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    assert set(outcome.penalties) == {term.name for term in terms}
    if update == "simultaneous":
        g_total = loss.generator(of_fake, None)
        for term in terms:
            g_total = g_total + term.generator(of_fake, fake)
        for one, other in zip(
            outcome.generator_gradients,
            torch.autograd.grad(g_total, list(G.parameters())),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_term_of_weight_0_changes_nothing_of_g() -> None:
    """But its head is there: G is told a class that nobody asks after."""
    weighed, free = (
        game("condition.discriminator=auxiliary"),
        game("condition.discriminator=auxiliary", "condition.weight=0"),
    )
    real = real_batch()
    one, other = weighed.update(0, 0, [real]), free.update(0, 0, [real])
    assert torch.equal(one.real_logits, other.real_logits)
    assert not torch.equal(one.generator_gradients[0], other.generator_gradients[0])
    assert other.penalties["classes"].item() == 0


def test_other_labels_are_another_update() -> None:
    for overrides in (
        ["condition.discriminator=projection"],
        ["condition.discriminator=concat"],
        ["condition.discriminator=auxiliary"],
    ):
        one, other = game(*overrides), game(*overrides)
        real = real_batch()
        assert real.labels is not None
        a = one.update(0, 0, [real])
        b = other.update(0, 0, [Batch(real.images, (real.labels + 1) % 10)])
        assert not torch.equal(a.generator_gradients[0], b.generator_gradients[0])


def test_unconditional_networks_care_for_no_label() -> None:
    one, other = game(), game()
    real = real_batch()
    a, b = one.update(0, 0, [real]), other.update(0, 0, [Batch(real.images)])
    assert all(
        torch.equal(x, y) for x, y in zip(a.generator_gradients, b.generator_gradients, strict=True)
    )


def test_guessing_is_what_the_best_answer_costs_that_does_not_look() -> None:
    """Against the least of a mean cross entropy over many images, of answers that are all alike."""
    sizes = [30, 50, 20]
    labels = torch.repeat_interleave(torch.arange(3), torch.tensor(sizes))
    constant = torch.tensor(sizes).log().expand(100, 3)
    least = 2 * 0.7 * torch.nn.functional.cross_entropy(constant, labels).item()
    spec = recipe.load("acgan").with_values({"condition.weight": 0.7})
    assert auxiliary.guessing(spec, sizes) == {"classes": pytest.approx(least)}
    latent = {"latent.categories": 4, "latent.continuous": 2, "latent.information": 0.5}
    spec = recipe.load("infogan").with_values(latent)
    z = draw_latents(spec.latent, 200_000, torch.Generator().manual_seed(0))
    squares = z[:, -2:].square().sum(1).mean().item() / 2  # the best mean is 0
    expected = pytest.approx(0.5 * (math.log(4) + squares), rel=1e-2)
    assert auxiliary.guessing(spec, sizes) == {"codes": expected}
    assert auxiliary.guessing(recipe.load("sgd"), sizes) == {}
