"""A run's explorer: one HTML file that computes images in the browser, from disk and offline."""

import base64
import gzip
from typing import Any

import torch
from markupsafe import Markup

from counterfeit.data.published import credit
from counterfeit.exports.explorer.directions import first_layer_directions, principal_directions
from counterfeit.exports.explorer.facts import (
    CENTRAL,
    JUDGED,
    Training,
    latent_facts,
    verdict_facts,
)
from counterfeit.exports.explorer.runtime import LICENCE, VERSION, runtime
from counterfeit.exports.onnx import to_onnx
from counterfeit.exports.portable import portable
from counterfeit.insight.report.comparison import headings_of
from counterfeit.insight.report.frame import environment, scripted, text_of
from counterfeit.language import tr
from counterfeit.run import Run
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.own import require_ours

SCRIPTS = (
    "words.js", "facts.js", "engine.js", "latents.js", "pictures.js", "current.js", "wander.js",
    "verdict.js", "sliders.js", "gallery.js", "between.js", "map.js", "projection.js", "draw.js",
    "play.js",
)  # fmt: skip


def explorer(run: Run, step: int | Checkpoint | None = None, *, back: str | None = None) -> str:
    """The page on which a run's generator is explored by hand, after `step` updates or at the end.

    Nothing is computed by whoever serves it: the page holds both networks, ONNX Runtime Web, and
    some of the training images. It asks no host for anything.

    Args:
        back: the address of the run's page, where the explorer is served beside one.

    Raises:
        UsageError: onnx or onnxruntime is not installed, or the generator is not ours to build.
        CounterfeitError: there is no checkpoint, its networks cannot be exported, or ONNX Runtime
            Web is not there yet and cannot be fetched.
    """
    require_ours(run)
    state = run.checkpoint(step)
    generator = portable(run, "generator", state)
    generator.require_plain()
    script, binary = runtime()
    training = Training.of(run)
    verdict = verdict_facts(run, state, training)
    directions, described = _directions(run, state)
    parts = {
        "runtime": script.encode(),
        "binary": binary,
        "generator": to_onnx(generator),
        "directions": directions,
        "training": training.images.contiguous().numpy().tobytes(),
    }
    if verdict is not None:
        parts["discriminator"] = to_onnx(portable(run, "discriminator", state))
    ink = ["#ffffff", "#000000"]
    templates = environment("templates", package="counterfeit.exports.explorer")
    (heading,) = headings_of([run])
    return templates.get_template("explorer.html").render(
        headings=[heading],
        back=back,
        epoch=f"{state.epoch:.4g}",
        facts={
            "shape": run.image_shape,
            "classes": list(run.classes),
            "latent": latent_facts(run),
            "verdict": verdict,
            "training": {"count": len(training.images), "total": training.total},
            "directions": described,
            "ink": ink[not training.is_dark],
            "paper": ink[training.is_dark],
        },
        no_verdict=tr("D is a module of the user's own, and is not in this page.")
        if run.recipe.discriminator.name == "custom"
        else tr(
            "This D judges images by the batch they come in, and says nothing of a single one."
        ),
        about=_about(run, training, judged=verdict is not None),
        runtime_version=VERSION,
        licence=LICENCE.read_text(encoding="utf-8"),
        worker=Markup(text_of(templates, "worker.js")),
        parts={name: _packed(part) for name, part in parts.items() if part},
        **scripted(templates, SCRIPTS),
    )


def _directions(run: Run, state: Checkpoint) -> tuple[bytes, list[dict[str, Any]]]:
    """Their float32 numbers, one direction after the other, and what each kind of them is."""
    generator, latent = run.generator(state), run.recipe.latent
    sizes = list(run.environment["classes"].values()) if run.classes else []
    principal, shares = principal_directions(generator, latent, sizes)
    first = first_layer_directions(generator, latent)
    numbers = torch.cat([principal, first]).numpy().astype("<f4").tobytes()
    return numbers, [
        {
            "name": tr("Principal"),
            "how": tr(
                "The principal components of the first layer's activations, with their shares of"
                " the variance (GANSpace, Härkönen et al. 2020)."
            ),
            "count": len(principal),
            "shares": [round(share, 4) for share in shares.tolist()],
        },
        {
            "name": tr("First layer"),
            "how": tr(
                "The directions that the first layer's weights lengthen most (SeFa, Shen and Zhou"
                " 2021)."
            ),
            "count": len(first),
        },
    ]


def _packed(part: bytes) -> str:
    """gzip in base64, as the page's `unpacked` takes it."""
    return base64.b64encode(gzip.compress(part, mtime=0)).decode()


def _about(run: Run, training: Training, *, judged: bool) -> list[str]:
    """What must be known to read the page."""
    if training.total:
        lines = [
            tr(
                "The nearest training image is looked for among {count} of {total}, evenly chosen.",
                count=f"{len(training.images):,}",
                total=f"{training.total:,}",
            )
        ]
    else:
        lines = [tr("The training images are not here, so that none is shown beside the sample.")]
    if judged:
        lines.append(
            tr(
                "D's scale shows the middle {share} % of what it says of {count} training images"
                " and of as many generated ones.",
                share=f"{100 * (CENTRAL[1] - CENTRAL[0]):.0f}",
                count=f"{min(JUDGED, len(training.images) or JUDGED)}",
            )
        )
    return [*lines, *filter(None, [credit(run.recipe.data.name)])]
