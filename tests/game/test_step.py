"""The adversarial update, against the article's own order of computation."""

import pytest
import torch
from torch import nn

from counterfeit import networks, recipe
from counterfeit.game import optimizers
from counterfeit.game.inputs import Batch, draw_latents
from counterfeit.game.losses import LOSSES, Scores
from counterfeit.game.penalties import R1
from counterfeit.game.step import (
    Outcome,
    Player,
    Rules,
    alternating_step,
    judge,
    simultaneous_step,
)
from counterfeit.seeds import stream

SHAPE = (1, 8, 8)
BATCH = 16


def players(spec: recipe.Recipe) -> tuple[Player, Player]:
    """Both players in float64."""
    G = networks.build_generator(spec.generator, spec.latent.dim, SHAPE, seed=3).double()
    D = networks.build_discriminator(spec.discriminator, SHAPE, seed=3).double()
    return (
        Player(G, optimizers.build(G, spec.generator.optimizer), spec.generator.optimizer),
        Player(D, optimizers.build(D, spec.discriminator.optimizer), spec.discriminator.optimizer),
    )


def move(step, players, reals, z, labels, generator_loss="non-saturating", **rules) -> Outcome:
    """One update by the step, of real images (k, B, C, H, W)."""
    settled = Rules(LOSSES[generator_loss](labels), **rules)
    return step(*players, [Batch(real) for real in reals], z, settled, 0, torch.Generator())


