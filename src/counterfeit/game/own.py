"""What a game takes from its user instead of making it from a recipe: networks and a loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Float
from torch import Tensor

from counterfeit.arguments import shown
from counterfeit.errors import UsageError
from counterfeit.game.losses import Equilibrium, Loss
from counterfeit.networks import Own, Scores
from counterfeit.networks.own import Kind, blaming


@dataclass(frozen=True)
class Given:
    """The user's own networks, adapted to ours, and loss; the recipe has all that is not here."""

    networks: Mapping[Kind, Own] = field(default_factory=dict)
    loss: Loss | None = None

    @property
    def names(self) -> list[str]:
        """Of the arguments that they came as."""
        return [*self.networks, *(["loss"] if self.loss is not None else [])]

    def __bool__(self) -> bool:
        return bool(self.names)


@dataclass(frozen=True)
class OwnLoss:
    """A loss of the user's own; see `own_loss`."""

    label: str
    discriminator: Callable[[Scores, Scores], Float[Tensor, ""]]
    generator: Callable[[Scores, Scores | None], Float[Tensor, ""]]
    relative: bool = False
    probabilistic: bool = False
    equilibrium = Equilibrium()


def own_loss(value: Any) -> OwnLoss:
    """A user's loss as one of ours.

    Args:
        value: an object, or its class, with the methods of `Loss`, of which `relative` and
            `probabilistic` are False when absent; or a pair of functions of logits,
            `d_loss(real, fake)` and `g_loss(fake)`.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(value, type):
        with blaming(f"{value.__name__}()"):
            value = value()
    if isinstance(value, tuple | list) and len(value) == 2 and all(map(callable, value)):
        of_d, of_g = value
        names = (getattr(each, "__name__", type(each).__name__) for each in value)
        return OwnLoss(
            f"({', '.join(names)})",
            lambda real, fake: of_d(real.logits, fake.logits),
            lambda fake, real: of_g(fake.logits),
        )
    methods = [getattr(value, name, None) for name in ("discriminator", "generator")]
    if not all(map(callable, methods)):
        raise UsageError(
            "loss must be a name, an object with methods discriminator(real, fake) and"
            " generator(fake, real), or a pair of functions d_loss(real, fake) and g_loss(fake),"
            f" not {shown(value)}."
        )
    flags = (bool(getattr(value, name, False)) for name in ("relative", "probabilistic"))
    return OwnLoss(type(value).__name__, *methods, *flags)  # type: ignore[arg-type]
