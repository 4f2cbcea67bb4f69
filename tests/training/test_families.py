"""Runs of each family: they resume to the bit, are read again, and can be looked at."""

import pytest
import torch

from counterfeit import recipe
from counterfeit.insight import charts
from counterfeit.insight.vitals import vitals
from counterfeit.run import Run
from counterfeit.training import loop

CONVOLUTIONAL = {
    "generator.name": "dcgan",
    "discriminator.name": "dcgan",
    "generator.channels": 4,
    "discriminator.channels": 4,
}
FAMILIES = {
    "dcgan": CONVOLUTIONAL,
    "dcgan of many tricks": CONVOLUTIONAL
    | {
        "generator.norm": "group",
        "generator.upsample": "pixel-shuffle",
        "generator.dropout": 0.3,
        "generator.sampling_dropout": True,
        "generator.ema_decay": 0.9,
        "discriminator.norm": "spectral",
        "discriminator.minibatch": "stddev",
        "discriminator.dropout": 0.3,
    },
    "dcgan of others": CONVOLUTIONAL
    | {
        "generator.norm": "layer",
        "generator.upsample": "nearest",
        "generator.activation": "elu",
        "generator.init": "orthogonal",
        "discriminator.activation": "maxout",
        "discriminator.downsample": "average",
        "discriminator.minibatch": "discrimination",
        "training.precision": "bf16",
    },
    "resnet": CONVOLUTIONAL | {"generator.name": "resnet", "discriminator.name": "resnet"},
    "mlp with spectral norm": {
        "discriminator.hidden": [16, 8],
        "discriminator.norm": "spectral",
        "discriminator.activation": "silu",
        "generator.init": "orthogonal",
    },
    "mlp with BatchNorm in D": {
        "discriminator.hidden": [16, 8],
        "discriminator.norm": "batch",
        "discriminator.activation": "leaky-relu",
        "discriminator.slope": 0.1,
    },
}


def spec_of(family: str) -> recipe.Recipe:
    small = {"data.name": "digits", "data.train_images": 200, "training.batch_size": 32}
    return recipe.load("adam").with_values(small | FAMILIES[family])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_resumes_to_the_bit_and_can_be_looked_at(family: str, tmp_path) -> None:
    spec = spec_of(family)
    whole = loop.train(spec, epochs=2, out=tmp_path / "whole", device="cpu")
    part = loop.train(spec, epochs=1, out=tmp_path / "part", device="cpu")
    again = loop.resume(part.path, epochs=2)
    one, other = whole.checkpoint().tensors, again.checkpoint().tensors
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name

    run = Run.open(whole.path)
    assert run.recipe == spec.with_values({"training.epochs": 2})
    samples = run.sample(9)
    assert samples.shape == (9, 1, 8, 8)
    assert torch.equal(samples, again.sample(9))
    assert not torch.equal(samples, run.sample(9, seed=1))

    rows = vitals(run)
    assert 0 <= rows[-1]["d_training"] <= 1
    assert ("batchnorm_gap" in rows[-1]) == spec.generator.normalises_batches
    for figure in ("samples", "interpolation"):
        assert charts.write(run, figure).exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_looking_at_networks_leaves_them_as_they_were(family: str, tmp_path) -> None:
    """What diagnosis asks while a run trains changes no number of the training."""
    spec = spec_of(family)
    silent = loop.train(spec, epochs=2, out=tmp_path / "silent", device="cpu")
    watched = loop.train(
        spec,
        epochs=2,
        out=tmp_path / "watched",
        device="cpu",
        on_epoch=[lambda run, *_: vitals(run)],
    )
    one, other = silent.checkpoint().tensors, watched.checkpoint().tensors
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
