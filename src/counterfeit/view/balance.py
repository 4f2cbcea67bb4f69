"""How many of the generated images are of each class, by what a run's files say."""

from typing import Any

from counterfeit.insight.columns import newest_metrics, numbers
from counterfeit.language import tr
from counterfeit.measure.names import class_shares
from counterfeit.run import Run

Bars = list[dict[str, Any]]
"""`label`, `generated` and `data` of each class, shares in [0, 1], `data` None where unknown."""


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
    sizes: dict[str, int] = run.environment["classes"]
    total = sum(sizes.values())
    names = list(sizes)
    bars = [
        {
            "label": str(name.of_class),
            "generated": share.value,
            "error": share.spread,
            "data": sizes[names[n]] / total if len(names) == len(shares) else None,
        }
        for n, (name, share) in enumerate(shares.items())
    ]
    return tr("After epoch {epoch}.", epoch=f"{newest['epoch']:.4g}"), bars
