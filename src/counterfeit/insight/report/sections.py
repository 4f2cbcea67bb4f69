"""What the page shows of a run, in this order, and how to read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from counterfeit.game.losses import expected
from counterfeit.insight.charts.classes import reader_of
from counterfeit.insight.charts.history import HISTORY_EPOCHS
from counterfeit.insight.charts.metrics import protocol_of
from counterfeit.recipe import CrossEntropy, MlpDiscriminator, Recipe
from counterfeit.run import Run

Kind = Literal["pixels", "labelled", "chart", "film"]
"""A grid of images, shown at whole multiples of its size; one with text in it; a chart, which is
dark on a dark page; or a grid of images for each epoch, with a slider."""


def d_units(spec: Recipe) -> str:
    """The kind of D's units, where it is a perceptron; nothing of another network."""
    D = spec.discriminator
    return D.activation if isinstance(D, MlpDiscriminator) else ""


@dataclass(frozen=True)
class Section:
    """A figure of each run, and how to read them."""

    name: str
    """Of `charts.FIGURES`; also the section's anchor."""
    title: str
    caption: str
    alt: str
    kind: Kind
    applies: Callable[[Recipe], bool] = lambda _: True
    """Whether a run of this recipe can have the figure at all."""


SECTIONS = (
    Section(
        "samples",
        "Samples",
        "One hundred new images. Look for variety as much as for sharpness: every kind of image in"
        " the data should appear, and none twice.",
        "a grid of 100 generated images",
        "pixels",
    ),
    Section(
        "film",
        "All hundred latents, epoch by epoch",
        "What G makes of the same hundred latents as training goes on; epoch 0 is before it. Images"
        " that sharpen and then stay are a game that settles, and ones that keep turning into"
        " others are one that has not. The run's figures/animation.webp plays it, too.",
        "the images of the 100 fixed latents",
        "film",
    ),
    Section(
        "history",
        "One latent through training",
        "The first of them after each epoch: left to right, then down. In a healthy run it settles"
        " into one readable image; noise or a blob that lasts means that G learns nothing, and an"
        " image that decays means that it has lost the game.",
        "the image of one fixed latent after each epoch, in a grid",
        "pixels",
    ),
    Section(
        "latents",
        "Eight latents through training",
        "Each row is one fixed latent, each column the epoch above it; 0 is before training. Rows"
        " that grow alike are mode collapse: G gives one answer to every question.",
        "eight fixed latents as rows, epochs as columns",
        "labelled",
    ),
    Section(
        "losses",
        "Losses",
        "Curves that look calm say nothing about the images.",
        "D's and G's losses over the epochs, of each epoch's last batch and its mean",
        "chart",
    ),
    Section(
        "outputs",
        "What D answers",
        "D's answers to real images, D(x), and to generated ones, D(G(z)): the median as a line,"
        " the middle half as a band; in pictures, nine tenths lie between dashed lines. Bands that"
        " overlap at the dotted line mean that D cannot tell; bands stuck at 1 and 0 mean that it"
        " always can, and then G has little to learn from.",
        "quantiles of D(x) and D(G(z)) over the epochs",
        "chart",
        lambda spec: expected(spec.loss).probabilistic,
    ),
    Section(
        "scores",
        "The critic's scores",
        "This loss makes D a critic: it gives real images, f(x), and generated ones, f(G(z)),"
        " scores whose zero and unit mean nothing. The median is a line, the middle half a band;"
        " in pictures, nine tenths lie between dashed lines. The gap is how far apart the means"
        " are: one that shrinks while the images get better is a critic that is being caught up"
        " with.",
        "quantiles of the critic's scores over the epochs, and the gap between their means",
        "chart",
        lambda spec: not expected(spec.loss).probabilistic,
    ),
    Section(
        "classes",
        "Balance of the classes",
        "How many of the generated images a fixed classifier takes for each class, beside the data."
        " A class that is missing is mode collapse, even where each image looks good. The thin"
        " black lines are two standard errors.",
        "bars of each class's share of the data and of the generated images",
        "chart",
    ),
    Section(
        "metrics",
        "Quality over epochs",
        "What the losses do not say. FID is the distance of the samples from real images; precision"
        " and density say how many samples look real, recall and coverage how much of the data"
        " they cover. Recall and coverage near 0 are mode collapse, however good a sample looks."
        " The straight lines are what real training images score: the best to hope for.",
        "FID, precision, recall, density and coverage over the epochs",
        "chart",
    ),
    Section(
        "maxout",
        "Maxout",
        "A maxout unit computes several linear functions of its input and answers with the highest:"
        " with two lines it can be a rectifier or an absolute value, with more any convex curve.",
        "the shapes of D's maxout units",
        "chart",
        lambda spec: "maxout" in d_units(spec),
    ),
    Section(
        "maxout-history",
        "Maxout through training",
        "The pieces of D's two strongest units, a row each; the columns are epochs whose"
        " checkpoints are kept. Grey that turns into strokes has learned what to look for.",
        "templates of two maxout units as rows, epochs as columns",
        "labelled",
        lambda spec: d_units(spec) == "maxout",
    ),
    Section(
        "gradients",
        "Gradients",
        "How strongly each network is pushed to change, on a logarithmic scale. A line that sinks"
        " by powers of ten means that learning stops, and one that shoots up that it breaks.",
        "the norms of D's and G's gradients over the epochs",
        "chart",
    ),
    Section(
        "nearest",
        "Nearest training images",
        "After the gap stands the training image nearest, pixel by pixel, to the last sample of"
        " its row. A sample that equals it was memorised; one that only resembles it was"
        " generated.",
        "generated images, and beside each row the training image nearest to its last one",
        "pixels",
    ),
    Section(
        "interpolation",
        "From one latent to another",
        "Each row walks in a straight line from one latent to another. A smooth change with"
        " readable images on the way shows that G has learned a space of images, not a list.",
        "rows of images between two latents",
        "pixels",
    ),
    Section(
        "preview",
        "The data",
        "Real images with their labels. Training shows D the images; it never sees the labels.",
        "a few training images with their labels",
        "labelled",
    ),
)

