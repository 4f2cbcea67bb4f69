"""The command line: one subcommand is one function. Heavy imports stay inside them."""

import atexit
import gc
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from counterfeit.errors import CounterfeitError, Interrupted, UsageError

if TYPE_CHECKING:
    from counterfeit.recipe import Recipe
    from counterfeit.run import Run

# GNU OpenMP's threads spin while they wait, which beside another busy process slows training down
# several times. A short spin, then sleep, keeps most of the speed alone and most of it in company
# (docs/performance.md). It is read once, when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

app = App(
    name="counterfeit",
    help="Train, measure and explain generative adversarial networks, starting from the paper.",
    help_epilogue=(
        "Commands end with the path of what they made on stdout; progress goes to stderr."
        " Add --debug to see where an error came from."
    ),
    version_flags=["--version"],
)

Overrides = Annotated[list[str] | None, Parameter(name="--set", negative="")]
Quiet = Annotated[bool, Parameter(name=["--quiet", "-q"], negative="", show_default=False)]
Flag = Parameter(negative="", show_default=False)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad usage, 128 + n stopped by signal n.

    And 3 when a finding ended the run (`train --stop-on`).
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # TOML is UTF-8; names of files need not be.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    # At its end, Python searches PyTorch's objects for cycles, which takes over a second; frozen
    # objects are left out.
    atexit.register(gc.freeze)
    try:
        app(
            [argument for argument in arguments if argument != "--debug"],
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, `head` say, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Exception, Interrupted) as error:
        if debug and not (isinstance(error, Interrupted) and error.__cause__ is None):
            raise
        sys.exit(report_error(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _writable(path: Path, *suffixes: str) -> Path:
    """The path, its folder made; checked before the work that ends in it."""
    if suffixes and path.suffix not in suffixes:
        raise UsageError(f"cannot write {path}: its name must end in {' or '.join(suffixes)}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CounterfeitError(f"cannot make the folder {path.parent}: {error.strerror}.") from None
    except ValueError as error:  # a NUL
        raise UsageError(f"cannot write {path}: {error}.") from None
    return path


def _refuse_changes(
    run: "Run", spec: "Recipe", *, seed: int | None, out: Path | None, data_dir: Path | None
) -> None:
    """Refuse to resume a run with other values than it was started with; name each of them."""
    changes = run.recipe.changes(spec.anchored())
    if seed not in (None, run.seed):
        changes.append(f"seed: {run.seed} -> {seed}")
    for name, old, new in (("out", run.path.parent, out), ("data_dir", run.data_dir, data_dir)):
        if new is not None and (old is None or new.resolve() != old.resolve()):
            changes.append(f"{name}: {old} -> {new}")
    if changes:
        raise UsageError(
            f"{run.path} keeps what it was started with, and these differ: {'; '.join(changes)}."
            " With --fork a new run goes on from it with other values."
        )


def report_error(error: Exception | Interrupted) -> int:
    """Print one line that says what is wrong and what to do; return the exit status."""
    if isinstance(error, CounterfeitError | Interrupted):
        message, status = str(error), error.exit_status
    elif isinstance(error, CycloptsError):
        message, status = f"{str(error).rstrip('.')}. `counterfeit --help` shows the commands.", 2
    elif _is_memory(error):
        message = "out of memory; lower the batch size, the networks, or the number of images."
        status = 1
    else:
        kind = type(error).__name__
        message, status = f"unexpected {kind}: {error} (--debug shows where).", 1
    print(f"counterfeit: {_one_line(message)}", file=sys.stderr)
    for note in getattr(error, "__notes__", []):
        print(f"  - {_one_line(note)}", file=sys.stderr)
    return status


def _is_memory(error: BaseException) -> bool:
    """Whether Python or torch, which says so in words, could get no more memory."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def _one_line(message: str) -> str:
    """Control characters, which names of files may hold, escaped; the middle of a long one cut."""
    if len(message) > 900:
        message = f"{message[:600]} … {message[-250:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)


@app.command
def recipes(name: str | None = None, /) -> None:
    """List the recipes; or print one, resolved, as TOML.

    Args:
        name: a recipe, or a TOML file of your own.
    """
    from counterfeit import recipe

    if name is not None:
        print(recipe.load(name).to_toml(), end="")
        return
    known = recipe.names()
    width = max(map(len, known))
    for each in known:
        print(f"{each:{width}}  {recipe.load(each).title}")


@app.command
def data(
    name: str = "mnist", /, *, preview: Path | None = None, data_dir: Path | None = None
) -> None:
    """Fetch a data set, verify it and describe it.

    Args:
        name: mnist, fashion-mnist, digits, a folder of IDX files, or a folder of images.
        preview: draw a few images with their labels into this PNG file.
        data_dir: where data sets are kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR].
    """
    from counterfeit import data as data_sets

    train_images = data_sets.load(name, "train", data_dir=data_dir)
    print(data_sets.describe(train_images))
    try:
        print(data_sets.describe(data_sets.load(name, "test", data_dir=data_dir)))
    except CounterfeitError as error:
        print(f"no test images: {error}")
    if preview is not None:
        data_sets.preview(train_images, preview)
        print(preview)
    else:
        print(data_sets.fetch(name, data_dir=data_dir))


@app.command
def train(
    recipe: str | None = None,
    /,
    *,
    data: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    precision: Literal["float32", "bf16"] | None = None,
    seed: int | None = None,
    device: str = "auto",
    set_: Overrides = None,
    out: Path | None = None,
    data_dir: Path | None = None,
    resume: str | None = None,
    fork: Annotated[bool, Flag] = False,
    on_nan: Literal["stop", "rollback"] = "stop",
    dry_run: Annotated[bool, Flag] = False,
    evaluate_every: int | None = None,
    stop_on: Literal["critical"] | None = None,
    quiet: Quiet = False,
) -> None:
    """Train a recipe in a new run directory.

    Ctrl-C saves and stops; --resume goes on, after a crash as well. What goes wrong is said after
    the epoch that shows it, and kept in the run's findings.jsonl; `counterfeit diagnose` explains
    it.

    Args:
        recipe: a name that `counterfeit recipes` lists, or a TOML file of your own.
        data: a data set's name, or a folder of images [default: the recipe's].
        epochs: passes over the data [default: the recipe's].
        batch_size: images in a batch [default: the recipe's].
        precision: of matrix products; bf16 is faster on processors that have it [default: the
            recipe's].
        seed: fixes all randomness [default: 0].
        device: auto, cpu, cuda or mps.
        set_: change a value of the recipe: --set discriminator.dropout=0.3; may be repeated.
        out: the folder to make the run directory in [default: runs].
        data_dir: where data sets are kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR].
        resume: go on with this run, or `latest`, the newest in --out; --epochs may differ.
        fork: go on in a new run, so that other values may be given; the old one stays as it is.
        on_nan: stop when a number is NaN or infinite; or rollback to the last checkpoint and go on
            with half the learning rates, up to three times.
        dry_run: print the resolved recipe and stop.
        evaluate_every: measure the samples after every so many epochs, on the validation images.
        stop_on: end the run, saved, with exit status 3, at a finding of this severity.
        quiet: no progress bar, and no findings on the screen.
    """
    from counterfeit import recipe as recipes_
    from counterfeit.progress import Bar

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
    shortcuts = {
        "data": data and {"name": data},
        "training.epochs": epochs,
        "training.batch_size": batch_size,
        "training.precision": precision,
    }
    given = {key: value for key, value in shortcuts.items() if value is not None}
    base = recipes_.load(recipe) if recipe is not None else own
    spec = base.with_values(given).with_overrides(set_ or [])
    if resume is not None and not fork:
        _refuse_changes(parent, spec, seed=seed, out=out, data_dir=data_dir)
    if dry_run:
        print(spec.to_toml(), end="")
        return

    from counterfeit.insight.diagnose import Watch
    from counterfeit.insight.tables import finding_line
    from counterfeit.training import loop

    on_epoch: list[loop.OnEpoch] = []
    if evaluate_every is not None:
        from counterfeit.measure.runs import Evaluator

        on_epoch.append(Evaluator(evaluate_every))
    with Bar(spec.training.epochs, quiet=quiet) as bar:
        on_epoch.append(
            Watch(
                lambda finding: bar.say(finding_line(finding)),
                stop_on_critical=stop_on == "critical",
            )
        )
        if resume is not None:
            if fork:
                parent = fork_run(
                    parent, spec, seed=seed, device=device, out=out, data_dir=data_dir
                )
            run = loop.resume(
                parent.path,
                epochs=spec.training.epochs,
                device=device,
                on_nan=on_nan,
                on_row=[bar.on_row],
                on_epoch=on_epoch,
            )
        else:
            run = loop.train(
                spec,
                seed=seed or 0,
                device=device,
                out=out or "runs",
                data_dir=data_dir,
                on_nan=on_nan,
                on_row=[bar.on_row],
                on_epoch=on_epoch,
            )
    print(run.path)


@app.command
def evaluate(
    run: Path,
    /,
    *,
    samples: int = 10_000,
    epoch: int | None = None,
    split: Literal["test", "validation"] = "test",
    inception: Path | None = None,
    quiet: Quiet = False,
) -> None:
    """Measure how good a run's images are, beside real ones, and add a row to its metrics.jsonl.

    docs/metrics.md says what each number means and cannot see.

    Args:
        run: a run directory.
        samples: how many images to draw; the paper's protocol takes 10,000.
        epoch: measure an earlier epoch: 1, 2, 5, 10, 20, 50 and so on are kept [default: the last].
        split: compare with the test images; or with validation images, to choose by the result.
        inception: torch-fidelity's weights of Inception, to compare its features too; images
            without labels have no FID, precision or recall otherwise.
        quiet: no progress bar.
    """
    from counterfeit.insight.tables import metrics_table
    from counterfeit.measure.inception import WEIGHTS, Inception
    from counterfeit.measure.runs import evaluate as evaluate_run
    from counterfeit.measure.runs import measure_real, reference_for
    from counterfeit.progress import Bar
    from counterfeit.run import Run

    trained = Run.open(run)
    step = None if epoch is None else trained.step_at(epoch)
    with Bar(1, "reference: ", quiet=quiet) as bar:
        reference = reference_for(
            trained,
            split,
            inception=Inception.load(inception) if inception else None,
            progress=bar.on_stage,
        )
    with Bar(1, "samples: ", quiet=quiet) as bar:
        measured = evaluate_run(
            trained, samples=samples, step=step, reference=reference, progress=bar.on_stage
        )
    with Bar(1, "real images: ", quiet=quiet) as bar:
        real = measure_real(trained, reference, samples=samples, progress=bar.on_stage)
    print(metrics_table(trained.path.name, measured, real))
    if reference.classifier is None:
        print(
            f"\n{trained.recipe.data.name} has no labels: no classes, and no Inception score."
            + ("" if inception else f"\nFID, KID, precision and recall need --inception: {WEIGHTS}")
        )
    print(trained.path / "metrics.jsonl")


@app.command
def diagnose(run: Path, /) -> None:
    """Say what is wrong with a run, finished or not: on what evidence, and what to try.

    The exit status is 0 whether something is wrong or not. docs/diagnosis.md defines each finding.

    Args:
        run: a run directory.
    """
    from counterfeit.insight.diagnose import diagnose as diagnose_run
    from counterfeit.insight.tables import findings_text
    from counterfeit.run import Run

    trained = Run.open(run)
    print(findings_text(trained, diagnose_run(trained)))


@app.command
def sample(
    run: Path,
    /,
    *,
    count: Annotated[int, Parameter(name=["--count", "-n"])] = 100,
    out: Path | None = None,
    epoch: int | None = None,
    seed: int | None = None,
) -> None:
    """Draw new images from a run's generator.

    Args:
        run: a run directory.
        count: how many images.
        out: a .png for a grid, or a .npz with `images`, uint8 (N, C, H, W) [default: a PNG in the
            run's figures].
        epoch: from an earlier epoch: 1, 2, 5, 10, 20, 50 and so on are kept [default: the last].
        seed: fixes the latents [default: the run's].
    """
    from counterfeit.insight import figures
    from counterfeit.run import Run

    trained = Run.open(run)
    target = _writable(out or trained.path / "figures" / f"samples-{count}.png", ".png", ".npz")
    step = None if epoch is None else trained.step_at(epoch)
    figures.write_samples(trained.sample(count, seed=seed, step=step), target)
    print(target)


@app.command
def report(
    runs: Annotated[list[Path], Parameter(negative="")], /, *, out: Path | None = None
) -> None:
    """Write one self-contained HTML page about a run, or about several beside each other.

    Args:
        runs: run directories.
        out: the page [default: report.html in the run, or in the folder of several].
    """
    from counterfeit.insight.report import write_report
    from counterfeit.run import Run

    print(write_report([Run.open(run) for run in runs], out and _writable(out)))


@app.command
def reproduce(
    *,
    quick: Annotated[bool, Flag] = False,
    seed: int = 0,
    device: str = "auto",
    out: Path | None = None,
    data_dir: Path | None = None,
    quiet: Quiet = False,
) -> None:
    """Train the article's three stages and compare what it says with what is seen here.

    100 epochs a stage. Stages that are already in the output folder are not trained again, and
    one that was stopped goes on.

    Args:
        quick: 10 epochs a stage.
        seed: fixes all randomness.
        device: auto, cpu, cuda or mps.
        out: the folder for the three runs and the report [default: runs/reproduction].
        data_dir: where data sets are kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR].
        quiet: no progress bars.
    """
    from counterfeit.reproduce import reproduce_article

    folder = out or Path("runs") / ("reproduction-quick" if quick else "reproduction")
    print(
        reproduce_article(
            folder,
            epochs=10 if quick else 100,
            seed=seed,
            device=device,
            data_dir=data_dir,
            quiet=quiet,
        )
    )
