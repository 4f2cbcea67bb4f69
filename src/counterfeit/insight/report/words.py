"""How the page words what the run's files hold: metrics' names, hashes, commands and evidence."""

import re

from markupsafe import Markup, escape

from counterfeit.language import english, tr, translated
from counterfeit.measure.names import MetricName

_HASH = re.compile(r"(?<!\.)\b([0-9a-f]{8})[0-9a-f]{8,}\b")
_COMMAND = re.compile(
    r"`(?P<quoted>[^`]+)`"
    r"|(?P<metric>[a-z_]+_[^\s_]+-v\d+-[0-9a-f]{8}_\w+)"
    r"|(?P<reader>[a-z-]+-v\d+-[0-9a-f]{8})"
    r"|counterfeit (?:train|evaluate|diagnose|report|sample|data|reproduce|recipes)\b"
    r"|--set [a-z][\w.]*\w(?:=(?:\.\.\.|[\w-]+(?:\.\d+)?))?"
    r"|--[a-z][a-z-]+\b"
)

UNBROKEN = 40
"""Characters of a command that stay on one line, which fits a phone."""

EVIDENCE = {
    "d_loss": english(
        "D's mean loss; where D answers with probabilities, guessing costs log 2 = 0.69"
    ),
    "g_loss": english("G's mean loss"),
    "d_real_mean": english("D's mean answer to real images; 1 is “real”, 0 is “generated”"),
    "d_fake_mean": english("D's mean answer to generated images; 1 is “real”, 0 is “generated”"),
    "d_real_q05": english("19 in 20 real images are answered with more than this; 1 is “real”"),
    "d_fake_q95": english(
        "19 in 20 generated images are answered with less than this; 0 is “generated”"
    ),
    "d_grad_norm": english("length of D's gradient: how strongly it is pushed to change"),
    "g_grad_norm": english("length of G's gradient: how strongly it is pushed to change"),
    "spread": english(
        "mean distance between two of the hundred latents' images; 1 for training images, 0 when"
        " all are alike"
    ),
    "class_agreement": english(
        "how often the hundred latents' images are of the class that was asked for, of those that"
        " the classifier is sure of"
    ),
    "data_classes": english(
        "how many classes the data have; by chance, the share above is one over it"
    ),
    "class": english("the class, counted from 0"),
    "its_spread": english(
        "mean distance between two of its images; 1 for training images of the class, 0 when all"
        " are alike"
    ),
    "seen_as_another": english("share of its images that surely are of another class"),
    "distance": english(
        "how far the hundred latents' images are from the training images (energy"
        " distance); 0 is the same distribution"
    ),
    "repeated": english("share of the hundred latents whose image is the commonest one"),
    "support": english(
        "about how many different images the hundred latents' are, by their near-copies"
    ),
    "real_support": english("the same of the training images, which say how near a copy is"),
    "unlike": english(
        "share of the hundred latents' images with a texture, contrast, colour or background"
        " that next to no training image has"
    ),
    "real_unlike": english("the same share of real images that were held out"),
    "moved": english(
        "mean distance from the same latents' images one epoch before; 1 is that between two"
        " training images"
    ),
    "nearest_real": english(
        "median distance to the nearest training image, as a multiple of these images' own"
    ),
    "extreme": english("share of the generated pixels that are black or white"),
    "real_extreme": english("the same share in the training images"),
    "d_knows": english("how often D rates a training image above a held-out one; 0.5 by chance"),
    "d_training": english("D's mean answer to training images"),
    "d_held_out": english("D's mean answer to real images that were held out"),
    "d_generated": english("D's mean answer to generated images"),
    "score_training": english("the critic's mean score of training images"),
    "score_held_out": english("the critic's mean score of real images that were held out"),
    "score_generated": english("the critic's mean score of generated images"),
    "score_gap": english("the critic's mean score of real images less that of generated ones"),
    "score_real_q05": english("19 in 20 real images are scored above this"),
    "score_fake_q95": english("19 in 20 generated images are scored below this"),
    "separation": english(
        "how far real images' scores are above those of generated ones, as a multiple of how far"
        " apart the scores of one kind are; 0 where the critic cannot tell"
    ),
    "score_width": english(
        "how far apart the scores of one kind of image are, nine tenths of them"
    ),
    "image_distance": english("mean distance between two training images, in G's range"),
    "highest_gap": english("the highest that the gap between the scores was"),
    "penalty_gradient": english("what the gradient penalty adds to D's loss"),
    "penalty_r1": english("what R1 adds to D's loss"),
    "penalty_r2": english("what R2 adds to D's loss"),
    "penalty_consistency": english("what the consistency penalty adds to D's loss"),
    "penalty_codes": english("what D gets wrong about the codes, in its loss"),
    "guessed": english("the same where D only guesses"),
    "augmented": english("probability with which an image is augmented before D sees it"),
    "sampled_in_train_mode": english("how often images were drawn in train mode in that epoch"),
    "trained_in_eval_mode": english("share of G's updates that were made in eval mode"),
    "latents_repeated": english("share of the batches of latents that had been seen before"),
    "shown_mean": english(
        "mean pixel of real images as D is shown them; 0 and 1 are the ends of G's range"
    ),
    "shown_std": english("standard deviation of real images' pixels as D is shown them"),
    "real_mean": english("mean pixel of the data in G's range"),
    "real_std": english("standard deviation of the data's pixels in G's range"),
    "copied": english(
        "distance to the nearest training image, as a multiple of what it is for held-out images;"
        " well below 1 are copies"
    ),
    "data_repeated": english(
        "share of the training images that are of one grey or equal to another one"
    ),
    "g_dead": english("share of units in G's worst layer that are off for every input"),
    "d_dead": english("share of units in D's worst layer that are off for every input"),
    "d_idle_pieces": english(
        "share of maxout pieces in D's worst layer that are never the largest"
    ),
    "batchnorm_gap": english(
        "distance between what one latent becomes in training and when sampled; 1 is that between"
        " two training images"
    ),
    "best": english("the best value that it had"),
    "best_epoch": english("the epoch of the best value"),
    "tensor": english("the first of the network's tensors that is not finite"),
    "tensors": english("how many of them are not finite"),
    "rolled_back_to": english("the update that training went back to"),
}
"""What a finding's numbers mean, and what is normal."""


