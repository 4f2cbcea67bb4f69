"""A new run that goes on from where another one is, with other values."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import SupportsIndex, get_args

import torch
from torch import Tensor, nn

from counterfeit import arguments, data, environment, networks, recipe
from counterfeit.arguments import StrPath
from counterfeit.errors import UsageError
from counterfeit.files import Row, write_rows
from counterfeit.game.state import AVERAGE, REPLAY
from counterfeit.networks.own import Kind, Shape, adapted
from counterfeit.recipe import Recipe
from counterfeit.run import Run, provenance, stored
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.own import Modules, adapted_for, missing_parts, modules_of, require_ours
from counterfeit.training import processes
from counterfeit.training.epochs import require_epochs, steps_per_epoch, training_images
from counterfeit.training.interval import Interval
from counterfeit.training.own import require_judge

PLAYERS: tuple[Kind, ...] = get_args(Kind)


def recipe_now(run: Run) -> Recipe:
    """The run's recipe with the learning rates that it trains with after its rollbacks."""
    share = 0.5 ** len(run.rollbacks)
    rates = {
        f"{player}.optimizer.lr": getattr(run.recipe, player).optimizer.lr * share
        for player in PLAYERS
    }
    return run.recipe.with_values(rates) if run.rollbacks else run.recipe


def fork(
    parent: Run | StrPath,
    spec: StrPath | Recipe,
    *,
    generator: nn.Module | None = None,
    discriminator: nn.Module | None = None,
    seed: SupportsIndex | None = None,
    device: str | torch.device = "auto",
    out: StrPath | None = None,
    data_dir: StrPath | None = None,
    other_data: bool = False,
) -> Run:
    """A new run at the parent's newest checkpoint, for `loop.resume` to train by `spec`.

    It holds the parent's rows up to there, so that its curves are whole, and names the parent in
    its environment.json; where the data are the same, also its metrics, vital signs and findings.
    The parent's snapshots go on with the parent's latents, whatever the seed; where the recipe
    draws latents otherwise, they are left. An optimiser's state is kept where the optimiser stays
    the same; an average of weights that is new starts from the newest ones. Where an epoch has
    another number of updates now, the parent's steps are counted anew, from its epochs.

    Args:
        generator: a module of your own, where the parent was trained with one: the same again, as
            `resume` takes it, and will for the fork. `discriminator` likewise.
        seed, out, data_dir: the parent's own seed, folder and data folder when absent.
        other_data: whether the data may be others than the parent's even under the same name.

    Raises:
        UsageError: `spec` has other networks than the parent or fewer epochs, or cannot be trained;
            a module is missing, or is not what the parent was trained with; or an impossible
            argument.
        CounterfeitError: the data or the checkpoint cannot be read, or `out` not be written; or the
            data have changed since the parent was trained on them.
    """
    parent = parent if isinstance(parent, Run) else Run.open(parent)
    spec = recipe.load(spec)
    require_ours(parent)
    modules = modules_of(generator, discriminator)
    own_networks = adapted_for(parent, modules)
    if missing := missing_parts(parent.recipe, [*modules, "loss"]):
        raise UsageError(
            f"{parent.path} was trained with networks of your own; in Python,"
            f" counterfeit.training.fork.fork(…, {', '.join(missing)}) takes them."
        )
    if discriminator is None:
        spec.require_trainable()
    else:
        require_judge(own_networks["discriminator"], spec)
    seed = parent.seed if seed is None else arguments.whole_number("seed", seed)
    out = parent.path.parent if out is None else arguments.path("out", out)
    place = environment.pick_device(device)
    data_dir = (
        parent.data_dir if data_dir is None else arguments.path("data_dir", data_dir).resolve()
    )
    spec = spec.with_values({"data.name": data.anchored(spec.data.name)})
    kept = bool(parent.environment.get("data_kept")) and spec.data.name == parent.recipe.data.name
    other = other_data or not spec.data.same_images(parent.recipe.data)
    if kept and other:
        raise UsageError(
            f"{parent.path} keeps a copy of its images, which cannot be fitted otherwise; name the"
            " data to go on with."
        )
    if other:
        train_split = data.load_for(spec.data, "train", data_dir)
    else:
        train_split = provenance.load(parent.path, parent.environment, spec.data, "train", data_dir)
    images = training_images(spec, train_split)
    same_images = spec.data.train_images == parent.recipe.data.train_images and (
        provenance.is_same(parent.environment, parent.recipe.data.name, train_split)
    )
    saved = parent.checkpoint()
    require_epochs(parent, saved.epoch, spec)
    sizes = data.class_sizes(train_split, images)
    tensors = _carried_over(
        parent,
        spec,
        saved,
        images.shape,
        _networks(parent.recipe, modules, parent.image_shape, len(parent.classes)),
        _networks(spec, modules, images.shape, len(sizes)),
    )

    per_epoch, before = steps_per_epoch(spec, len(images)), round(saved.step / saved.epoch)
    recount = per_epoch != before
    step = saved.step * per_epoch // before
    if recount or spec.training.batch_size != parent.recipe.training.batch_size:
        # The old interval cannot go on.
        tensors = {n: tensor for n, tensor in tensors.items() if not n.startswith("interval.")}
        tensors |= Interval(1, spec.training.batch_size, place).tensors()

    history_seed = parent.environment["history_seed"]
    same_latents = spec.latent == parent.recipe.latent and history_seed is not None

    def own(rows: list[Row]) -> list[Row]:
        return [
            row
            | {
                key: row[key] * per_epoch // before
                for key in ("step", "first_step", "last_step")
                if type(row.get(key)) is int
            }
            for row in rows
            if row["step"] <= saved.step
        ]

    def log() -> list[Row]:
        """Where several rows come to one step, the last of them."""
        return list({row["step"]: row for row in own(parent.log)}.values())

    facts = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "history_seed": history_seed if same_latents else seed,
        "image_shape": images.shape,
        "classes": sizes,
        "data": parent.environment["data"]
        if kept
        else data.identities(spec.data, train_split, data_dir),
        "data_kept": kept,
        "data_dir": str(data_dir) if data_dir else None,
        "processes": processes.count(),
        "parent": {"run": str(parent.path.resolve()), "step": saved.step},
    }
    with Run.creating(out, spec, facts | environment.describe(place)) as child:
        if kept:
            stored.copy_data(parent.path, child.path)
        write_rows(child.path / "log.jsonl", log())
        if same_images:  # what is measured against other images differs
            write_rows(child.path / "metrics.jsonl", own(parent.metrics))
            write_rows(child.path / "vitals.jsonl", own(parent.vitals))
            write_rows(child.path / "findings.jsonl", map(_as_history, own(parent.findings)))
            child.add_real_scores(parent.real_scores)
        for epoch in parent.snapshot_epochs:
            if same_latents and epoch <= saved.epoch:
                child.write_snapshot(epoch, torch.tensor(parent.snapshot(epoch)))
        child.write_checkpoint(Checkpoint(step, step / per_epoch, tensors))
    return child


