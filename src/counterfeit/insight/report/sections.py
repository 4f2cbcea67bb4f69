"""What the page shows of a run, in this order, and how to read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from counterfeit.game.losses import expected
from counterfeit.insight.charts.classes import reader_of
from counterfeit.insight.charts.history import HISTORY_EPOCHS
from counterfeit.language import english, tr, translated
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
    """In English, and so are the others (see `counterfeit.language`)."""
    caption: str
    alt: str
    kind: Kind
    applies: Callable[[Recipe], bool] = lambda _: True
    """Whether a run of this recipe can have the figure at all."""


SECTIONS = (
    Section(
        "samples",
        english("Samples"),
        english(
            "One hundred new images. Look for variety as much as for sharpness: every kind of image"
            " in the data should appear, and none twice."
        ),
        english("a grid of 100 generated images"),
        "pixels",
    ),
    Section(
        "film",
        english("All hundred latents, epoch by epoch"),
        english(
            "What G makes of the same hundred latents as training goes on; epoch 0 is before it."
            " Images that sharpen and then stay are a game that settles, and ones that keep turning"
            " into others are one that has not. The run's figures/animation.webp plays it, too."
        ),
        english("the images of the 100 fixed latents"),
        "film",
    ),
    Section(
        "history",
        english("One latent through training"),
        english(
            "The first of them after each epoch: left to right, then down. In a healthy run it"
            " settles into one readable image; noise or a blob that lasts means that G learns"
            " nothing, and an image that decays means that it has lost the game."
        ),
        english("the image of one fixed latent after each epoch, in a grid"),
        "pixels",
    ),
    Section(
        "latents",
        english("Eight latents through training"),
        english(
            "Each row is one fixed latent, each column the epoch above it; 0 is before training."
            " Rows that grow alike are mode collapse: G gives one answer to every question."
        ),
        english("eight fixed latents as rows, epochs as columns"),
        "labelled",
    ),
    Section(
        "losses",
        english("Losses"),
        english("Curves that look calm say nothing about the images."),
        english("D's and G's losses over the epochs, of each epoch's last batch and its mean"),
        "chart",
    ),
    Section(
        "outputs",
        english("What D answers"),
        english(
            "D's answers to real images, D(x), and to generated ones, D(G(z)): the median as a"
            " line, the middle half as a band; in pictures, nine tenths lie between dashed lines."
            " Bands that overlap at the dotted line mean that D cannot tell; bands stuck at 1 and 0"
            " mean that it always can, and then G has little to learn from."
        ),
        english("quantiles of D(x) and D(G(z)) over the epochs"),
        "chart",
        lambda spec: expected(spec.loss).probabilistic,
    ),
    Section(
        "scores",
        english("The critic's scores"),
        english(
            "This loss makes D a critic: it gives real images, f(x), and generated ones, f(G(z)),"
            " scores whose zero and unit mean nothing. The median is a line, the middle half a"
            " band; in pictures, nine tenths lie between dashed lines. The gap is how far apart the"
            " means are: one that shrinks while the images get better is a critic that is being"
            " caught up with."
        ),
        english(
            "quantiles of the critic's scores over the epochs, and the gap between their means"
        ),
        "chart",
        lambda spec: not expected(spec.loss).probabilistic,
    ),
    Section(
        "penalties",
        english("Penalties"),
        english(
            "What is added to D's loss to keep its slope or its answers in bounds, its weight"
            " included. A line that dives to nothing means that D is flat, or that the penalty does"
            " not act; one that climbs means that D outgrows it."
        ),
        english("the penalties on D over the epochs"),
        "chart",
        lambda spec: any(penalty is not None for _, penalty in spec.penalties),
    ),
    Section(
        "heads",
        english("Classes and codes"),
        english(
            "D also says which class an image is of, or which codes a generated one was made from,"
            " and its mistakes cost both players: this is what they cost D. Dotted, what guessing"
            " costs. A line that stays there means that D has not learned to read them, so that G"
            " learns nothing of them either."
        ),
        english("what D's mistakes about classes and codes cost over the epochs"),
        "chart",
        lambda spec: spec.has_heads,
    ),
    Section(
        "classes",
        english("Balance of the classes"),
        english(
            "How many of the generated images a fixed classifier takes for each class, beside the"
            " data. A class that is missing is mode collapse, even where each image looks good. The"
            " thin black lines are two standard errors."
        ),
        english("bars of each class's share of the data and of the generated images"),
        "chart",
    ),
    Section(
        "metrics",
        english("Quality over epochs"),
        english(
            "What the losses do not say. FID is the distance of the samples from real images;"
            " precision and density say how many samples look real, recall and coverage how much of"
            " the data they cover. Recall and coverage near 0 are mode collapse, however good a"
            " sample looks. The straight lines are what real training images score: the best to"
            " hope for."
        ),
        english("FID, precision, recall, density and coverage over the epochs"),
        "chart",
    ),
    Section(
        "maxout",
        english("Maxout"),
        english(
            "A maxout unit computes several linear functions of its input and answers with the"
            " highest: with two lines it can be a rectifier or an absolute value, with more any"
            " convex curve."
        ),
        english("the shapes of D's maxout units"),
        "chart",
        lambda spec: "maxout" in d_units(spec),
    ),
    Section(
        "maxout-history",
        english("Maxout through training"),
        english(
            "The pieces of D's two strongest units, a row each; the columns are epochs whose"
            " checkpoints are kept. Grey that turns into strokes has learned what to look for."
        ),
        english("templates of two maxout units as rows, epochs as columns"),
        "labelled",
        lambda spec: d_units(spec) == "maxout",
    ),
    Section(
        "gradients",
        english("Gradients"),
        english(
            "How strongly each network is pushed to change, on a logarithmic scale. A line that"
            " sinks by powers of ten means that learning stops, and one that shoots up that it"
            " breaks."
        ),
        english("the norms of D's and G's gradients over the epochs"),
        "chart",
    ),
    Section(
        "nearest",
        english("Nearest training images"),
        english(
            "After the gap stands the training image nearest, pixel by pixel, to the last sample of"
            " its row. A sample that equals it was memorised; one that only resembles it was"
            " generated."
        ),
        english("generated images, and beside each row the training image nearest to its last one"),
        "pixels",
    ),
    Section(
        "interpolation",
        english("From one latent to another"),
        english(
            "Each row walks in a straight line from one latent to another. A smooth change with"
            " readable images on the way shows that G has learned a space of images, not a list."
        ),
        english("rows of images between two latents"),
        "pixels",
        lambda spec: not spec.is_custom,
    ),
    Section(
        "preview",
        english("The data"),
        english("Real images, with their labels where they have any."),
        english("a few training images with their labels"),
        "labelled",
    ),
)


def note(figure: str, run: Run) -> str:
    """What must be known of this run to read its figure."""
    spec = run.recipe
    if figure in ("samples", "nearest", "interpolation"):
        notes = [tr("After epoch {epoch}.", epoch=f"{run.newest().epoch:.4g}")]
        if spec.generator.normalises_batches:
            notes.append(
                tr("BatchNorm uses its running statistics (eval mode), not the batch's own.")
            )
        if spec.generator.ema_decay:
            notes.append(
                tr(
                    "Made by the running average of G's weights; the losses are the newest"
                    " weights'."
                )
            )
        if figure == "samples" and run.classes:
            notes.append(tr("G was asked for as many of each class, class by class."))
        return " ".join(notes)
    if figure == "preview":
        if spec.is_foreign:
            return ""
        if spec.condition is not None:
            return tr("In training, G and D are told these classes.")
        return tr("Training shows D the images; it never sees labels.")
    if figure == "history":
        last = run.snapshot_epochs[-1]
        shown = min(last, HISTORY_EPOCHS)
        if shown < last:
            return tr("{shown} of {last} epochs, evenly chosen.", shown=str(shown), last=str(last))
        return tr("{last} epochs.", last=str(last)) if last > 1 else tr("One epoch.")
    if figure == "losses":
        return _equilibrium_note(spec)
    if figure == "classes":
        return tr("Read by {reader}.", reader=translated(reader_of(run)))
    if figure == "metrics":
        if run.real_scores:
            return ""
        return tr("What real images score was not measured; counterfeit evaluate does.")
    if figure == "maxout":
        return _maxout_note(spec)
    return ""


def _maxout_note(spec: Recipe) -> str:
    if d_units(spec) == "maxout":
        return tr(
            "A column is a unit of D's first layer, each row one of its pieces: a template over the"
            " pixels, where white counts for, black against and grey not at all. The unit answers"
            " with its best fitting piece. Shown are the units with the largest weights."
        )
    shared = tr(
        "Each hidden layer's activation: dashed its lines, solid their maximum, which all units of"
        " the layer share."
    )
    network = spec.discriminator
    if isinstance(network, MlpDiscriminator) and network.train_shared_maxout:
        return f"{shared} {tr('The lines are trained; in colours, their maximum before.')}"
    frozen = tr("The lines are frozen at their random start: the shape is chance.")
    return f"{shared} {frozen}"


def _equilibrium_note(spec: Recipe) -> str:
    """What the losses are, and where they rest when nobody can gain, by this recipe."""
    even = expected(spec.loss).equilibrium
    if even.d_loss is None:
        return tr("The loss is the loop's own, so that where it rests is not known.")
    if not isinstance(spec.loss, CrossEntropy):
        what = tr(
            "The loss is {name}. Dotted, the equilibrium, where G makes the data's images:",
            name=spec.loss.name,
        )
        d_loss = f"{even.d_loss:.3g}"
        if even.g_loss is None:
            rest = tr("D's loss is {d_loss} (D*), and G's may be anything.", d_loss=d_loss)
        else:
            g_loss = f"{even.g_loss:.3g}"
            rest = tr("D's loss is {d} (D*), and G's {g} (G*).", d=d_loss, g=g_loss)
        return f"{what} {rest}"
    what = tr(
        "D's loss is the mean of its two terms; near 0 while G's climbs, it means that D has won."
        " Dotted, the equilibrium, where G makes the data's images and D can only answer {output}:",
        output=f"{even.output:.2g}",
    )
    low, high = spec.loss.real_labels
    if low == high == 1 and not any(spec.loss.fake_labels) and not spec.loss.label_flips:
        if spec.loss.name == "minimax":
            rest = tr(
                "D's loss is log 2 = 0.69, half of the log 4 of the paper's value function, which"
                " sums the two terms, and G's is -log 2 = -0.69."
            )
        else:
            rest = tr(
                "D's loss is log 2 = 0.69, half of the log 4 of the paper's value function, which"
                " sums the two terms, and G's is log 2 as well."
            )
        return f"{what} {rest}"
    rest = tr(
        "with real labels from {low} to {high}, D's loss is {d_loss} (D*) and G's {g_loss} (G*),"
        " where labels of 1 would have log 2 = 0.69; and even a perfect D stays above 0.",
        low=f"{low:g}",
        high=f"{high:g}",
        d_loss=f"{even.d_loss:.2f}",
        g_loss=f"{even.g_loss:.2f}",
    )
    return f"{what} {rest}"
