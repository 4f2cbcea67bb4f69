"""How good a run's images are."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from counterfeit import language
from counterfeit.cli.options import Flag, Lang, Quiet, Whole
from counterfeit.cli.output import suggest, writable
from counterfeit.cli.sets import as_json, evaluate_sets, numbers
from counterfeit.errors import CannotWrite, CounterfeitError
from counterfeit.language import tr
from counterfeit.terminal import columns, fill, say

if TYPE_CHECKING:
    from counterfeit.insight.verdict import Verdict
    from counterfeit.measure.images import Measured
    from counterfeit.run import Run
    from counterfeit.run.checkpoint import Checkpoint
    from counterfeit.run.stored import Samples


def evaluate(
    images: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    samples: Whole = 10_000,
    epoch: Whole | None = None,
    split: Literal["test", "validation"] = "test",
    rotnet: Annotated[bool, Flag] = False,
    inception: Path | None = None,
    data: str | None = None,
    against: Path | None = None,
    data_dir: Path | None = None,
    skip_broken: Annotated[bool, Flag] = False,
    out: Path | None = None,
    json: Annotated[bool, Flag] = False,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Measure how good images are, beside real ones: a run's, or any.

    A run's metrics.jsonl gets a row. Of several, runs or not, one table is made and nothing kept.
    docs/metrics.md says what each number means and cannot see.

    Args:
        images: a run directory; or a path of images, as `counterfeit data` takes it.
        samples: how many images to draw; the paper's protocol takes 10,000.
        epoch: measure an earlier epoch: 1, 2, 5, 10, 20, 50 and so on are kept [default: the last].
        split: compare with the test images; or with validation images, to choose by the result.
        rotnet: for images without labels, which have no FID, KID, precision or coverage otherwise:
            train a network to tell how they were turned, and compare its features; once, in some
            minutes, and from then on they are compared anyway.
        inception: torch-fidelity's weights of Inception, to compare its features too.
        data: what the images are to be like, a data set's name or a path; of a run, where its
            data lie, if no longer where it was trained, which it keeps.
        against: compare with other images instead, named like those that are measured; --data only
            lends its classifier then.
        data_dir: where data sets are kept now [default: the run's]; the run keeps it.
        skip_broken: go on without images that cannot be read; of a run its recipe says that.
        out: a .json file for what --json prints.
        json: print one JSON document instead, with the metrics' full names.
        quiet: no progress bar, and no word of what to do next.
    """
    language.use("en" if json else lang)  # programs read one language
    is_run = len(images) == 1 and against is None and (images[0] / "recipe.toml").is_file()
    if not is_run:
        evaluate_sets(
            images,
            data,
            against,
            samples=samples,
            split=split,
            inception=inception,
            rotnet=rotnet,
            data_dir=data_dir,
            skip_broken=skip_broken,
            out=out,
            json=json,
            quiet=quiet,
        )
        return
    run = images[0]
    from counterfeit.files import write_whole
    from counterfeit.insight.diagnose import diagnose
    from counterfeit.insight.tables import evaluation_text
    from counterfeit.insight.verdict import judge
    from counterfeit.measure.evaluate import NotKept, require_samples
    from counterfeit.measure.evaluate import evaluate as evaluate_run
    from counterfeit.measure.images import measure_real
    from counterfeit.measure.inception import Inception
    from counterfeit.measure.reference import reference_for
    from counterfeit.progress import Bar
    from counterfeit.run import Run
    from counterfeit.run.stored import Samples

    target = None if out is None else writable(out, ".json")
    trained = Run.open(run)
    trained.find_data(data, data_dir)
    require_samples(samples)
    # First, and once: a run that goes on removes old checkpoints.
    state = trained.newest() if epoch is None else trained.checkpoint(trained.step_at(epoch))
    if isinstance(state, Samples):
        samples = min(samples, len(state.images))
    with Bar(1, tr("reference") + ": ", quiet=quiet) as bar:
        reference = reference_for(
            trained,
            split,
            inception=Inception.load(inception) if inception else None,
            rotnet=rotnet,
            progress=bar.on_stage,
        )
    not_kept: CannotWrite | None = None
    with Bar(1, tr("samples") + ": ", quiet=quiet) as bar:
        try:
            measured = evaluate_run(
                trained,
                samples=samples,
                step=state,
                reference=reference,
                progress=bar.on_stage,
            )
        except NotKept as error:  # the table is shown all the same
            measured, not_kept = error.measured, error
    with Bar(1, tr("real images") + ": ", quiet=quiet) as bar:
        real = measure_real(reference, samples, progress=bar.on_stage)
    if not_kept is None:
        try:
            trained.add_real_scores(real.metrics)
        except CannotWrite as error:
            not_kept = error
    row = {
        "step": state.step,
        "epoch": state.epoch,
        "metrics": measured.metrics,
        "left_out": measured.left_out,
    }
    verdict = None
    with suppress(CounterfeitError):  # where other files are damaged, what was measured is shown
        metrics = trained.metrics if not_kept is None else [*trained.metrics, row]
        scores = trained.real_scores | real.metrics
        verdict = judge(trained, diagnose(trained), metrics=metrics, real=scores)
    document = _document(trained, state, verdict, measured, real)
    if target is not None:
        write_whole(target, document.encode())
    if json:
        print(document)
    else:
        width = columns(sys.stdout)
        epoch_ = tr("epoch {epoch}", epoch=f"{state.epoch:.4g}")
        say(fill(f"{trained.path.name}, {epoch_}", width))
        if verdict:
            say(fill(verdict.sentence, width))
        say(f"\n{evaluation_text(measured, real, width)}\n")
    if not_kept is not None:
        raise not_kept
    if not json:
        print(target or trained.path / "metrics.jsonl")
    suggest("counterfeit", "report", run, quiet=quiet)


def _document(
    run: "Run",
    state: "Checkpoint | Samples",
    verdict: "Verdict | None",
    samples: "Measured",
    real: "Measured",
) -> str:
    """For programs."""
    return as_json(
        {
            "run": str(run.path),
            "step": state.step,
            "epoch": state.epoch,
            "verdict": verdict and {"standing": verdict.standing, "sentence": verdict.sentence},
            **numbers(samples),
            "real": numbers(real),
        }
    )
