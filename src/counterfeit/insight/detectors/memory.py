"""The training images: known by heart to D, copied by G, or broken to begin with."""

from counterfeit.insight.columns import column
from counterfeit.insight.detectors.collapse import COLLAPSED_SPREAD
from counterfeit.insight.detectors.detector import Seen, detector, last_spell
from counterfeit.insight.detectors.record import Record
from counterfeit.insight.detectors.series import running_median
from counterfeit.language import english

KNOWS = 0.65
KNOWS_EXAMINATIONS = 3


@detector(
    "discriminator-overfitting",
    "warning",
    needs=("d_knows",),
    evidence=(
        *("d_knows", "d_training", "d_held_out", "d_generated"),
        *("score_training", "score_held_out", "score_generated"),
    ),
    figure="outputs",
    meaning=english(
        "D recognises its training images instead of what real images have in common, so what"
        " it teaches G is to copy them."
    ),
    advice=english(
        "More training images, more --set discriminator.dropout, a smaller --set"
        " discriminator.hidden (channels of convolutional networks), or stop earlier."
    ),
    in_words=english("More training images, more dropout in D, a smaller D, or stop earlier."),
    source="Brock et al. 2019 (arXiv 1809.11096), section 4.2; Karras et al. 2020 (arXiv"
    " 2006.06676)",
)
def discriminator_overfitting(record: Record) -> Seen:
    """D rates the images it trains on above others of their kind."""
    rows = record.images_with("d_knows")
    knows = running_median(column(rows, "d_knows"))
    figure = "scores" if "score_training" in record.columns else None
    return Seen(rows, last_spell(knows > KNOWS, KNOWS_EXAMINATIONS), figure=figure)


EXHAUSTED = 0.98
EXHAUSTED_EPOCHS = 2


@detector(
    "exhausted-augmentation",
    "warning",
    needs=("augmented",),
    evidence=("augmented", "d_knows"),
    figure="samples",
    meaning=english(
        "Every image is augmented before D sees it, and D is still surer of training images than it"
        " may be: augmentation can do no more, and may show in G's images."
    ),
    advice=english(
        "More training images; more kinds of augmentation, as in --set"
        ' \'inputs.augment=["color", "translation", "cutout"]\'; a smaller D, or a lower --set'
        " discriminator.optimizer.lr."
    ),
    source="Karras et al. 2020 (arXiv 2006.06676), section 2.2: above a probability"
    " of about 0.8 augmentations leak",
)
def exhausted_augmentation(record: Record) -> Seen:
    """The probability of augmentation has risen to its end."""
    rows = record.epochs
    return Seen(rows, last_spell(column(rows, "augmented") > EXHAUSTED, EXHAUSTED_EPOCHS))


COPIED = 0.5
COPIED_EXAMINATIONS = 1


@detector(
    "memorisation",
    "warning",
    needs=("copied", "spread"),
    evidence=("copied",),
    figure="nearest",
    meaning=english("G's images are copies of training images."),
    advice=english(
        "More training images; a smaller --set generator.hidden (channels of convolutional"
        " networks)."
    ),
    in_words=english("More training images; a smaller G."),
    source="Meehan et al. 2020 (arXiv 2004.05675)",
)
def memorisation(record: Record) -> Seen:
    """Samples are much nearer to training images than unseen real images are."""
    rows = record.images_with("copied")
    near = (column(rows, "copied") < COPIED) & (column(rows, "spread") >= COLLAPSED_SPREAD)
    return Seen(rows, last_spell(near, COPIED_EXAMINATIONS))


BROKEN_SHARE = 0.02


@detector(
    "broken-data",
    "warning",
    needs=("data_repeated",),
    evidence=("data_repeated",),
    figure="preview",
    meaning=english(
        "Many training images are of one grey or equal to another one, and G will learn that."
    ),
    advice=english(
        "Look at them: `counterfeit data NAME --preview FILE.png`; fetch or export them again."
    ),
    in_words=english("Look at some in `counterfeit report`; fetch or export them again."),
    source='Karpathy 2019, "A Recipe for Training Neural Networks", step 1',
)
def broken_data(record: Record) -> Seen:
    """Training images that are flat, or that occur again and again."""
    rows = list(record.vitals)
    return Seen(rows, last_spell(column(rows, "data_repeated") > BROKEN_SHARE, 1))
