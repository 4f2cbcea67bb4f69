"""How many of the generated images are of each class, by what a run's files say."""

import math
from typing import Any

from counterfeit.insight.columns import newest_metrics, numbers
from counterfeit.language import tr
from counterfeit.measure.names import class_shares
from counterfeit.run import Run

Bars = list[dict[str, Any]]
"""Of each class `label`, `generated`, a share in [0, 1], and in percent of the longest bar
`width`, `from` and `to`, two standard errors about it, and `mark`, the data's, or None."""


def of_latents(run: Run) -> dict[str, Any] | None:
    """The classes of the fixed latents' images at each epoch that was examined, as `film.js` takes
    them; None where no classifier looked."""
    rows = [row for row in run.vitals if numbers(row, "classes")]
    if not rows:
        return None
    sizes: dict[str, int] = run.environment["classes"]
    seen = [numbers(row, "classes") for row in rows]
    count = max(len(sizes), 1 + max(map(max, seen)))
    if count < 1:
        return None
    labels = list(sizes) if len(sizes) == count else [str(n) for n in range(count)]
    total = sum(sizes.values())
    return {
        "labels": [*labels, tr("unsure")],
        "epochs": [row["epoch"] for row in rows],
        "shares": [
            [each.count(label) / len(each) for label in (*range(count), -1)] for each in seen
        ],
        "data": [*(size / total for size in sizes.values()), None] if len(sizes) == count else None,
    }


def measured(run: Run) -> tuple[str, Bars] | None:
    """By the newest evaluation: what was measured, and each class's share; None where none was."""
    newest = newest_metrics([row for row in run.metrics if class_shares(row["metrics"])])
    if newest is None:
        return None
    shares = class_shares(newest["metrics"])
    if any(math.isnan(share.value) for share in shares.values()):
        return None
    sizes: dict[str, int] = run.environment["classes"]
    data = [size / sum(sizes.values()) for size in sizes.values()]
    data = data if len(data) == len(shares) else []
    errors = [2 * (share.spread or 0) for share in shares.values()]
    most = max(
        [*data, *(s.value + error for s, error in zip(shares.values(), errors, strict=True))]
    )
    bars = [
        {
            "label": str(name.of_class),
            "generated": share.value,
            "width": 100 * share.value / most,
            "from": 100 * max(0, share.value - errors[n]) / most,
            "to": 100 * (share.value + errors[n]) / most,
            "mark": 100 * data[n] / most if data else None,
        }
        for n, (name, share) in enumerate(shares.items())
    ]
    return tr("After epoch {epoch}.", epoch=f"{newest['epoch']:.4g}"), bars
