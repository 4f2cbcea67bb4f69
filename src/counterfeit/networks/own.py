"""Networks of the user's own, in the shapes of ours: images (N, C, H, W), logits (N,).

Any module will do. It is called in the form that it takes, and its answer is brought into ours, so
that whatever trains, samples or examines a network need not know whose it is.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Self

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter
from torch.nn.utils import parametrizations
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from counterfeit.arguments import shown
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.seeds import global_draws

Kind = Literal["generator", "discriminator"]
Shape = tuple[int, int, int]


class Own(nn.Module):
    """A module of the user's, of which `inner` is trained in place and saved under its own names.

    Args:
        module: the user's; one that torch.compile or DataParallel made is called as such.
        shape: (C, H, W) of an image.
        takes: the shape in which it is given each latent or image.
        conditional: whether it is told classes too, as its second argument.
    """

    def __init__(
        self, module: nn.Module, shape: Shape, takes: Sequence[int], *, conditional: bool
    ) -> None:
        super().__init__()
        self.inner = unwrapped(module)
        self.shape, self.takes, self.conditional = tuple(shape), tuple(takes), conditional
        self._called = (module,)  # in a tuple, which hides it from `state_dict` and `parameters`
        self.training = self.inner.training

    def call(self, x: Tensor, labels: Int64[Tensor, " N"] | None) -> Any:
        if torch.is_inference_mode_enabled():  # whose tensors a module may keep, and train with
            with torch.inference_mode(False), torch.no_grad():
                return self.call(x.clone(), labels)
        given = x.reshape(len(x), *self.takes)
        (module,) = self._called
        return module(given, labels) if self.conditional else module(given)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner.load_state_dict(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Without what torch.compile or DataParallel made of it; and with what a pass leaves in a
        module, such as the weights that `weight_norm` makes anew each time, but no graph of it."""
        for module in self.inner.modules():
            for value in vars(module).values():
                if isinstance(value, Tensor) and not value.is_leaf:
                    memo[id(value)] = value.detach().clone()
        inner = copy.deepcopy(self.inner, memo)
        return type(self)(inner, self.shape, self.takes, conditional=self.conditional)  # type: ignore[arg-type]


class OwnGenerator(Own):
    def forward(
        self, z: Float[Tensor, "N z"], labels: Int64[Tensor, " N"] | None = None
    ) -> Float[Tensor, "N C H W"]:
        return as_images(self.call(z, labels), len(z), self.shape)


class OwnDiscriminator(Own):
    def forward(
        self, images: Float[Tensor, "N C H W"], labels: Int64[Tensor, " N"] | None = None
    ) -> Float[Tensor, " N"]:
        return as_logits(self.call(images, labels), len(images))


def on_one_device(module: nn.Module) -> nn.Module:
    """The module that DataParallel or DistributedDataParallel spreads over devices."""
    while isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        module = module.module
    return module


def unwrapped(module: nn.Module) -> nn.Module:
    """The module that torch.compile, DataParallel or DistributedDataParallel was given."""
    while isinstance(inner := getattr(on_one_device(module), "_orig_mod", None), nn.Module):
        module = inner
    return on_one_device(module)


def as_images(output: Any, count: int, shape: Sequence[int]) -> Float[Tensor, "N C H W"]:
    """What a generator returns of so many latents, as images of that shape, in float32.

    Raises:
        UsageError: it is none of (N, C, H, W), (N, C * H * W) and, of gray images, (N, H, W).
    """
    channels, height, width = shape
    forms = [(count, *shape), (count, channels * height * width)]
    if channels == 1:
        forms.append((count, height, width))
    if isinstance(output, Tensor) and output.is_floating_point() and tuple(output.shape) in forms:
        return output.reshape(count, *shape).float()
    raise UsageError(
        f"the generator must make images {sizes((count, *shape))} of {count} latents, not"
        f" {_described(output)}."
    )


def as_logits(output: Any, count: int) -> Float[Tensor, " N"]:
    """What a discriminator returns of so many images, as a logit or score of each, in float32.

    Raises:
        UsageError: it is none of (N,), (N, 1) and (N, 1, 1, 1).
    """
    forms = [(count, *(1,) * more) for more in (0, 1, 3)]
    if isinstance(output, Tensor) and output.is_floating_point() and tuple(output.shape) in forms:
        return output.reshape(count).float()
    raise UsageError(
        f"the discriminator must give one number for each of {count} images, ({count},) or"
        f" ({count}, 1), not {_described(output)}."
    )


