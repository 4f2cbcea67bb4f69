"""What is added to D's loss: nothing, or so much that D heeds nothing else."""

import numpy as np

from counterfeit.insight.columns import column
from counterfeit.insight.detectors.detector import Seen, detector, last_spell
from counterfeit.insight.detectors.record import Record
from counterfeit.insight.detectors.series import grown_up
from counterfeit.language import english
from counterfeit.recipe import Penalties

COLUMNS = tuple(f"penalty_{name}" for name in Penalties.model_fields)
"""Those of what bounds D; what D's other heads add is no bound."""

NOTHING = 1e-12
IDLE_EPOCHS = 2


@detector(
    "idle-penalty",
    "warning",
    one_of=COLUMNS,
    evidence=(*COLUMNS, "d_loss"),
    figure="penalties",
    meaning=english(
        "A penalty on D adds nothing to its loss: its weight is 0, or D is flat already."
    ),
    advice=english(
        "Give it a weight (--set penalties.gradient.weight=10, or penalties.r1.weight=1), or leave"
        " it out, which saves its time."
    ),
    source="Gulrajani et al. 2017 (arXiv 1704.00028), equation 3; Mescheder et al. 2018 (arXiv"
    " 1801.04406), equation 9",
)
def idle_penalty(record: Record) -> Seen:
    """A penalty is logged as nothing."""
    rows = record.epochs
    least = np.fmin.reduce([column(rows, name) for name in COLUMNS])
    return Seen(rows, last_spell(least < NOTHING, IDLE_EPOCHS))


HEAVY = 10.0
NEAR = 0.15
MINDED = 0.1
HEAVY_EPOCHS = 3


@detector(
    "heavy-penalty",
    "warning",
    needs=("d_loss", "distance", "moved"),
    one_of=COLUMNS,
    evidence=(*COLUMNS, "d_loss", "d_grad_norm", "distance"),
    figure="penalties",
    meaning=english(
        "A penalty is many times D's own loss, so that D minds the penalty and learns little else."
    ),
    advice=english(
        "A smaller weight (--set penalties.gradient.weight=10, or penalties.r1.weight=1); where it"
        " is no larger than that, a lower --set discriminator.optimizer.lr."
    ),
    source="Gulrajani et al. 2017 (arXiv 1704.00028), section 4, and Mescheder et al. 2018 (arXiv"
    " 1801.04406), section 4.1, of weights that do no harm",
)
def heavy_penalty(record: Record) -> Seen:
    """A penalty outweighs D's loss where G's images are not near the data, as both losses come to
    nothing there; and it is not what it was at first, as it is of a D that hardly learns."""
    rows = record.joined
    most = np.fmax.reduce([column(rows, name) for name in COLUMNS])
    heavy = most > HEAVY * np.abs(column(rows, "d_loss"))
    far = column(rows, "distance") > NEAR
    first = most[np.isfinite(most)][:1].sum()
    minded = np.abs(most - first) > MINDED * first
    return Seen(rows, last_spell(heavy & far & minded & grown_up(rows), HEAVY_EPOCHS))
