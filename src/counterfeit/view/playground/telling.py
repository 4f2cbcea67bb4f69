"""What is seen in a look at a world, in numbers and in the words of theory.

Whether anything is wrong is not said here: that is diagnosis's.
"""

from collections.abc import Sequence

import torch

from counterfeit.language import tr
from counterfeit.view.playground.optimum import Places
from counterfeit.view.playground.world import Look

SIMILAR = 0.02
"""Nats of divergence below which two distributions are about the same."""

NEAR = 0.1
"""Mean distance from D* below which D is near its best."""


def told(look: Look, modes: int) -> Sequence[str]:
    """Sentences about a look, in the language of the moment; none where G's points are no numbers.

    Args:
        modes: how many the distribution has.
    """
    if not look.fake.isfinite().all():
        return []
    divergence = jensen_shannon(look.p_data, look.p_g)
    sentences = [
        tr(
            "The Jensen-Shannon divergence of p_g from p_data is {nats} nats: 0 where they are the"
            " same, log 2 = 0.69 where they do not overlap.",
            nats=_number(divergence),
        )
    ]
    if look.optimal is not None and look.comparable:
        gap = mean_gap(look)
        near = gap < NEAR
        if near and divergence < SIMILAR:
            sentences.append(
                tr(
                    "D is {gap} from D* on average, and D* is about 1/2 wherever points are: this"
                    " is near the equilibrium.",
                    gap=_number(gap),
                )
            )
        elif near:
            sentences.append(
                tr(
                    "D is {gap} from D* on average: about the best there is against this G.",
                    gap=_number(gap),
                )
            )
        else:
            sentences.append(
                tr(
                    "D is {gap} from D* on average: what it teaches G is not what theory assumes,"
                    " which has D at its optimum.",
                    gap=_number(gap),
                )
            )
    pushed = float(look.arrows.norm(dim=1).mean())
    sentences.append(
        tr(
            "G's gradient by one of its points has a mean length of {length}.",
            length=_number(pushed),
        )
    )
    if look.coverage:
        sentences.append(
            tr(
                "G reaches {found} of {modes} modes, and {share} of its points lie within 3"
                " standard deviations of one.",
                found=f"{look.coverage['modes_found'].value:.0f}",
                modes=str(modes),
                share=f"{look.coverage['high_quality'].value:.0%}",
            )
        )
    return sentences


def jensen_shannon(p: Places, q: Places) -> float:
    """JSD(p, q) in nats, of densities at evenly spaced places.

    Against D*, G's part of V(D, G) is 2 JSD(p_data, p_g) - log 4: Goodfellow et al. 2014 (arXiv
    1406.2661), theorem 1.
    """
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    parts = [torch.special.xlogy(each, each / middle).nan_to_num().sum() for each in (p, q)]
    return float(sum(parts)) / 2


def mean_gap(look: Look) -> float:
    """The mean of |D - D*| over real and generated points."""
    assert look.optimal is not None
    mass, there = look.p_data + look.p_g, look.optimal.isfinite()
    gaps = ((look.said - look.optimal).abs() * mass)[there].sum()
    return float(gaps / mass[there].sum())


def _number(value: float) -> str:
    return f"{value:.2g}"