def batches(spec: recipe.Recipe, k: int, draws: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = stream(0, "test")
    reals = torch.rand(k, BATCH, *SHAPE, generator=rng, dtype=torch.float64)
    return reals, draw_latents(spec.latent, draws * BATCH, rng).double().view(draws, BATCH, -1)


def small(name: str, *overrides: str) -> recipe.Recipe:
    """Without dropout, whose masks fall differently on images judged together and apart."""
    return recipe.load(name).with_overrides(
        [
            "generator.hidden=[24, 20]",
            "discriminator.hidden=[18, 12]",
            "discriminator.dropout=0",
            "discriminator.input_dropout=0",
            *overrides,
        ]
    )


def assert_equal_weights(expected: nn.Module, actual: nn.Module) -> None:
    own = dict(actual.named_parameters())
    for name, weight in expected.named_parameters():
        torch.testing.assert_close(own[name], weight, msg=lambda text, name=name: f"{name}: {text}")


def article_step(
    generator: Player,
    discriminator: Player,
    real: torch.Tensor,
    z: torch.Tensor,
    labels: torch.Tensor,
) -> tuple[float, float]:
    """As the article writes it: BCELoss on probabilities, real and fake apart, G run again."""
    G, D, bce = generator.network, discriminator.network, nn.BCELoss()
    zeros, ones = torch.zeros_like(labels), torch.ones_like(labels)

    discriminator.optimizer.zero_grad()
    d_loss = (bce(D(real).sigmoid(), labels) + bce(D(G(z).detach()).sigmoid(), zeros)) / 2
    d_loss.backward()
    discriminator.optimizer.step()

    generator.optimizer.zero_grad()
    g_loss = bce(D(G(z)).sigmoid(), ones)
    g_loss.backward()
    generator.optimizer.step()
    return d_loss.item(), g_loss.item()


@pytest.mark.parametrize("name", ["sgd", "adam", "batchnorm-smoothing-text", "batchnorm-smoothing"])
def test_it_is_the_articles_update(name: str) -> None:
    spec = small(name)
    ours, theirs = players(spec), players(spec)
    labels = torch.linspace(*spec.loss.real_labels, BATCH, dtype=torch.float64)
    for _ in range(10):
        reals, z = batches(spec, 1, 1)
        outcome = move(alternating_step, ours, reals, z, labels, spec.loss.name)
        d_loss, g_loss = article_step(*theirs, reals[0], z[0], labels)
        assert outcome.discriminator_loss.item() == pytest.approx(d_loss, rel=1e-9)
        assert outcome.generator_loss.item() == pytest.approx(g_loss, rel=1e-9)
    for mine, reference in zip(ours, theirs, strict=True):
        assert_equal_weights(reference.network, mine.network)


@pytest.mark.parametrize("norm", ["batch", "none", "layer"])
@pytest.mark.parametrize("images", [SHAPE, (3, 8, 8)])
def test_it_is_dcgans_update_which_judges_real_and_fake_apart(norm: str, images) -> None:
    """In float32 as well, where fused optimisers go by the memory of channels-last gradients."""
    spec = recipe.load("batchnorm-smoothing").with_overrides(
        [
            *("generator.name=dcgan", "discriminator.name=dcgan", f"discriminator.norm={norm}"),
            *("generator.channels=4", "discriminator.channels=4"),
        ]
    )
    ours, theirs = (
        tuple(
            Player(network, optimizers.build(network, section.optimizer), section.optimizer)
            for network, section in (
                (networks.build_generator(spec.generator, 100, images, seed=3), spec.generator),
                (networks.build_discriminator(spec.discriminator, images), spec.discriminator),
            )
        )
        for _ in range(2)
    )
    for player in theirs:
        player.optimizer = torch.optim.Adam(player.network.parameters(), lr=player.settings.lr)
    rng = stream(0, "order")
    for _ in range(3):
        real = torch.rand(BATCH, *images, generator=rng)
        z = draw_latents(spec.latent, BATCH, rng)
        labels = torch.linspace(0.9, 1, BATCH)
        outcome = move(alternating_step, ours, real[None], z[None], labels)
        d_loss, g_loss = article_step(*theirs, real, z, labels)
        assert outcome.discriminator_loss.item() == pytest.approx(d_loss, rel=1e-4)
        assert outcome.generator_loss.item() == pytest.approx(g_loss, rel=1e-4)


def test_simultaneous_takes_both_gradients_at_the_old_parameters() -> None:
    spec = small("paper")
    ours, theirs = players(spec), players(spec)
    reals, z = batches(spec, 1, 1)
    labels = torch.ones(BATCH, dtype=torch.float64)
    move(simultaneous_step, ours, reals, z, labels)

    generator, discriminator = theirs
    G, D = generator.network, discriminator.network
    d_loss = (
        nn.functional.softplus(-D(reals[0])).mean() + nn.functional.softplus(D(G(z[0]))).mean()
    ) / 2
    g_loss = nn.functional.softplus(-D(G(z[0]))).mean()
    d_gradients = torch.autograd.grad(d_loss, discriminator.parameters)
    g_gradients = torch.autograd.grad(g_loss, generator.parameters)
    generator.descend(g_gradients)
    discriminator.descend(d_gradients)
    for mine, reference in zip(ours, theirs, strict=True):
        assert_equal_weights(reference.network, mine.network)


def test_simultaneous_shares_one_dropout_mask() -> None:
    """Both losses come from the same logits of the fakes."""
    spec = small("paper", "discriminator.dropout=0.5")
    generator, discriminator = players(spec)
    reals, z = batches(spec, 1, 1)
    labels = torch.ones(BATCH, dtype=torch.float64)
    outcome = move(simultaneous_step, (generator, discriminator), reals, z, labels)
    expected = nn.functional.softplus(-outcome.fake_logits).mean()
    torch.testing.assert_close(outcome.generator_loss, expected)


def test_k_steps_of_d_see_k_batches_and_g_moves_once() -> None:
    spec = small("sgd")
    ours, theirs = players(spec), players(spec)
    reals, z = batches(spec, 3, 3)
    labels = torch.ones(BATCH, dtype=torch.float64)
    move(alternating_step, ours, reals, z, labels)

    generator, discriminator = theirs
    G, D = generator.network, discriminator.network
    for real, latent in zip(reals, z, strict=True):
        d_loss = (
            nn.functional.softplus(-D(real)).mean()
            + nn.functional.softplus(D(G(latent).detach())).mean()
        ) / 2
        discriminator.descend(torch.autograd.grad(d_loss, discriminator.parameters))
    g_loss = nn.functional.softplus(-D(G(z[-1]))).mean()
    generator.descend(torch.autograd.grad(g_loss, generator.parameters))
    for mine, reference in zip(ours, theirs, strict=True):
        assert_equal_weights(reference.network, mine.network)


def test_fresh_latents_are_gs_own() -> None:
    spec = small("sgd")
    reals, z = batches(spec, 1, 2)
    labels = torch.ones(BATCH, dtype=torch.float64)
    fresh, shared = players(spec), players(spec)
    move(alternating_step, fresh, reals, z, labels)
    move(alternating_step, shared, reals, z[:1], labels)
    assert_equal_weights(fresh[1].network, shared[1].network)
    assert not torch.equal(fresh[0].parameters[0], shared[0].parameters[0])


def test_minimax_and_non_saturating_pull_g_the_same_way_at_the_start() -> None:
    """At D = 1/2 the two losses have the same gradient (section 3 of the paper)."""
    spec = small("sgd")
    reals, z = batches(spec, 1, 1)
    labels = torch.ones(BATCH, dtype=torch.float64)
    gradients = []
    for loss in ("minimax", "non-saturating"):
        generator, discriminator = players(spec)
        nn.init.zeros_(discriminator.network.output.bias)
        discriminator.network.output.weight.data.mul_(1e-6)
        outcome = move(simultaneous_step, (generator, discriminator), reals, z, labels, loss)
        gradients.append(torch.cat([g.flatten() for g in outcome.generator_gradients]))
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=0)


