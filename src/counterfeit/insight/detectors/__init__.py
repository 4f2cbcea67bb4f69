"""From a run's rows to findings: each detector is one small function with its own thresholds.

A detector looks at a `Record` and says what it found, if anything. It names the columns that it
needs, and says nothing of a run whose rows lack them. Thresholds were set on one half of a zoo of
labelled runs and tested on the other: benchmarks/zoo.py, docs/zoo.md.
"""

from collections.abc import Sequence

from counterfeit.insight.detectors import (
    balance,
    collapse,
    conditions,
    critics,
    loops,
    memory,
    networks,
    penalties,
    quality,
)
from counterfeit.insight.detectors.detector import Detector
from counterfeit.insight.detectors.record import Record
from counterfeit.run.findings import SEVERITIES, Finding

__all__ = ["DETECTORS", "NAMES", "Detector", "Record", "examine", "in_order"]

DETECTORS = {
    each.name: each
    for each in (
        balance.overpowering,
        balance.garbage_passes,
        critics.critic_overpowering,
        critics.blind_critic,
        critics.flat_critic,
        critics.exploding_critic,
        critics.stalled_critic,
        penalties.idle_penalty,
        penalties.heavy_penalty,
        collapse.mode_collapse,
        collapse.partial_collapse,
        collapse.mode_hopping,
        conditions.ignored_label,
        conditions.collapsed_class,
        conditions.ignored_codes,
        quality.no_progress,
        quality.unlike_real_images,
        quality.saturated_outputs,
        quality.best_long_ago,
        networks.gradient_explosion,
        networks.dead_units,
        memory.discriminator_overfitting,
        memory.exhausted_augmentation,
        memory.memorisation,
        networks.batchnorm_gap,
        memory.broken_data,
        loops.wrong_range,
        loops.labels_swapped,
        loops.latents_reused,
        loops.sampled_in_train_mode,
        loops.trained_in_eval_mode,
    )
}


NAMES = frozenset(DETECTORS)


def examine(record: Record) -> list[Finding]:
    """All that the detectors find, in order."""
    return in_order([finding for detect in DETECTORS.values() if (finding := detect(record))])


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first, then by when they began."""
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.first_step))
