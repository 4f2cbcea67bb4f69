"""Small runs of all kinds of networks."""

from pathlib import Path
from typing import Any

from counterfeit import recipe
from counterfeit.run import Run
from counterfeit.training import loop
from small_networks import shrunk

KINDS = {
    **{name: [name] for name in recipe.names()},
    "mlp of every layer": [
        "adam", "generator.batch_norm=true", "generator.activation=elu", "generator.output=tanh",
        "discriminator.activation=maxout", "discriminator.norm=layer",
        "discriminator.dropout=0.3", "discriminator.input_dropout=0.1",
    ],
    "mlp, spectral": ["adam", "discriminator.activation=maxout", "discriminator.norm=spectral"],
    "mlp, trained lines": ["adam", "discriminator.train_shared_maxout=true"],
    "dcgan, pixel-shuffle": [
        "dcgan", "generator.upsample=pixel-shuffle", "generator.norm=group",
        "generator.activation=silu", "generator.dropout=0.2", "generator.output=sigmoid",
        "discriminator.norm=layer", "discriminator.minibatch=stddev",
        "discriminator.downsample=average",
    ],
    "dcgan, nearest": [
        "dcgan", "generator.upsample=nearest", "generator.norm=none", "generator.ema_decay=0.9",
        "discriminator.activation=maxout", "discriminator.minibatch=discrimination",
    ],
    "resnet of patches": ["r3gan-small", "generator.patch=2", "discriminator.patch=2"],
    "mlp, concat": [
        "batchnorm-smoothing", "condition.generator=concat", "condition.discriminator=concat",
    ],
    "mlp, class norm": ["batchnorm-smoothing", "condition.generator=batch-norm"],
    "dcgan, embedding": ["dcgan", "condition.generator=embedding"],
    "dcgan, class norm and planes": [
        "dcgan", "condition.generator=batch-norm", "condition.discriminator=concat",
    ],
    "uniform latents, no codes told": ["infogan", "latent.distribution=uniform"],
}  # fmt: skip
"""A recipe, and what differs from it."""

OTHERS = {
    "dcgan that drops units in samples": [
        "dcgan", "generator.dropout=0.2", "generator.sampling_dropout=true",
    ],
}  # fmt: skip
"""What cannot be exported whole."""


def trained(kind: str, out: Path, data: Any = None) -> Run:
    """An epoch of 60 digits of 8x8 pixels, or of other data: no weight is where it started."""
    name, *overrides = (KINDS | OTHERS)[kind]
    small = ["data.name=digits", "data.train_images=60", "training.batch_size=10"]
    spec = recipe.load(name).with_overrides(
        [*shrunk(name, 4), *overrides, *small, "training.epochs=1"]
    )
    return loop.train(spec, out=out, data=data)