def test_frozen_lines_stay_and_trainable_lines_move() -> None:
    for trainable in (False, True):
        spec = small("sgd", f"discriminator.train_shared_maxout={str(trainable).lower()}")
        generator, discriminator = players(spec)
        lines = [p for p in discriminator.network.parameters() if p.numel() == 3]
        before = [line.detach().clone() for line in lines]
        reals, z = batches(spec, 1, 1)
        labels = torch.ones(BATCH, dtype=torch.float64)
        move(alternating_step, (generator, discriminator), reals, z, labels)
        moved = [not torch.equal(a, b) for a, b in zip(before, lines, strict=True)]
        assert moved == [trainable] * 4


@pytest.mark.parametrize("step", [alternating_step, simultaneous_step])
def test_a_loss_may_compare_fakes_with_real_images(step) -> None:
    spec = small("sgd")
    ours, (generator, discriminator) = players(spec), players(spec)
    reals, z = batches(spec, 1, 1)
    rules = Rules(LOSSES["relativistic"]())
    outcome = step(*ours, [Batch(reals[0])], z, rules, 0, torch.Generator())

    G, D = generator.network, discriminator.network
    d_loss = nn.functional.softplus(D(G(z[0]).detach()) - D(reals[0])).mean()
    d_gradients = torch.autograd.grad(d_loss, discriminator.parameters)
    if step is alternating_step:
        discriminator.descend(d_gradients)
    g_loss = nn.functional.softplus(D(reals[0]) - D(G(z[0]))).mean()
    g_gradients = torch.autograd.grad(g_loss, generator.parameters)
    torch.testing.assert_close(outcome.generator_loss, g_loss)
    for mine, expected in zip(outcome.generator_gradients, g_gradients, strict=True):
        torch.testing.assert_close(mine, expected)
    for mine, expected in zip(outcome.discriminator_gradients, d_gradients, strict=True):
        torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("step", [alternating_step, simultaneous_step])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_penalty_is_added_to_ds_loss_in_the_updates_where_it_is_due(step, number: int) -> None:
    spec = small("sgd", "discriminator.activation=leaky-relu")
    ours, (generator, discriminator) = players(spec), players(spec)
    reals, z = batches(spec, 1, 1)
    labels = torch.ones(BATCH, dtype=torch.float64)
    rules = Rules(LOSSES["non-saturating"](labels), penalties=[R1(2.0, every=2)])
    outcome = step(*ours, [Batch(reals[0])], z, rules, number, torch.Generator())

    G, D = generator.network, discriminator.network
    loss = rules.loss.discriminator(Scores(D(reals[0])), Scores(D(G(z[0]).detach())))
    penalty = R1(2.0)(D, Batch(reals[0]), Batch(reals[0]), torch.Generator())
    due = number % 2 == 0  # and counts twice then
    expected = torch.autograd.grad(loss + 2 * penalty * due, discriminator.parameters)
    assert list(outcome.penalties) == ["r1"] * due
    torch.testing.assert_close(outcome.discriminator_loss, loss)
    for mine, gradient in zip(outcome.discriminator_gradients, expected, strict=True):
        torch.testing.assert_close(mine, gradient)


def test_other_heads_of_d_reach_the_loss_with_their_images() -> None:
    class TwoHeads(nn.Module):
        def forward(self, images: torch.Tensor) -> Scores:
            return Scores(images.mean((1, 2, 3)), {"sum": images.sum((1, 2, 3))})

    real, fake = Batch(torch.rand(3, *SHAPE)), Batch(torch.rand(3, *SHAPE))
    for said, batch in zip(judge(TwoHeads(), real, fake), (real, fake), strict=True):
        assert torch.equal(said.logits, batch.images.mean((1, 2, 3)))
        assert torch.equal(said.extra["sum"], batch.images.sum((1, 2, 3)))


def test_a_hook_on_an_optimiser_is_called_from_the_update_on_that_follows_it() -> None:
    network, spec = nn.Linear(3, 2), recipe.Adam(lr=0.1)
    player = Player(network, optimizers.build(network, spec), spec)
    gradients = [torch.ones_like(parameter) for parameter in network.parameters()]
    calls: list[str] = []
    player.descend(gradients)
    player.optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    player.descend(gradients)
    player.descend(gradients)
    assert calls == ["after"] * 2


@pytest.mark.parametrize("spec", [recipe.Sgd(lr=0.1, momentum=0.9), recipe.Adam(lr=0.1)])
def test_parameters_of_two_dtypes_move_by_pytorchs_own_step(spec: recipe.Optimizer) -> None:
    pairs = [nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2).double()) for _ in range(2)]
    pairs[1].load_state_dict(pairs[0].state_dict())
    player = Player(pairs[0], optimizers.build(pairs[0], spec), spec)
    own = optimizers.build(pairs[1], spec)
    for number in range(3):
        gradients = [torch.full_like(parameter, number) for parameter in player.parameters]
        player.descend(gradients)
        for parameter, gradient in zip(pairs[1].parameters(), gradients, strict=True):
            parameter.grad = gradient
        own.step()
    for one, other in zip(*(pair.parameters() for pair in pairs), strict=True):
        assert torch.equal(one, other)
