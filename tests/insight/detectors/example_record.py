"""Records of runs whose answer is known."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from counterfeit import recipe
from counterfeit.files import Row
from counterfeit.insight.detectors import Record, examine

STEPS = 300
"""Updates in an epoch of these tests: enough for a generator to be judged after the first."""
HEALTHY_LOG = {
    "d_loss": 0.5, "g_loss": 1.5, "d_real_mean": 0.7, "d_fake_mean": 0.3, "d_real_q05": 0.2,
    "d_fake_q95": 0.6, "d_grad_norm": 1.0, "g_grad_norm": 2.0,
}  # fmt: skip
HEALTHY_SIGNS = {
    "spread": 0.8, "moved": 0.4, "extreme": 0.7, "real_extreme": 0.8, "repeated": 0.01,
    "data_repeated": 0.0, "g_dead": 0.1, "batchnorm_gap": 0.1, "copied": 1.0, "d_knows": 0.52,
    "d_generated": 0.3, "d_training": 0.7, "d_held_out": 0.69, "support": 800.0,
    "real_support": 1000.0, "unlike": 0.05, "real_unlike": 0.04,
}  # fmt: skip

CUSTOM = recipe.load("batchnorm-smoothing").model_copy(
    update={
        "generator": recipe.CustomGenerator(
            name="custom", label="G", shapes={}, output="sigmoid", batch_norm=True
        ),
        "discriminator": recipe.CustomDiscriminator(name="custom", label="D", shapes={}),
        "loss": recipe.CustomLoss(name="custom", outputs="logits"),
    }
)
"""Of a loop that is not ours."""


def record(
    epochs: int = 10,
    log: dict[str, Any] | None = None,
    signs: dict[str, Any] | None = None,
    spec: recipe.Recipe | None = None,
) -> Record:
    """A run that gets better all the time, but for the given values; a list has one an epoch."""

    def rows(healthy: dict[str, Any], other: dict[str, Any] | None) -> list[Row]:
        values = healthy | (other or {})
        return [
            {"step": STEPS * epoch, "epoch": float(epoch)}
            | {k: v[epoch - 1] if isinstance(v, list) else v for k, v in values.items()}
            for epoch in range(1, epochs + 1)
        ]

    nearer = {"distance": [1 / epoch for epoch in range(1, epochs + 1)]}
    first = {"step": 0, "epoch": 0, "distance": 1.6, "spread": 0.02, "data_repeated": 0.0}
    return Record(
        spec or recipe.load("batchnorm-smoothing"),
        rows(HEALTHY_LOG, log),
        [first, *rows(HEALTHY_SIGNS | nearer, signs)],
        kept_epochs=(1, 2, 5, 9, 10),
    )


def only(found: Record, columns: Iterable[str]) -> Record:
    """What is left of a record that has these columns alone."""
    kept = {"step", "epoch", "classes", "asked", "class_spread", *columns}
    log, vitals = (
        [{key: value for key, value in row.items() if key in kept} for row in rows]
        for rows in (found.log, found.vitals)
    )
    return replace(found, log=log, vitals=vitals)


def names(found: Record) -> set[str]:
    return {finding.name for finding in examine(found)}


SCORES = {
    "score_gap": 1.0, "score_real_mean": 1.0, "score_fake_mean": 0.0, "score_real_q05": 0.0,
    "score_real_q95": 2.0, "score_fake_q05": -1.0, "score_fake_q95": 1.0,
}  # fmt: skip
"""What a critic says while nothing is wrong."""

BROKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "discriminator-overpowering": ({"d_real_q05": 0.99, "d_fake_q95": 0.01}, {}),
    "garbage-passes": ({"d_real_mean": 0.5, "d_fake_mean": 0.5}, {"distance": [1.1] * 10}),
    "critic-overpowering": ({"d_loss": 0.001, "score_real_q05": 2.0, "score_fake_q95": 0.1}, {}),
    "blind-critic": (SCORES | {"score_gap": 0.1}, {"distance": [1.1] * 10}),
    "flat-critic": ({"score_gap": 1e-9, "g_grad_norm": 1e-8}, {}),
    "exploding-critic": (SCORES | {"score_real_q95": 90.0}, {"real_distance": 10.0}),
    "stalled-critic": ({"score_gap": 1.0}, {"distance": [0.5] * 10}),
    "idle-penalty": ({"penalty_gradient": 0.0}, {}),
    "heavy-penalty": (
        {"penalty_r1": [90.0] + [50.0] * 9, "penalty_r2": 0.1},
        {"distance": [0.5] * 10},
    ),
    "mode-collapse": ({}, {"spread": 0.02}),
    "partial-mode-collapse": ({}, {"repeated": 0.25, "spread": 0.6}),
    "mode-hopping": ({}, {"moved": 1.1}),
    "ignored-label": (
        {},
        {
            "class_agreement": 0.1,
            "data_classes": 10,
            "classes": [[i % 10 for i in range(100)]] * 10,
        },
    ),
    "collapsed-class": (
        {},
        {"class_spread": [[0.9, 0.05, 0.8]] * 10, "least_class_spread": 0.05},
    ),
    "ignored-codes": ({"penalty_codes": 2.6}, {}),
    "no-progress": ({}, {"distance": [1.5] * 10}),
    "unlike-real-images": ({}, {"unlike": 0.9, "distance": [0.3] * 10}),
    "saturated-outputs": ({}, {"extreme": 0.99}),
    "best-long-ago": ({}, {"distance": [0.5, 0.3, 0.1, 0.1, 0.1, 0.5, 0.6, 0.7, 0.8, 0.8]}),
    "gradient-explosion": ({"g_grad_norm": 500.0}, {}),
    "dead-units": ({}, {"g_dead": 0.9}),
    "discriminator-overfitting": ({}, {"d_knows": 0.9, "d_held_out": 0.2}),
    "exhausted-augmentation": ({"augmented": 1.0}, {}),
    "memorisation": ({}, {"copied": 0.1}),
    "batchnorm-gap": ({}, {"batchnorm_gap": 0.9}),
    "broken-data": ({}, {"data_repeated": 0.5}),
    "wrong-range": (
        {},
        {"shown_mean": 0.65, "shown_std": 0.15, "real_mean": 0.3, "real_std": 0.3},
    ),
    "labels-swapped": (
        {"d_real_mean": 0.2, "d_fake_mean": 0.8, "score_gap": -1.0},
        {"distance": [1.1] * 10},
    ),
    "latents-reused": ({}, {"latents_repeated": 1.0}),
    "sampled-in-train-mode": ({}, {"sampled_in_train_mode": 1.0}),
    "trained-in-eval-mode": ({}, {"trained_in_eval_mode": 1.0}),
}
