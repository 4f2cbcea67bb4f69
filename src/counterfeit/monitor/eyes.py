"""What can be seen of two networks while somebody else trains them, without a trace.

Hooks look at what G is called with and D is shown. They read, and change no tensor, mode, gradient
or random state; most of what they see, they see in one update of each interval.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from counterfeit.run.rows import ForeignColumns

FINGERPRINT = 16
"""Numbers of a batch of latents by which it is known again."""

MODAL = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.dropout._DropoutNd,
)
"""Modules that do otherwise in train mode than in eval mode."""


class Eye:
    """A hook that calls a function. Copies of a module that has one, and pickles, are blind."""

    def __init__(self, look: Callable[..., None] | None = None) -> None:
        self._look = look

    def __call__(self, *seen: Any) -> None:
        if self._look is not None and not torch.compiler.is_compiling():
            self._look(*seen)

    def __deepcopy__(self, memo: object) -> "Eye":
        return Eye()

    def __reduce__(self) -> tuple[type["Eye"], tuple[()]]:
        return Eye, ()


class Eyes:
    """Sees one pair of networks."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module | None) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.has_modes = any(isinstance(each, MODAL) for each in generator.modules())
        self.latents = Latents()
        self.fixed: Tensor | None = None
        """The user's own fixed latents, to know them again."""
        self.shown: Tensor | None = None
        """The real images that D was shown in the update that was looked at."""
        self.shape_shown: tuple[int, ...] | None = None
        """Of one image as D takes it."""
        self.norms: dict[str, Tensor] = {}
        """`d` and `g`: of the gradients that the optimisers took in that update."""
        self.looking = True
        self._open = True
        self._made: set[int] = set()  # where G's images of this update lie
        self._sizes: set[int] = set()  # how many each call made
        self._fingerprint: Tensor | None = None
        self._fingerprints: set[tuple[float, ...]] = set()
        self._owner = {id(each): "g" for each in generator.parameters()}
        if discriminator is not None:
            self._owner |= {id(each): "d" for each in discriminator.parameters()}
        self._handles: list[Any] = [
            generator.register_forward_hook(Eye(self._on_generator), with_kwargs=True)
        ]
        if discriminator is not None:
            self._handles.append(
                discriminator.register_forward_pre_hook(Eye(self._on_discriminator))
            )
        self._stepping: Any = None
        self.start_epoch()
        self.look()

    def start_epoch(self) -> None:
        self.sampled_in_train_mode = 0
        """Calls of G in train mode that no loss can have come from."""
        self.trained, self.trained_in_eval_mode = 0, 0
        """Calls of G under autograd, and those of them in eval mode."""
        self.looks, self.repeats = 0, 0
        """Batches of latents that were looked at, and those of them that were seen before."""
        self._trained_sizes: set[int] = set()
        self._ungraded: list[int] = []
        self.latents.refresh()

    def end_epoch(self, updates: int) -> None:
        """Count what only the whole epoch tells: calls without autograd and of another size than
        training's are samples, unless there are so many that they must be the loop's own."""
        odd = [size for size in self._ungraded if size not in self._trained_sizes]
        calls = self.sampled_in_train_mode + len(odd)
        self.sampled_in_train_mode = calls if calls < max(1, updates / 2) else 0

    def columns(
        self, value_range: tuple[float, float], real: UInt8[Tensor, "R C H W"] | None
    ) -> ForeignColumns:
        """What was seen in this epoch.

        Args:
            value_range: of the generator's pixels, and so of what D is to be shown.
            real: images of the data, if they are known.
        """
        seen: ForeignColumns = {}
        if self.has_modes:
            seen["sampled_in_train_mode"] = float(self.sampled_in_train_mode)
            if self.trained:
                seen["trained_in_eval_mode"] = self.trained_in_eval_mode / self.trained
        if self.looks:
            seen["latents_repeated"] = self.repeats / self.looks
        if self.shown is not None and real is not None:
            low, high = value_range
            shown, known = (self.shown.float() - low) / (high - low), real.float() / 255
            seen["shown_mean"], seen["shown_std"] = float(shown.mean()), float(shown.std())
            seen["real_mean"], seen["real_std"] = float(known.mean()), float(known.std())
        self.shown = None
        return seen

    # One update of an interval is looked at closely.

    def look(self) -> None:
        """Look closely at the next update."""
        self.looking = True
        if self._stepping is None:
            self._stepping = register_optimizer_step_pre_hook(Eye(self._on_step))

    def end_update(self) -> None:
        """An update is over; look no closer until `look`."""
        self.latents.update += 1
        if not self.looking:
            return
        self.looking = False
        if self._stepping is not None:
            self._stepping.remove()
            self._stepping = None
        if self.shown is not None and self._sizes and len(self.shown) not in self._sizes:
            self.shown = None  # real and generated images in one batch
        if self._fingerprint is not None:
            numbers = tuple(self._fingerprint.tolist())
            self.looks += 1
            self.repeats += numbers in self._fingerprints
            self._fingerprints.add(numbers)
        self._fingerprint = None
        self._made.clear()
        self._sizes.clear()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """While the networks are called by the monitor itself."""
        self._open = False
        try:
            yield
        finally:
            self._open = True

    def remove(self) -> None:
        """Leave the networks as they were."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self.looking = True
        self.end_update()

    def _on_generator(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        z = next(iter([*args, *kwargs.values()]), None)
        if not self._open or module is not self.generator:
            return
        if not isinstance(z, Tensor) or not z.ndim:
            return
        graded = torch.is_grad_enabled()
        fixed = self.fixed is not None and z.data_ptr() == self.fixed.data_ptr()
        if graded:
            self.trained += 1
            self.trained_in_eval_mode += self.has_modes and not module.training
        if module.training and self.has_modes:
            if fixed:
                self.sampled_in_train_mode += 1
            elif graded:
                self._trained_sizes.add(len(z))
            else:
                self._ungraded.append(len(z))
        if graded and not fixed:
            self.latents.add(z, args, kwargs)
        if self.looking:
            self._sizes.add(len(z))
            if isinstance(output, Tensor):
                self._made.add(output.data_ptr())
            if self._fingerprint is None and z.is_floating_point() and _is_a_vector(z):
                self._fingerprint = z.detach()[0].flatten()[:FINGERPRINT].clone()

    def _on_discriminator(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if not (self._open and self.looking) or module is not self.discriminator or not args:
            return
        x = args[0]
        if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim < 2:
            return
        self.shape_shown = tuple(x.shape[1:])
        if self.shown is None and not x.requires_grad and x.data_ptr() not in self._made:
            self.shown = x.detach()

    def _on_step(self, optimizer: Optimizer, *_: object) -> None:
        """Gradients as an optimiser takes them: of later ones, D's hold those of G's loss too."""
        by_player: dict[str, list[Tensor]] = {}
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                player = self._owner.get(id(parameter))
                if player is not None and parameter.grad is not None:
                    by_player.setdefault(player, []).append(parameter.grad)
        for player, gradients in by_player.items():
            self.norms[player] = get_total_norm(gradients)


class Latents:
    """Latents, and conditions beside them, that a loop called G with in training: the first of an
    epoch, and of the one before until there are enough."""

    def __init__(self, most: int = 0) -> None:
        self.most = most
        """Rows to keep, in whole batches."""
        self._kept: deque[tuple[Tensor, tuple[Any, ...], dict[str, Any]]] = deque()
        self.update = 0
        self._rows = 0
        self._taken = 0  # rows since `refresh`
        self._places: dict[int, tuple[int, int]] = {}  # with what version, in which update
        self._copies = False

    def add(self, z: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        values = [*args, *kwargs.values()]
        if self._taken >= self.most or not all(_can_be_kept(value) for value in values):
            return
        place, seen = z.data_ptr(), (0 if z.is_inference() else z._version, self.update)
        known = self._places.get(place)
        if known == seen:
            return  # D's and G's step have it in common
        if known is not None:  # written into again and again, for all that can be known
            self._copies = True
        self._places[place] = seen
        taken = tuple(self._take(value) for value in args)
        named = {key: self._take(value) for key, value in kwargs.items()}
        self._kept.append((next(iter([*taken, *named.values()])), taken, named))
        self._rows += len(z)
        self._taken += len(z)
        while self._rows - len(self._kept[0][0]) >= self.most:
            old, *_ = self._kept.popleft()
            self._rows -= len(old)
            if not self._copies:
                self._places.pop(old.data_ptr(), None)

    def refresh(self) -> None:
        """Take new ones from now on, and let go of as many old ones."""
        self._taken = 0

    def _take(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return value.detach().clone() if self._copies else value.detach()

    def __iter__(self) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
        return ((args, kwargs) for _, args, kwargs in self._kept)


def _can_be_kept(value: object) -> bool:
    return isinstance(value, Tensor | int | float | bool | str | None)


def _is_a_vector(z: Tensor) -> bool:
    """Whether a row of it is a latent, and not an image."""
    return z.ndim >= 2 and z.shape[1] == z[0].numel()