SHARED_MAXOUT = (
    "Each hidden layer's activation: dashed its lines, solid their maximum, which all units of the"
    " layer share. "
)
MAXOUT = (
    "A column is a unit of D's first layer, each row one of its pieces: a template over the"
    " pixels, where white counts for, black against and grey not at all. The unit answers with its"
    " best fitting piece. Shown are the units with the largest weights."
)


def note(figure: str, run: Run) -> str:
    """What must be known of this run to read its figure."""
    spec = run.recipe
    if figure in ("samples", "nearest", "interpolation"):
        note = f"After epoch {run.checkpoint().epoch:.4g}."
        if spec.generator.normalises_batches:
            note += " BatchNorm uses its running statistics (eval mode), not the batch's own."
        if spec.generator.ema_decay:
            note += (
                " Made by the running average of G's weights; the losses are the newest weights'."
            )
        return note
    if figure == "history":
        last = run.snapshot_epochs[-1]
        shown = min(last, HISTORY_EPOCHS)
        return f"{shown} of {last} epochs, evenly chosen." if shown < last else f"{last} epochs."
    if figure == "losses":
        return _equilibrium_note(spec)
    if figure == "classes":
        return f"Read by {reader_of(run)}."
    if figure == "metrics":
        protocol = f"The protocol is that of {protocol_of(run)}."
        if run.real_scores:
            return protocol
        return f"{protocol} What real images score was not measured; counterfeit evaluate does."
    if figure == "maxout":
        if d_units(spec) == "maxout":
            return MAXOUT
        if isinstance(spec.discriminator, MlpDiscriminator) and (
            spec.discriminator.train_shared_maxout
        ):
            return SHARED_MAXOUT + "The lines are trained; in colours, their maximum before."
        return SHARED_MAXOUT + "The lines are frozen at their random start: the shape is chance."
    return ""


def _equilibrium_note(spec: Recipe) -> str:
    """What the losses are, and where they rest when nobody can gain, by this recipe."""
    even = expected(spec.loss).equilibrium
    if not isinstance(spec.loss, CrossEntropy):
        g_loss = "G's may be anything" if even.g_loss is None else f"G's {even.g_loss:.3g} (G*)"
        return (
            f"The loss is {spec.loss.name}. Dotted, the equilibrium, where G makes the data's"
            f" images: D's loss is {even.d_loss:.3g} (D*), and {g_loss}."
        )
    what = (
        "D's loss is the mean of its two terms; near 0 while G's climbs, it means that D has won."
        " Dotted, the equilibrium, where G makes the data's images and D can only answer"
        f" {even.output:.2g}:"
    )
    low, high = spec.loss.real_labels
    if low == high == 1 and not any(spec.loss.fake_labels) and not spec.loss.label_flips:
        g_loss = "-log 2 = -0.69" if spec.loss.name == "minimax" else "log 2 as well"
        return (
            f"{what} D's loss is log 2 = 0.69, half of the log 4 of the paper's value function,"
            f" which sums the two terms, and G's is {g_loss}."
        )
    return (
        f"{what} with real labels from {low:g} to {high:g}, D's loss is {even.d_loss:.2f} (D*) and"
        f" G's {even.g_loss:.2f} (G*), where labels of 1 would have log 2 = 0.69; and even a"
        " perfect D stays above 0."
    )
