"""Networks that are told classes, and discriminators with more heads than one."""

import pytest
import torch

from counterfeit import networks, recipe
from counterfeit.errors import UsageError
from counterfeit.networks.conditional import ClassNorm, TellingDiscriminator, ToldGenerator

SHAPE, CLASSES, BATCH = (1, 8, 8), 4, 6
FAMILIES = {
    "mlp": ["generator.hidden=[24, 20]", "discriminator.hidden=[18, 12]"],
    "dcgan": [
        "generator.name=dcgan",
        "generator.channels=4",
        "discriminator.name=dcgan",
        "discriminator.channels=4",
    ],
    "resnet": [
        "generator.name=resnet",
        "generator.channels=4",
        "discriminator.name=resnet",
        "discriminator.channels=4",
    ],
}
PAIRS = [
    (family, g, d)
    for family in FAMILIES
    for g in ("concat", "embedding", "batch-norm")
    for d in ("concat", "projection", "auxiliary")
    if (family, g) != ("resnet", "batch-norm")  # which has none
]


def spec_of(family: str, *overrides: str) -> recipe.Recipe:
    return recipe.load("batchnorm-smoothing").with_overrides(
        ["latent.dim=5", *FAMILIES[family], *overrides]
    )


def pair(
    spec: recipe.Recipe, shape: tuple[int, int, int] = SHAPE
) -> tuple[torch.nn.Module, torch.nn.Module]:
    G, D = networks.build_pair(spec, shape, CLASSES, seed=3, rng=torch.Generator())
    return G.eval(), D.eval()


@pytest.mark.parametrize(("family", "g", "d"), PAIRS)
def test_another_class_is_another_image_and_another_judgement(family: str, g: str, d: str) -> None:
    G, D = pair(spec_of(family, f"condition.generator={g}", f"condition.discriminator={d}"))
    with torch.no_grad():
        for parameter in G.parameters():  # some start at 0 or alike for all classes
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator())
    z = torch.randn(BATCH, 5, generator=torch.Generator().manual_seed(1))
    of_one, of_two = (networks.ask(G, z, torch.full((BATCH,), k)) for k in (0, 2))
    assert of_one.shape == (BATCH, *SHAPE)
    assert not torch.allclose(of_one, of_two)
    said, otherwise = (
        networks.scores(networks.ask(D, of_one, torch.full((BATCH,), k))) for k in (0, 2)
    )
    assert said.logits.shape == (BATCH,)
    assert torch.equal(said.logits, otherwise.logits) == (d == "auxiliary")
    assert {name: head.shape for name, head in said.extra.items()} == (
        {"classes": (BATCH, CLASSES)} if d == "auxiliary" else {}
    )


@pytest.mark.parametrize(("family", "g", "d"), PAIRS)
def test_each_image_is_of_its_own_class(family: str, g: str, d: str) -> None:
    """A batch of several classes is what each of them is alone."""
    G, D = pair(spec_of(family, f"condition.generator={g}", f"condition.discriminator={d}"))
    z = torch.randn(BATCH, 5, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(BATCH) % CLASSES
    images = networks.ask(G, z, labels)
    logits = networks.scores(networks.ask(D, images, labels)).logits
    for i, label in enumerate(labels):
        alone = networks.ask(G, z[i : i + 1], label[None])
        torch.testing.assert_close(alone, images[i : i + 1])
        said = networks.scores(networks.ask(D, alone, label[None])).logits
        torch.testing.assert_close(said, logits[i : i + 1], rtol=1e-4, atol=1e-5)


def test_a_projection_is_the_product_with_the_features() -> None:
    _, D = pair(spec_of("mlp", "condition.discriminator=projection"))
    assert isinstance(D, TellingDiscriminator)
    assert D.projection is not None
    labels = torch.arange(BATCH) % CLASSES
    images = torch.rand(BATCH, *SHAPE, generator=torch.Generator())
    features = D.inner.hidden(images)
    expected = D.inner(images) + (D.projection.weight[labels] * features).sum(1)
    torch.testing.assert_close(D(images, labels).logits, expected)


@pytest.mark.parametrize("family", ["mlp", "dcgan"])
def test_a_class_norm_starts_as_batch_norm(family: str) -> None:
    """Before training all classes are drawn alike, and as without classes: the same weights."""
    spec = spec_of(family, "generator.init=default")
    told, _ = pair(spec.with_overrides(["condition.generator=batch-norm"]))
    plain, _ = pair(spec)
    z = torch.randn(BATCH, 5, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(BATCH) % CLASSES
    for training in (False, True):
        told.train(training), plain.train(training)
        torch.testing.assert_close(told(z, labels), plain(z))


def test_a_class_norm_scales_and_shifts_by_class() -> None:
    norm = ClassNorm(torch.nn.BatchNorm2d(2), CLASSES)
    with torch.no_grad():
        norm.weight.copy_(torch.arange(8.0).view(4, 2))
        norm.bias.copy_(-torch.arange(8.0).view(4, 2))
    x = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    norm.labels = torch.tensor([3, 0, 1])
    y = norm(x)
    mean, std = x.mean((0, 2, 3)), (x.var((0, 2, 3), correction=0) + 1e-5).sqrt()
    z = (x - mean[:, None, None]) / std[:, None, None]
    for i, label in enumerate(norm.labels):
        scale, shift = norm.weight[label], norm.bias[label]
        torch.testing.assert_close(y[i], z[i] * scale[:, None, None] + shift[:, None, None])


def test_a_generator_without_batch_norm_cannot_be_told_by_it() -> None:
    spec = spec_of("resnet", "condition.generator=batch-norm")
    with pytest.raises(UsageError, match="this G has none; take 'concat' or 'embedding'"):
        pair(spec)


def test_networks_that_are_told_nothing_are_those_of_the_family() -> None:
    G, D = pair(spec_of("mlp"))
    assert not isinstance(G, ToldGenerator)
    assert not isinstance(D, TellingDiscriminator)
    z = torch.randn(2, 5, generator=torch.Generator())
    assert torch.equal(networks.ask(G, z, torch.tensor([1, 2])), G(z))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_head_tells_codes(family: str) -> None:
    spec = spec_of(family, "latent.categories=3", "latent.continuous=2")
    G, D = pair(spec)
    images = G(torch.randn(BATCH, spec.latent.width, generator=torch.Generator()))
    said = networks.scores(D(images))
    assert said.logits.shape == (BATCH,)
    assert said.extra["codes"].shape == (BATCH, 5)
    assert not getattr(D, "conditional", False)


def test_colour_images_have_one_plane_more() -> None:
    spec = spec_of("dcgan", "condition.discriminator=concat")
    _, D = pair(spec, (3, 16, 16))
    assert isinstance(D, TellingDiscriminator)
    assert D(torch.rand(2, 3, 16, 16), torch.tensor([0, 1])).logits.shape == (2,)
