"""What the article says of its three stages, each statement beside what is seen here."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from counterfeit.insight.columns import column, epoch_losses
from counterfeit.insight.report import Agreement, Statement, anchor
from counterfeit.language import tr
from counterfeit.measure import classifier
from counterfeit.measure.modes import mode_coverage
from counterfeit.networks import SharedMaxout
from counterfeit.run import Run

ARTICLE_LOSSES = {
    1: (0.187, 4.87),
    10: (0.416, 2.138),
    25: (0.513, 1.676),
    50: (0.643, 0.994),
    75: (0.613, 1.012),
    100: (0.629, 1.007),
}
"""Stage 3's losses of D and G in the last batch of an epoch, from the article's notebook."""

ARTICLE_EPOCHS = 100

WON = 0.1
"""D has won an epoch when its mean loss is below this: its answers are right to 90 % or more."""

FORMED = 10.0
"""Images of different latents that differ by less, in grey levels, are one image."""

SAMPLES = 10_000


def statements(runs: Sequence[Run]) -> list[Statement]:
    """What the article says of its three stages, in its order, and what these runs show."""
    sgd, adam, smoothing = runs
    seen = [
        _maxout_shapes(sgd),
        _discriminator_wins(sgd),
        _history_decays(sgd),
        _discriminator_does_not_win(adam),
        _images_stay_poor(adam),
        _losses_settle(smoothing),
        _digits_are_readable(smoothing),
        _no_helvetica_scenario(smoothing),
    ]
    short = min(run.log[-1]["epoch"] for run in runs)
    why = tr(
        "Open, as the article's runs have {article} epochs and these {here}.",
        article=str(ARTICLE_EPOCHS),
        here=f"{short:.4g}",
    )
    explained = [
        replace(each, seen=f"{each.seen} {why}") if each.agreement == "open" else each
        for each in seen
    ]
    return [*explained, _seconds_per_epoch(smoothing)]


def _maxout_shapes(run: Run) -> Statement:
    layers = [layer for layer in run.discriminator().modules() if isinstance(layer, SharedMaxout)]
    valleys = sum(bool(layer.weight.min() < 0 < layer.weight.max()) for layer in layers)
    return Statement(
        tr("The maxout that D learns often has the shape of an absolute value."),
        tr("section {number}", number="2.2"),
        tr(
            "{valleys} of {layers} shapes fall and then rise. They are not learned: the lines are"
            " in no optimiser and stay at their random start.",
            valleys=str(valleys),
            layers=str(len(layers)),
        ),
        "agrees" if valleys else "differs",
        anchor("maxout", 1),
    )


def _discriminator_wins(run: Run) -> Statement:
    mean = epoch_losses(run.log)[1]
    won = first_won_epoch(mean)
    d, g = mean[-1, 1:]
    losses = tr(
        "in the last epoch, {epoch}, D's mean loss is {d} and G's {g}.",
        epoch=str(len(mean)),
        d=f"{d:.3f}",
        g=f"{g:.2f}",
    )
    agreement: Agreement
    if won is None:
        seen = tr("D does not win: {losses}", losses=losses)
        agreement = "differs" if len(mean) >= ARTICLE_EPOCHS else "open"
    else:
        seen = tr(
            "D wins in epoch {epoch}, the first in which its mean loss is below {won}; {losses}",
            epoch=str(won),
            won=str(WON),
            losses=losses,
        )
        agreement = "agrees" if won >= 30 and g > mean[won - 1, 2] else "differs"
    return Statement(
        tr(
            "Stage 1: both losses stay close until about epoch 50; then D wins and G's loss climbs."
        ),
        tr("section {number}", number="3.2"),
        seen,
        agreement,
        anchor("losses", 1),
    )


def _history_decays(run: Run) -> Statement:
    epochs = run.snapshot_epochs[1:]
    spreads = {epoch: spread(run.snapshot(epoch)) for epoch in epochs}
    best, last = max(spreads, key=lambda epoch: spreads[epoch]), epochs[-1]
    formed = spreads[best] > FORMED
    seen = tr(
        "The hundred fixed latents differ from each other most in epoch {best} (by {most} grey"
        " levels a pixel) and by {least} in epoch {last}; training images, by {real}.",
        best=str(best),
        most=f"{spreads[best]:.1f}",
        least=f"{spreads[last]:.1f}",
        last=str(last),
        real=f"{spread(run.load_data('train').images[:1000].numpy()):.1f}",
    )
    if not formed:
        seen = f"{seen} {tr('There was nothing to decay: no images formed.')}"
    return Statement(
        tr("Stage 1: the images of the fixed latents decay as D wins."),
        tr("section {number}", number="3.2"),
        seen,
        _agreement(formed and spreads[last] < spreads[best] / 2, run),
        anchor("latents", 1),
    )


def _discriminator_does_not_win(run: Run) -> Statement:
    mean = epoch_losses(run.log)[1]
    won = first_won_epoch(mean)
    d, g = mean[-1, 1:]
    losses = tr("D's mean loss is {d} in the last epoch and G's {g}", d=f"{d:.3f}", g=f"{g:.3f}")
    if won:
        seen = tr("{losses}; D won in epoch {epoch}.", losses=losses, epoch=str(won))
    else:
        seen = tr("{losses}; log 2 = 0.693 is what guessing costs.", losses=losses)
    return Statement(
        tr("Stage 2: D no longer wins."),
        tr("section {number}", number="4.1"),
        seen,
        "differs" if won else "agrees",
        anchor("losses", 2),
    )


def _images_stay_poor(run: Run) -> Statement:
    sure, classes = _sure_and_classes(run)
    return Statement(
        tr("Stage 2: the images stay poor."),
        tr("section {number}", number="4.1"),
        tr(
            "A classifier is sure (above 90 %) of the digit in {sure} of {samples} samples, and"
            " finds {classes} of the 10 classes among them.",
            sure=f"{sure:.0%}",
            samples=f"{SAMPLES:,}",
            classes=str(classes),
        ),
        "agrees" if sure < 0.5 or classes < 10 else "differs",
        anchor("samples", 2),
    )


def _losses_settle(run: Run) -> Statement:
    last = epoch_losses(run.log)[0]
    here = {int(epoch): (d, g) for epoch, d, g in last if epoch in ARTICLE_LOSSES}
    pairs = ", ".join(
        tr(
            "epoch {epoch}: {here} (article {article})",
            epoch=str(epoch),
            here=f"{d:.3f} / {g:.2f}",
            article=f"{ARTICLE_LOSSES[epoch][0]:.3f} / {ARTICLE_LOSSES[epoch][1]:.2f}",
        )
        for epoch, (d, g) in here.items()
    )
    agreement: Agreement = "open"
    if len(last) >= ARTICLE_EPOCHS:
        first, final = here[1], here[ARTICLE_EPOCHS]
        settles = final[0] > first[0] and final[1] < first[1]
        near = abs(final[0] - 0.629) < 0.15 and abs(final[1] - 1.007) < 0.5
        agreement = "agrees" if settles and near else "differs"
    return Statement(
        tr(
            "Stage 3: D's loss rises from .187 to .629 and G's falls from 4.87 to 1.01 in 100"
            " epochs."
        ),
        tr("section {number} and notebook", number="5"),
        tr("D / G in the last batch of {pairs}.", pairs=pairs),
        agreement,
        anchor("losses", 3),
    )


def _digits_are_readable(run: Run) -> Statement:
    sure, _ = _sure_and_classes(run)
    return Statement(
        tr("Stage 3: the images become readable digits."),
        tr("section {number}", number="5"),
        tr(
            "A classifier is sure (above 90 %) of the digit in {sure} of {samples} samples.",
            sure=f"{sure:.0%}",
            samples=f"{SAMPLES:,}",
        ),
        _agreement(sure > 0.5, run),
        anchor("history", 3),
    )


def _no_helvetica_scenario(run: Run) -> Statement:
    measured = mode_coverage(
        classifier.mnist().read(run.sample(SAMPLES)).probabilities, _labels(run)
    )
    shares = [measured[f"share_{digit}"].value for digit in range(10)]
    most, least = int(np.argmax(shares)), int(np.argmin(shares))
    found = int(measured["classes_found"].value)
    return Statement(
        tr("Stage 3: samples show many digits, no Helvetica scenario."),
        tr("section {number}", number="5"),
        tr(
            "{found} of the 10 classes are found among {samples} samples: {most_share} are {most}s"
            " and {least_share} are {least}s, where about 10 % would be fair.",
            found=str(found),
            samples=f"{SAMPLES:,}",
            most_share=f"{shares[most]:.1%}",
            most=str(most),
            least_share=f"{shares[least]:.1%}",
            least=str(least),
        ),
        _agreement(found >= 9, run),
        anchor("samples", 3),
    )


def _seconds_per_epoch(run: Run) -> Statement:
    images = len(run.load_data("train")) // run.recipe.training.batch_size
    images *= run.recipe.training.batch_size
    seconds = images / np.median(column(run.log, "images_per_second"))
    facts = run.environment
    where = facts.get("device_name") or facts.get("processor")
    return Statement(
        tr("An epoch takes about 9 seconds on a hosted GPU."),
        tr("notebook"),
        tr(
            "A median of {seconds} s of stage 3 here. Open, as the hardware is another: {where},"
            " threads: {threads}.",
            seconds=f"{seconds:.1f}",
            where=str(where),
            threads=str(facts.get("threads")),
        ),
        "open",
    )


def _agreement(agrees: bool, run: Run) -> Agreement:
    """A run shorter than the article's may agree already, but cannot differ yet."""
    if agrees:
        return "agrees"
    return "differs" if run.log[-1]["epoch"] >= ARTICLE_EPOCHS else "open"


def first_won_epoch(mean: NDArray[np.float64]) -> int | None:
    """The first epoch, of rows (epoch, D's loss, G's loss), that D has won; see `WON`."""
    won = np.flatnonzero(mean[:, 1] < WON)
    return int(np.ceil(mean[won[0], 0])) if len(won) else None


def spread(images: NDArray[np.uint8]) -> float:
    """How much images (N, C, H, W) differ: root mean square over pixels of their deviation, in grey
    levels of 255."""
    return float(np.sqrt(images.astype(np.float64).var(axis=0).mean()))


def _sure_and_classes(run: Run) -> tuple[float, int]:
    """The share of samples of which the classifier is sure, and the classes it finds in them."""
    probabilities = classifier.mnist().read(run.sample(SAMPLES)).probabilities
    measured = mode_coverage(probabilities, _labels(run))
    return 1 - measured["unsure"].value, int(measured["classes_found"].value)


def _labels(run: Run) -> Tensor:
    labels = run.load_data("train").labels
    assert labels is not None, "MNIST has labels"
    return labels