def shortened(text: str) -> str:
    """Long hashes by their first eight digits."""
    return _HASH.sub(r"\1…", text)


def coded(text: str) -> Markup:
    """Text whose commands are in the style of code, and whose metrics and classifiers in words."""
    parts, end = [], 0
    for found in _COMMAND.finditer(text):
        parts.append(escape(text[end : found.start()]))
        name = Markup('<span title="{}">{}</span>')
        if found["metric"]:
            parts.append(name.format(found[0], worded(found[0])))
        elif found["reader"]:
            reader = translated(MetricName("", found[0]).reader)
            parts.append(name.format(found[0], tr("the {reader}", reader=reader)))
        else:
            command = found["quoted"] or found[0]
            style = Markup(' class="long"') if len(command) > UNBROKEN else ""
            parts.append(Markup("<code{}>{}</code>").format(style, command))
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def worded(text: str) -> str:
    """A metric's name in words, with what was compared; any other text as it is."""
    name = MetricName.parse(text)
    if name.count is None:
        return text
    what = translated(name.short)
    if name.of_class is not None:
        label = str(name.of_class)
        if name.metric.startswith("class_accuracy"):
            what = tr("accuracy of class {label}", label=label)
        else:
            what = tr("share of class {label}", label=label)
    return f"{what} ({', '.join(map(translated, name.protocol_parts))})"


def breakable(text: str) -> Markup:
    """A dotted key that may be broken after its dots and underscores only."""
    return Markup(re.sub(r"(?<=\w[._])(?=\w)", "<wbr>", str(escape(text))))
