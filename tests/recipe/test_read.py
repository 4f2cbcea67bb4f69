"""Recipes by name and from files: the sources' numbers, and what is said of a file that is none."""

import math

import pytest

from counterfeit import recipe
from counterfeit.errors import UsageError

STAGES = ["sgd", "adam", "batchnorm-smoothing-text", "batchnorm-smoothing"]


@pytest.mark.parametrize("name", STAGES)
def test_the_articles_stages_share_what_they_share(name: str) -> None:
    spec = recipe.load(name)
    assert spec.data == recipe.Data(name="mnist")
    assert spec.latent.dim == 100
    assert spec.latent.distribution == "normal"
    assert math.isclose(spec.latent.std**2, 0.1)
    assert spec.generator.hidden == (256, 512)
    assert spec.generator.output == "sigmoid"
    assert spec.discriminator.hidden == (512, 256)
    assert spec.discriminator.activation == "shared-maxout"
    assert spec.discriminator.pieces == 3
    assert not spec.discriminator.train_shared_maxout
    assert spec.discriminator.hidden_dropout == (0.5, 0.0)
    assert spec.loss.name == "non-saturating"
    assert spec.training == recipe.Training(epochs=100, batch_size=128)


def test_the_articles_stages_differ_where_they_differ() -> None:
    first, second, third_text, third = (recipe.load(name) for name in STAGES)
    slow_sgd = recipe.Sgd(lr=0.0002, momentum=0.9)
    slow_adam = recipe.Adam(lr=0.0002)

    assert first.generator.optimizer == recipe.Sgd(lr=0.01, momentum=0.9)
    assert first.discriminator.optimizer == recipe.Sgd(lr=0.01, momentum=0.9)
    for spec in (second, third_text):
        assert spec.generator.optimizer == slow_adam
        assert spec.discriminator.optimizer == slow_sgd
    assert third.generator.optimizer == third.discriminator.optimizer == recipe.Adam(lr=0.001)

    for spec, smooth in ((first, False), (second, False), (third_text, True), (third, True)):
        assert spec.generator.batch_norm == smooth
        assert spec.loss.real_labels == ((0.9, 1.0) if smooth else (1.0, 1.0))


def test_the_papers_recipe_is_mnist_yaml() -> None:
    spec = recipe.load("paper")
    assert spec.data.train_images == 50_000
    assert (spec.latent.distribution, spec.latent.std) == ("uniform", 1.0)
    assert spec.generator.hidden == (1200, 1200)
    assert spec.generator.init_range == 0.05
    assert spec.generator.output_bias == "data-mean"
    assert spec.discriminator.hidden == (240, 240)
    assert (spec.discriminator.activation, spec.discriminator.pieces) == ("maxout", 5)
    assert spec.discriminator.init_range == 0.005
    assert spec.discriminator.input_dropout == pytest.approx(1 - 0.8)
    assert spec.discriminator.hidden_dropout == (0.5, 0.5)
    assert spec.training.update == "simultaneous"
    assert spec.training.batch_size == 100
    expected = recipe.Sgd(
        lr=0.1,
        lr_decay=1.000004,
        lr_min=1e-6,
        momentum=0.5,
        final_momentum=0.7,
        momentum_ramp=(1, 250),
    )
    assert spec.generator.optimizer == spec.discriminator.optimizer == expected


def test_a_file_of_ones_own_works_like_a_name(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(recipe.load("sgd").to_toml().replace('name = "sgd"', 'name = "mine"', 1))
    assert recipe.load(path).name == "mine"


def test_an_unknown_recipe_suggests_a_known_one() -> None:
    with pytest.raises(UsageError, match="Did you mean 'paper'"):
        recipe.load("papr")


@pytest.mark.parametrize("content", [b"= not toml", b"\xff\xfe\x00", b"name = 1", b""])
def test_a_file_that_is_no_recipe_is_named(tmp_path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"broken\.toml"):
        recipe.load(path)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*absent\.toml"):
        recipe.load(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a = " + "9" * 5000, "digits"),
        ("a = " + "[" * 3000, "nested too deeply"),
        ("a = ", "value"),
    ],
)
def test_a_file_that_cannot_be_parsed_says_why(tmp_path, text: str, why: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=f"odd.toml is not TOML.*{why}"):
        recipe.load(path)
