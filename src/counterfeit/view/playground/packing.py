"""A world as a browser draws it: plain numbers, few of them."""

import base64
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit.insight.report.words import coded
from counterfeit.language import translated
from counterfeit.run.findings import Finding
from counterfeit.view.playground.optimum import Places
from counterfeit.view.playground.telling import told
from counterfeit.view.playground.world import Look, World

ARROWS = 60
LEVELS = 254
"""Of a surface that is sent as bytes, beside 255 for no number."""


def packed(world: World) -> dict[str, Any]:
    """All that the page shows of a world now."""
    look, mixture = world.look(), world.mixture
    middle = 0.5 if look.comparable else 0.0
    reach = _reach(look, middle)
    picture: dict[str, Any] = {
        "updates": look.updates,
        "dim": mixture.dim,
        "half": mixture.half_width,
        "real": _numbers(look.real),
        "fake": _numbers(look.fake),
        "arrows": _numbers(look.arrows[:ARROWS]),
        "probabilistic": look.probabilistic,
        "range": [middle - reach, middle + reach],
        "told": list(told(look, len(mixture.centres))),
        "findings": [_finding(each) for each in world.findings()],
        "stopped": world.diverged is not None,
    }
    if mixture.dim == 1:
        fields = {"p_data": look.p_data, "p_g": look.p_g, "said": look.said}
        picture |= {name: _numbers(field) for name, field in fields.items()}
        picture["optimal"] = None if look.optimal is None else _numbers(look.optimal)
        picture["lines"] = [_numbers(each) for each in look.lines or ()]
    else:
        said, best = look.said, look.optimal
        picture["said"] = _bytes(said, middle, reach)
        picture["optimal"] = None if best is None else _bytes(best, middle, reach)
    return picture


def _reach(look: Look, middle: float) -> float:
    """How far from the middle the scale of D's answers goes: 1/2 for probabilities; for scores so
    far that nearly all are on it, and the best ones unless they are beyond 1."""
    if look.probabilistic:
        return 0.5
    said = (look.said - middle).abs().flatten()
    far = float(said.quantile(0.98)) if said.isfinite().all() else 1.0
    best = look.said if look.optimal is None else look.optimal
    highest = float((best - middle).abs().nan_to_num(0).max())
    return max(far, min(1.0, highest), 1e-3)


def _numbers(values: Float[Tensor, "..."]) -> list[Any]:
    """Nested lists of numbers with four decimals; None for what is no finite one."""
    if values.ndim > 1:
        return [_numbers(each) for each in values]
    finite = values.isfinite().tolist()
    return [
        round(value, 4) if known else None
        for value, known in zip(values.tolist(), finite, strict=True)
    ]


def _bytes(field: Places, middle: float, reach: float) -> str:
    """A surface by rows, each number between the ends of the scale as a byte, in base64."""
    levels = ((field - middle) / reach + 1) / 2 * LEVELS
    known = levels.clamp(0, LEVELS).nan_to_num(0).round().to(torch.uint8)
    known[field.isnan()] = LEVELS + 1
    return base64.b64encode(known.numpy().tobytes()).decode()


def _finding(finding: Finding) -> dict[str, str]:
    title = translated(finding.title)
    return {
        "title": title[:1].upper() + title[1:],
        "severity": finding.severity,
        "said_severity": translated(finding.severity),
        "span": translated(finding.span),
        "meaning": str(coded(translated(finding.meaning))),
        "advice": str(coded(translated(finding.advice))),
    }
