"""Sections that are one of several kinds: losses by name, as they are written and as they were."""

import pytest

from counterfeit import recipe
from counterfeit.errors import UsageError


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_a_loss_was_once_called_by_what_g_minimises(name: str) -> None:
    text = recipe.load("batchnorm-smoothing").to_toml()
    assert 'name = "non-saturating"' in text
    old = text.replace('name = "non-saturating"', f'generator = "{name}"')
    assert recipe.parse(recipe.read_toml(old, "old"), "old").loss == recipe.CrossEntropy(
        name=name, real_labels=(0.9, 1.0)
    )
    with pytest.raises(UsageError, match=r"loss\.name: should be .*'minimax', .* not 'hing'"):
        recipe.parse(recipe.read_toml(old.replace(name, "hing"), "old"), "old")


@pytest.mark.parametrize("key", ["loss.generator", "loss.name"])
def test_another_loss_keeps_the_labels_where_it_has_any(key: str) -> None:
    spec = recipe.load("batchnorm-smoothing")
    assert spec.with_overrides([f"{key}=minimax"]).loss == recipe.CrossEntropy(
        name="minimax", real_labels=(0.9, 1.0)
    )
    scored = spec.with_overrides([f"{key}=wasserstein"])
    assert scored.loss == recipe.CriticLoss(name="wasserstein")
    assert scored.changes(spec) == [
        "loss.name: wasserstein -> non-saturating",
        "loss.real_labels: None -> (0.9, 1.0)",
        "loss.fake_labels: None -> (0.0, 0.0)",
        "loss.label_flips: None -> 0.0",
    ]


def test_without_a_loss_it_is_non_saturating() -> None:
    table = recipe.load("sgd").model_dump(exclude_none=True)
    for section in ({}, {"real_labels": (0.9, 1.0)}):
        loss = recipe.parse(table | {"loss": section}, "test").loss
        assert loss == recipe.CrossEntropy(**section)
    del table["loss"]
    assert recipe.parse(table, "test").loss == recipe.CrossEntropy()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["loss.name=wasserstein", "loss.real_labels=[0.9, 1.0]"], "no key 'loss.real_labels'"),
        (["loss.name=least-squares", "loss.label_flips=0.1"], "no key 'loss.label_flips'"),
        (["loss.label_flips=0.5"], "loss.label_flips: should be a number .*below 0.5"),
        (["loss.fake_labels=[0.2, 0.1]"], r"fake_labels should be \[low, high\]"),
        (["loss.fake_labels=[0.0, 1.0]"], "real_labels should be above fake_labels"),
        (["inputs.noise_epochs=3"], "inputs: noise_epochs needs noise above 0, not 0.0"),
        (["inputs.adaptive=0.6"], "inputs: adaptive needs something to apply, .* not "),
        (['inputs.augment=["flip"]'], "each 'color', 'translation' or 'cutout'"),
        (
            ["inputs.replay=0.5", "training.update=simultaneous"],
            "the recipe: inputs.replay needs .*'alternating', .* not 'simultaneous'",
        ),
        (
            ['inputs.augment=["color"]', "inputs.adaptive=0.6", "loss.name=wasserstein"],
            "the recipe: inputs.adaptive needs .* or hinge, not wasserstein",
        ),
        (["penalties.r1.wieght=1"], "no key 'penalties.r1.wieght'. Did you mean 'weight'"),
        (["penalties.r1=3"], "penalties.r1: should be a section, not 3"),
        (["penalties.r3.weight=1"], "no key 'penalties.r3'. Did you mean 'r"),
        (["penalties.r1.target=1"], "no key 'penalties.r1.target'"),
        (["penalties.gradient.every=0"], "every: should be a whole number"),
        (["constraints.clip_weights=0"], "clip_weights: should be a number .*above 0"),
        (["loss.name=wgan"], "loss.name: should be .*'least-squares', .* not 'wgan'"),
    ],
)
def test_settings_that_a_loss_does_not_have_are_refused(overrides: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        recipe.load("sgd").with_overrides(overrides)
    assert "\n" not in str(refused.value)