def sizes(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _described(output: Any) -> str:
    if not isinstance(output, Tensor):
        return f"a {type(output).__name__}"
    if not output.is_floating_point():
        return f"{str(output.dtype).removeprefix('torch.')} numbers"
    return sizes(output.shape)


def adapted(
    kind: Kind,
    module: Any,
    *,
    latents: int,
    shape: Shape,
    conditional: bool,
    device: torch.device | None = None,
) -> Own:
    """A user's module as one of ours, called in the first form that it takes: latents (N, z) or
    (N, z, 1, 1), images (N, C, H, W) or (N, C * H * W).

    A copy is tried; the module itself stays as it is.

    Args:
        latents: numbers in each.
        shape: (C, H, W) of an image.
        conditional: whether it is told classes too.
        device: to try it on; its own when absent.

    Raises:
        UsageError: it is no such module, or takes none of these forms.
    """
    require_module(kind, module)
    adapter = OwnGenerator if kind == "generator" else OwnDiscriminator
    forms = (
        [(latents,), (latents, 1, 1)]
        if kind == "generator"
        else [shape, (shape[0] * shape[1] * shape[2],)]
    )
    tried = [adapter(module, shape, takes, conditional=conditional) for takes in forms]
    failure: UsageError | None = None
    for each in tried:
        try:
            _try(each, kind, forms[0], device)
        except UsageError as error:
            failure = failure or error
        else:
            return each
    assert failure is not None
    raise failure


def _try(own: Own, kind: Kind, given: Sequence[int], device: torch.device | None) -> None:
    """Call a copy on two latents or images."""
    place = device or next((each.device for each in own.parameters()), torch.device("cpu"))
    told = "and labels (2,) " if own.conditional else ""
    what = f"the {kind}, on {'latents' if kind == 'generator' else 'images'} {sizes((2, *given))}"
    with blaming(f"{what} {told}".rstrip()), global_draws(0, {place}):
        twin = copy.deepcopy(own).to(place)
        with torch.no_grad():
            x = torch.rand(2, *given, device=place)
            twin(x, torch.zeros(2, dtype=torch.int64, device=place))


@contextmanager
def blaming(what: str) -> Iterator[None]:
    """Whatever a user's code raises in the block, as one line; the error itself is its cause.

    Raises:
        UsageError: it raised something.
    """
    try:
        yield
    except CounterfeitError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())
        text = text if len(text) <= 200 else f"{text[:180]}…"
        raise UsageError(f"{what}: {type(error).__name__}: {text.rstrip('.')}.") from error


def require_module(kind: Kind, module: Any) -> None:
    """Refuse what cannot be kept and copied as weights.

    Raises:
        UsageError: it is no module, or holds parameters or state that training cannot keep.
    """
    if isinstance(module, type) and issubclass(module, nn.Module):
        raise UsageError(
            f"{kind} must be a module; hand over an instance, {module.__name__}(…), not the class."
        )
    if not isinstance(module, nn.Module):
        raise UsageError(f"{kind} must be a module of torch.nn, not {shown(module)}.")
    with blaming(f"the {kind}"):
        state = dict(unwrapped(module).state_dict())
        parameters = dict(unwrapped(module).named_parameters())
    for name, value in (state | parameters).items():
        if name.startswith("optimizer."):
            raise UsageError(
                f"the {kind}'s {name} would be taken for an optimiser's state; give its part"
                " `optimizer` another name."
            )
        if isinstance(value, UninitializedBuffer | UninitializedParameter):
            raise UsageError(
                f"the {kind}'s {name} has no shape yet; call the module once before training."
            )
        if not isinstance(value, Tensor) or value.is_complex():
            raise UsageError(
                f"the {kind} keeps {name}, which is no real tensor, and a checkpoint holds nothing"
                " else; keep it out of state_dict()."
            )
        if value.is_meta:
            raise UsageError(f"the {kind}'s {name} is on the meta device, where it has no values.")
        if value.is_floating_point() and not value.isfinite().all():
            raise UsageError(
                f"the {kind}'s {name} holds NaN or infinite numbers, which a checkpoint may not; a"
                " mask can be a buffer with persistent=False."
            )
    for name, parameter in parameters.items():
        if parameter.dtype != torch.float32:
            raise UsageError(
                f"the {kind}'s {name} is {str(parameter.dtype).removeprefix('torch.')}, and weights"
                " are trained in float32; call its .float() first."
            )


def section_of(module: nn.Module) -> dict[str, Any]:
    """What a recipe's section says of a user's module: what it is called, and its parameters."""
    inner = unwrapped(module)
    shapes = {name: tuple(each.shape) for name, each in inner.named_parameters()}
    return {"name": "custom", "label": type(inner).__name__, "shapes": shapes}


def normalises_batches(module: nn.Module) -> bool:
    """Whether it has BatchNorm."""
    return any(isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d) for each in module.modules())


NORMALISING = (
    *(nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm),
    *(parametrizations._SpectralNorm, parametrizations._WeightNorm),
)
"""Layers that bring what they are given to one scale, and what does that to a layer's weights."""

NORMALISING_HOOKS = (SpectralNorm, WeightNorm)
"""What the older `torch.nn.utils.spectral_norm` and `weight_norm` hang on a layer."""


def normalises(module: nn.Module) -> bool:
    """Whether it has normalising layers, or layers whose weights are normalised."""
    return any(
        isinstance(each, NORMALISING)
        or any(isinstance(hook, NORMALISING_HOOKS) for hook in each._forward_pre_hooks.values())
        for each in module.modules()
    )


def require_fit(kind: Kind, own: Own, saved: Mapping[str, Tensor], where: str) -> None:
    """Refuse a module whose state is not of the names, shapes and types that were saved.

    Raises:
        UsageError: it differs; the message names the first difference.
    """
    state: Mapping[str, Tensor] = own.state_dict()

    def described(tensors: Mapping[str, Tensor], name: str) -> str:
        if name not in tensors:
            return "absent"
        dtype = str(tensors[name].dtype).removeprefix("torch.")
        return f"{dtype} {sizes(tensors[name].shape)}"

    for name in [*state, *sorted(saved.keys() - state.keys())]:
        there, here = described(saved, name), described(state, name)
        if there != here:
            raise UsageError(
                f"{type(own.inner).__name__} is not the {kind} that {where} was trained with:"
                f" {name} was {there}, and is {here} in this one."
            )
