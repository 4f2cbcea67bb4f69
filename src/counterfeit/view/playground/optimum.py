"""What the best discriminator would say, where that is known in closed form."""

import torch
from jaxtyping import Float
from torch import Tensor

from counterfeit import recipe
from counterfeit.game.losses import expected

Places = Float[Tensor, "*places"]


def optimal_answer(spec: recipe.Loss, p_data: Places, p_g: Places) -> Places | None:
    """D's best answer at places where both densities are known, against a G that stands still.

    - non-saturating and minimax: D*(x) = p_data / (p_data + p_g), of Goodfellow et al. 2014 (arXiv
      1406.2661), proposition 1; with labels a and b instead of 1 and 0, (a p_data + b p_g) /
      (p_data + p_g), of Salimans et al. 2016 (arXiv 1606.03498), section 3.4.
    - least-squares: the same for labels of 1 and 0 (Mao et al. 2017, arXiv 1611.04076, equation
      5).
    - hinge: the sign of p_data - p_g (Lim and Ye 2017, arXiv 1705.02894, section 3).
    - relativistic: log(p_data / p_g), or that plus any constant: it makes the derivative of the
      paired loss (Jolicoeur-Martineau 2018, arXiv 1807.00734, section 3.2) vanish everywhere.
    - wasserstein, on a line: the 1-Lipschitz f whose slope is the sign of F_g - F_data, of the
      distribution functions, as E f(x) - E f(G(z)) is the integral of f' (F_g - F_data). Or that
      plus any constant. Places are evenly spaced and in order, and the slope is 1 from each to the
      next.

    Returns:
        None where there is no such form: for wasserstein in the plane. NaN where no density is.
    """
    both = p_data + p_g
    if spec.name in ("non-saturating", "minimax"):
        loss = expected(spec)
        real, fake = getattr(loss, "real_labels", 1.0), getattr(loss, "fake_labels", 0.0)
        return (real * p_data + fake * p_g) / both
    if spec.name == "least-squares":
        return p_data / both
    if spec.name == "hinge":
        return (p_data - p_g).sign().where(both > 0, torch.nan)
    if spec.name == "relativistic":
        return p_data.log() - p_g.log()
    if spec.name == "wasserstein" and p_data.ndim == 1:
        below = (p_g / p_g.sum() - p_data / p_data.sum()).cumsum(0)
        slopes = below[:-1].sign()  # from each place to the next
        return torch.nn.functional.pad(slopes.cumsum(0), (1, 0))
    return None


def free_constant(spec: recipe.Loss) -> bool:
    """Whether a constant that is added to all of D's answers changes nothing for it."""
    return spec.name in ("wasserstein", "relativistic")
