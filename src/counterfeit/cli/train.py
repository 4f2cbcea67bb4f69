"""Training a run, going on with one, and forking one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from counterfeit import language
from counterfeit.cli.options import Fit, Flag, Lang, Overrides, Quiet, Whole
from counterfeit.cli.output import suggest, suggest_to, tell
from counterfeit.cli.threads import say_what_is_faster
from counterfeit.errors import UsageError
from counterfeit.language import tr

if TYPE_CHECKING:
    from counterfeit.recipe import Recipe
    from counterfeit.run import Run


def train(
    recipe: str | None = None,
    /,
    *,
    data: str | None = None,
    image_size: Whole | None = None,
    channels: Literal[1, 3] | None = None,
    fit: Fit | None = None,
    background: str | None = None,
    skip_broken: Annotated[bool, Flag] = False,
    epochs: Whole | None = None,
    batch_size: Whole | None = None,
    precision: Literal["float32", "bf16"] | None = None,
    seed: Whole | None = None,
    device: str = "auto",
    set_: Overrides = None,
    out: Path | None = None,
    data_dir: Path | None = None,
    resume: str | None = None,
    fork: Annotated[bool, Flag] = False,
    on_nan: Literal["stop", "rollback"] = "stop",
    dry_run: Annotated[bool, Flag] = False,
    evaluate_every: Whole | None = None,
    stop_on: Literal["critical"] | None = None,
    log_to: Literal["tensorboard", "trackio"] | None = None,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Train a recipe in a new run directory.

    Ctrl-C saves and stops; --resume goes on, after a crash as well. What goes wrong is said after
    the epoch that shows it, and kept in the run's findings.jsonl; `counterfeit diagnose` explains
    it.

    Args:
        recipe: a name that `counterfeit recipes` lists, or a TOML file of your own.
        data: a data set's name, of those that `counterfeit data` lists, or the path of your own
            images, as `counterfeit data` takes it [default: the recipe's]; with --resume, where the
            run's own now are.
        image_size: height and width to which images are resized [default: 28 for a folder or an
            archive of images, 32 for emoji, and for the others as they are stored].
        channels: 1 for gray or 3 for RGB [default: as the images are stored].
        fit: how an image becomes a square one: crop to its central square, pad with the background,
            or stretch [default: crop].
        background: what transparent images are laid on, such as #ffcc00 [default: white].
        skip_broken: go on without images that cannot be read; `counterfeit data` says which.
        epochs: passes over the data [default: the recipe's].
        batch_size: images in a batch [default: the recipe's].
        precision: of matrix products; bf16 is faster on processors that have it [default: the
            recipe's].
        seed: fixes all randomness [default: 0].
        device: auto, cpu, cuda or mps.
        set_: change a value of the recipe: --set discriminator.dropout=0.3; may be repeated.
        out: the folder to make the run directory in [default: runs].
        data_dir: where data sets are kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR;
            with --resume, the run's].
        resume: go on with this run, or `latest`, the newest in --out; --epochs may differ.
        fork: go on in a new run, so that other values may be given; the old one stays as it is.
        on_nan: stop when a number is NaN or infinite; or rollback to the last checkpoint and go on
            with half the learning rates, up to three times.
        dry_run: print the resolved recipe and stop.
        evaluate_every: measure 2,000 samples after every so many epochs, on the validation images:
            FID, coverage, recall and classes; `counterfeit evaluate` measures all.
        stop_on: end the run, saved, with exit status 3, at a finding of this severity.
        log_to: hand the run's rows on to a tracker, after each epoch: tensorboard, as event files
            in the run's tensorboard folder, or trackio.
        quiet: no progress bar, no findings on the screen, no word of a busy machine or of what to
            do next.
    """
    language.use(lang)
    from counterfeit import recipe as recipes_

    if recipe is None and resume is None:
        raise UsageError("name a recipe to train, or --resume a run.")
    if fork and resume is None:
        raise UsageError("--fork needs a run to start from: --resume RUN.")
    if resume is not None:
        from counterfeit.run import Run
        from counterfeit.training.fork import fork as fork_run
        from counterfeit.training.fork import recipe_now

        parent = Run.latest(out or Path("runs")) if resume == "latest" else Run.open(resume)
        own = recipe_now(parent) if fork else parent.recipe
    goes_on = resume is not None and not fork  # with its own data, wherever they lie now
    shortcuts = {
        "data": {"name": data} if data is not None and not (goes_on and recipe is None) else None,
        "data.image_size": image_size,
        "data.channels": channels,
        "data.fit": fit,
        "data.background": background,
        "data.skip_broken": skip_broken or None,
        "training.epochs": epochs,
        "training.batch_size": batch_size,
        "training.precision": precision,
    }
    given = {key: value for key, value in shortcuts.items() if value is not None}
    base = recipes_.load(recipe) if recipe is not None else own
    spec = base.with_values(given).with_overrides(set_ or [])
    if goes_on:
        if data is not None:
            spec = spec.with_values({"data.name": parent.recipe.data.name})
        _refuse_changes(parent, spec, seed=seed, out=out)
    else:
        spec.require_trainable()
    if dry_run:
        print(spec.to_toml(), end="")
        suggest_to(tr("the same without --dry-run"), quiet=quiet)
        return
    if goes_on:
        parent.find_data(data, data_dir)
        spec = spec.with_values({"data.name": parent.recipe.data.name})

    from counterfeit.data import load_for
    from counterfeit.environment import keep_freed_memory
    from counterfeit.insight.diagnose import diagnose
    from counterfeit.insight.verdict import judge
    from counterfeit.session import attended
    from counterfeit.training import loop

    if not quiet:
        say_what_is_faster(spec, device)
    keep_freed_memory()
    measured = (
        (lambda: parent.load_split("train"))
        if resume is not None and not (fork and data)
        else (lambda: load_for(spec.data, "train", data_dir))
    )
    with attended(
        spec,
        quiet=quiet,
        measured=measured,
        evaluate_every=evaluate_every,
        stop_on=stop_on,
        log_to=log_to,
    ) as hooks:
        if resume is not None:
            if fork:
                parent = fork_run(
                    parent,
                    spec,
                    seed=seed,
                    device=device,
                    out=out,
                    data_dir=data_dir,
                    other_data=data is not None,
                )
            run = loop.resume(
                parent, epochs=spec.training.epochs, device=device, on_nan=on_nan, **hooks
            )
        else:
            run = loop.train(
                spec,
                seed=seed or 0,
                device=device,
                out=out or "runs",
                data_dir=data_dir,
                on_nan=on_nan,
                **hooks,
            )
    print(run.path)
    if not quiet:
        tell(judge(run, diagnose(run)).sentence, rest="")
    then = "diagnose" if run.findings else "report" if run.metrics else "evaluate"
    suggest("counterfeit", then, run.path, quiet=quiet)


def _refuse_changes(run: "Run", spec: "Recipe", *, seed: int | None, out: Path | None) -> None:
    """Refuse to resume a run with other values than it was started with; name each of them."""
    from counterfeit.data import anchored

    spec = spec.with_values({"data.name": anchored(spec.data.name)})
    changes = run.recipe.changes(spec)
    if seed not in (None, run.seed):
        changes.append(f"seed: {run.seed} -> {seed}")
    if out is not None and out.resolve() != run.path.parent.resolve():
        changes.append(f"out: {run.path.parent} -> {out}")
    if changes:
        raise UsageError(
            f"{run.path} keeps what it was started with, and these differ: {'; '.join(changes)}."
            " With --fork a new run goes on from it with other values."
        )
