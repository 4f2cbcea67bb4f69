"""Games that several processes play together, in processes that import this module."""

from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from counterfeit import recipe
from counterfeit.game.engines.plain import PlainEngine
from counterfeit.game.engines.sharing import Lost, reaching_others
from counterfeit.game.game import Game
from counterfeit.game.inputs import Batch
from small_networks import shrunk

LONG, UPDATES, FEW = ("adam", "dcgan", "small-data"), 20, 6
"""The recipes that are held to more updates, how many, and how many the other games are."""

SHAPE = (1, 8, 8)
CLASSES = 3
SMALL = ["training.batch_size=8", "latent.dim=5", "training.epochs=3"]
CONVOLUTIONAL = ["generator.name=dcgan", "discriminator.name=dcgan"]
OTHERS = {
    "minibatch discrimination under a penalty": [
        "sgd", *CONVOLUTIONAL, "discriminator.norm=none", "discriminator.minibatch=discrimination",
        "penalties.gradient.weight=1",
    ],
    "noise, old fakes, flipped labels, dropout, consistency, clipping": [
        "adam", *CONVOLUTIONAL, "inputs.noise=0.1", "inputs.replay=0.5", "loss.label_flips=0.25",
        "loss.real_labels=[0.7, 1.0]", "generator.dropout=0.3", "discriminator.dropout=0.3",
        "discriminator.norm=group", "penalties.consistency.weight=1",
        "discriminator.optimizer.clip_gradients=0.1",
    ],
    "classes told by BatchNorm": ["conditional", "condition.generator=batch-norm"],
    "BatchNorm in a perceptron D": [
        "adam", "discriminator.norm=batch", "discriminator.activation=leaky-relu",
    ],
}  # fmt: skip
GAMES = {name: [name] for name in recipe.names()} | OTHERS
"""Every recipe, and what mixes rows or draws for each and is in none: base and overrides."""


def spec_of(name: str) -> recipe.Recipe:
    base, *changes = GAMES[name]
    spec = recipe.load(base).with_overrides(CONVOLUTIONAL if CONVOLUTIONAL[0] in changes else [])
    return spec.with_overrides([*shrunk(spec), *SMALL, *changes])


def updates_of(name: str) -> int:
    return UPDATES if name in LONG else FEW


def played(spec: recipe.Recipe, updates: int, *, shared: bool) -> dict[str, Tensor]:
    """The state after some updates by the plain step, and what the last one said."""
    game = Game.from_recipe(
        spec,
        torch.full(SHAPE, 0.4),
        CLASSES if spec.condition else 0,
        seed=3,
        device=torch.device("cpu"),
        shared=shared,
    )
    if not shared:
        players, bf16 = (game.generator, game.discriminator), spec.training.precision == "bf16"
        game.engine = PlainEngine(*players, game.rules, bf16=bf16, rng=game.rng)
    for step in range(updates):
        outcome = game.update(step, step / 7, _reals(spec, step))
    said = {
        "d_loss": outcome.discriminator_loss,
        "g_loss": outcome.generator_loss,
        "real_logits": outcome.real_logits,
        "fake_logits": outcome.fake_logits,
        **outcome.penalties,
    }
    return {name: tensor.detach().clone() for name, tensor in (game.tensors() | said).items()}


def _reals(spec: recipe.Recipe, step: int) -> list[Batch]:
    rng = torch.Generator().manual_seed(step)
    k, size = spec.training.discriminator_steps, spec.training.batch_size
    images = torch.rand(k, size, *SHAPE, generator=rng)
    labels = torch.randint(CLASSES, (k, size), generator=rng)
    return [Batch(*pair) for pair in zip(images, labels, strict=True)]


def play(folder: Path) -> None:
    """Play all games together, in float64 and once in bfloat16, and leave what came of each."""
    dist.init_process_group("gloo")
    torch.set_default_dtype(torch.float64)
    ends = {name: played(spec_of(name), updates_of(name), shared=True) for name in GAMES}
    torch.set_default_dtype(torch.float32)
    ends["bf16"] = played(in_bfloat16(), 1, shared=True)
    torch.save(ends, folder / f"{dist.get_rank()}.pt")
    dist.destroy_process_group()


def in_bfloat16() -> recipe.Recipe:
    return spec_of("infogan").with_overrides(["training.precision=bf16"])


def lose() -> None:
    """The last process ends at once; the others say what they are told of it."""
    dist.init_process_group("gloo")
    if dist.get_rank() < dist.get_world_size() - 1:
        try:
            with reaching_others():
                dist.all_reduce(torch.ones(1))
        except Lost as error:
            print(error)
    dist.destroy_process_group()