def _as_history(finding: Row) -> Row:
    """A finding without its force on learning rates, which the child's recipe has already."""
    evidence = {k: v for k, v in finding.get("evidence", {}).items() if k != "rolled_back_to"}
    return finding | {"evidence": evidence}


def _networks(
    spec: Recipe, modules: Modules, shape: Shape, classes: int
) -> Mapping[Kind, nn.Module]:
    """Both networks of a recipe: planned, or the user's.

    Raises:
        UsageError: one of the user's takes no such latents, images or classes.
    """
    return {
        player: adapted(
            player,
            modules[player],
            latents=spec.latent.width,
            shape=shape,
            conditional=spec.condition is not None,
        )
        if player in modules and getattr(spec, player).name == "custom"
        else networks.plan_player(player, spec, shape, classes)
        for player in PLAYERS
    }


def _carried_over(
    parent: Run,
    spec: Recipe,
    saved: Checkpoint,
    shape: Shape,
    old_pair: Mapping[Kind, nn.Module],
    new_pair: Mapping[Kind, nn.Module],
) -> dict[str, Tensor]:
    """The checkpoint's tensors, without the state of optimisers that are no longer the same.

    Raises:
        UsageError: the networks are no longer the same.
    """
    tensors = dict(saved.tensors)
    for player in PLAYERS:
        before, after = old_pair[player], new_pair[player]
        old, new = before.state_dict(), after.state_dict()
        for name in old | new:
            sizes = [str(list(s[name].shape)) if name in s else "absent" for s in (old, new)]
            if sizes[0] != sizes[1]:
                raise UsageError(
                    f"a fork keeps the networks, and {player}.{name} would be {sizes[1]} instead of"
                    f" {sizes[0]}; train the changed recipe from its start, without --resume."
                )
        optimizers = [getattr(each, player).optimizer.name for each in (parent.recipe, spec)]
        if optimizers[0] != optimizers[1] or _trained(before) != _trained(after):
            for name in list(tensors):
                if name.startswith(f"{player}.optimizer."):
                    del tensors[name]
    same_fakes = shape == parent.image_shape and (
        spec.training.batch_size == parent.recipe.training.batch_size
    )
    if not same_fakes:  # old ones of another shape are left
        tensors = {n: tensor for n, tensor in tensors.items() if not n.startswith(f"{REPLAY}.")}
    if spec.generator.ema_decay and not parent.recipe.generator.ema_decay:  # it starts here
        tensors |= {
            f"{AVERAGE}.{name}": tensor.clone()
            for name, tensor in saved.part("generator").items()
            if not name.startswith("optimizer.")
        }
    return tensors


def _trained(network: nn.Module) -> list[str]:
    return [name for name, parameter in network.named_parameters() if parameter.requires_grad]
