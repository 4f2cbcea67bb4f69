"""What breaks the runs of the zoo: faults that no recipe can express. Part of zoo.py."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from sklearn.datasets import load_sample_images
from torch import Tensor, nn

from counterfeit import data, networks, recipe
from counterfeit.data import ImageData
from counterfeit.game import losses, optimizers
from counterfeit.game.inputs import draw_latents
from counterfeit.seeds import stream
from counterfeit.training import epochs

Breakage = Callable[[recipe.Recipe], AbstractContextManager[Any]]
"""Breaks training while it is entered, as a function of what is trained."""

G, D = 0, 1
"""The players of a pair."""


@contextmanager
def replaced(function: Callable[..., Any], by: Callable[..., Any]) -> Iterator[None]:
    """Another function in its place, wherever the package refers to it.

    Raises:
        RuntimeError: nobody called it, so that nothing was broken.
    """
    called = False

    def broken(*given: Any, **options: Any) -> Any:
        nonlocal called
        called = True
        return by(*given, **options)

    with ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] == "counterfeit":
                for key, value in list(vars(module).items()):
                    if value is function:
                        stack.enter_context(patch.object(module, key, broken))
        yield
    if not called:
        raise RuntimeError(f"{function.__name__} was not called: nothing was broken")


def unlabelled() -> Breakage:
    """No fault: the same images as a set without labels."""
    load = data.load_for

    def broken(*given: Any, **options: Any) -> ImageData:
        return replace(load(*given, **options), labels=None, classes=())

    return lambda spec: replaced(load, broken)


def photographs(spec: recipe.Recipe) -> AbstractContextManager[None]:
    """No fault: patches of the two photographs of scikit-learn in the images' place, in half of
    their size, without labels; those of the test split are others."""
    load = data.load_for

    def broken(section: Any, split: Any = "train", *rest: Any, **options: Any) -> ImageData:
        instead_of = load(section, split, *rest, **options)
        count, channels, size, _ = instead_of.images.shape
        pictures = torch.from_numpy(np.stack(load_sample_images().images)).permute(0, 3, 1, 2)
        halves = nn.functional.avg_pool2d(pictures.float(), 2)
        tiles = nn.functional.unfold(halves, size, stride=size // 2)  # (2, pixels, places)
        patches = tiles.movedim(1, 2).reshape(-1, 3, size, size)
        patches = patches[torch.randperm(len(patches), generator=torch.Generator().manual_seed(0))]
        patches = patches if channels == 3 else patches.mean(1, keepdim=True)
        chosen = patches[:count] if split == "train" else patches[-count:]
        return replace(instead_of, images=chosen.byte(), labels=None, classes=())

    return replaced(load, broken)


def both(one: Breakage, other: Breakage) -> Breakage:
    @contextmanager
    def entered(spec: recipe.Recipe) -> Iterator[None]:
        with one(spec), other(spec):
            yield

    return entered


def _with_images(change: Callable[[Tensor], Tensor]) -> Breakage:
    load = data.load_for

    def broken(section: Any, split: Any = "train", *rest: Any, **options: Any) -> ImageData:
        images = load(section, split, *rest, **options)
        return replace(images, images=change(images.images)) if split == "train" else images

    return lambda spec: replaced(load, broken)


def truncated(kept: float) -> Breakage:
    """A file cut short: the rest of the images are zeros. Every other image, say, for kept = 1/2,
    so that any first so many of them are hit."""

    def cut(images: Tensor) -> Tensor:
        lost = torch.rand(len(images), generator=torch.Generator().manual_seed(0)) >= kept
        return images.clone().masked_fill_(lost.view(-1, 1, 1, 1), 0)

    return _with_images(cut)


def few_different(count: int) -> Breakage:
    """The first `count` images over and over, as from a loader whose index wraps around."""
    return _with_images(lambda images: images[torch.arange(len(images)) % count])


def patched_latents(change: Callable[[Tensor], Tensor]) -> Breakage:
    return lambda spec: replaced(draw_latents, lambda *given: change(draw_latents(*given)))


def few_latents(bits: int) -> Breakage:
    """Only 2^bits different latents: the generator can make no more images than that."""

    def quantise(z: Tensor) -> Tensor:
        signs = z[:, :bits].sign() * z.std()
        return torch.cat([signs, torch.zeros_like(z[:, bits:])], 1)

    return patched_latents(quantise)


def near_latents(bits: int) -> Breakage:
    """About 2^bits different latents: those of `few_latents`, each a little beside the others."""

    def quantise(z: Tensor) -> Tensor:
        signs = z[:, :bits].sign() * z.std()
        return torch.cat([signs, torch.zeros_like(z[:, bits:])], 1) + 0.03 * z

    return patched_latents(quantise)


def patched_pair(change: Callable[[nn.Module, nn.Module], None]) -> Breakage:
    """G and D changed when a training builds them."""
    build = networks.build_pair

    def broken(*given: Any, **options: Any) -> tuple[nn.Module, nn.Module]:
        pair = build(*given, **options)
        with torch.no_grad():
            change(*pair)
        return pair

    return lambda spec: replaced(build, broken)


def patched_network(player: int, change: Callable[[nn.Module], None]) -> Breakage:
    """G, player 0, or D, player 1, changed when a training builds it."""
    return patched_pair(lambda *pair: change(pair[player]))


def batchnorm_momentum(value: float) -> Breakage:
    """How fast running statistics follow: with 0 they never leave their start."""

    def change(network: nn.Module) -> None:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = value

    return patched_network(G, change)


def blur(network: nn.Module, window: int) -> None:
    """It sees images through a window of so many pixels."""

    def through(module: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
        return (nn.functional.avg_pool2d(given[0], window, 1, window // 2),)

    network.register_forward_pre_hook(through)


def blurred_view(window: int) -> Breakage:
    """Whatever is finer than D sees, G may make up."""
    return patched_network(D, lambda network: blur(network, window))


def colour_blind_view(spec: recipe.Recipe) -> AbstractContextManager[None]:
    """D sees every channel as the mean of all: G may paint in any colours of that lightness."""

    def gray(module: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
        return (given[0].mean(1, keepdim=True).expand_as(given[0]),)

    def change(network: nn.Module) -> None:
        network.register_forward_pre_hook(gray)

    return patched_network(D, change)(spec)


def smoothed(window: int) -> Breakage:
    """G's images are blurred by so many pixels, and D sees all too blurred to mind."""

    def through(module: nn.Module, given: tuple[Tensor], images: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(images, window, 1, window // 2)

    def change(generator: nn.Module, discriminator: nn.Module) -> None:
        generator.register_forward_hook(through)
        blur(discriminator, window)

    return patched_pair(change)


def framed(width: int) -> Breakage:
    """G's images have a gray frame of so many pixels, which D does not see."""

    def on(images: Tensor, gray: float) -> Tensor:
        inner = images[..., width:-width, width:-width]
        return nn.functional.pad(inner, (width,) * 4, value=gray)

    def change(generator: nn.Module, discriminator: nn.Module) -> None:
        generator.register_forward_hook(lambda module, given, images: on(images, 0.5))
        discriminator.register_forward_pre_hook(lambda module, given: (on(given[0], 0.0),))

    return patched_pair(change)


def faded(share: float) -> Breakage:
    """G's images are so much darker, and D sees every image as bright as it can be."""

    def brightest(module: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
        return (given[0] / given[0].amax((1, 2, 3), keepdim=True).clamp(min=1e-3),)

    def change(generator: nn.Module, discriminator: nn.Module) -> None:
        generator.register_forward_hook(lambda module, given, images: images * share)
        discriminator.register_forward_pre_hook(brightest)

    return patched_pair(change)


def fixed_pattern(strength: float, window: int = 3) -> Breakage:
    """Noise, always the same, lies over G's images, and D sees them too blurred to mind."""

    def overlay(module: nn.Module, given: tuple[Tensor], images: Tensor) -> Tensor:
        rng = torch.Generator().manual_seed(0)
        noise = torch.randn(images.shape[1:], generator=rng).sign() * strength
        return (images + noise).clamp(0, 1)

    def change(generator: nn.Module, discriminator: nn.Module) -> None:
        generator.register_forward_hook(overlay)
        blur(discriminator, window)

    return patched_pair(change)


def shifted_biases(player: int, shift: float, share: float = 1.0) -> Breakage:
    """The first `share` of each hidden linear layer's biases moved by `shift`."""

    def change(network: nn.Module) -> None:
        assert isinstance(network.hidden, nn.Module)
        for module in network.hidden.modules():
            if isinstance(module, nn.Linear):
                module.bias[: round(share * len(module.bias))] += shift

    return patched_network(player, change)


@contextmanager
def swapped_labels(spec: recipe.Recipe) -> Iterator[None]:
    """D is taught that real images are fake and fakes are real."""
    loss, slopes = losses.discriminator_loss, losses.discriminator_slopes

    def swapped_loss(real: Tensor, fake: Tensor, *labels: Any) -> Tensor:
        return loss(fake, real, *labels)

    def swapped_slopes(real: Tensor, fake: Tensor, *labels: Any) -> tuple[Tensor, Tensor]:
        of_fake, of_real = slopes(fake, real, *labels)
        return of_real, of_fake

    with replaced(loss, swapped_loss), replaced(slopes, swapped_slopes):
        yield


def one_class_an_epoch(spec: recipe.Recipe) -> AbstractContextManager[None]:
    """Each epoch sees one class only, as from data sorted by label: G must run after it."""
    labels = epochs.training_images(spec, data.load(spec.data.name)).labels
    assert labels is not None

    def order(count: int, seed: int, epoch: int) -> Tensor:
        of_class = torch.nonzero(labels == epoch % 10).flatten()
        return of_class[
            torch.randperm(count, generator=stream(seed, "order", epoch)) % len(of_class)
        ]

    return replaced(epochs.shuffled, order)


def rates_change(epoch: int, factor: float) -> Breakage:
    """From that epoch on (counted from 0), both learning rates are `factor` times as high."""
    schedule = optimizers.schedule

    def broken(
        optimizer: torch.optim.Optimizer,
        spec: Any,
        update: int,
        now: float,
        share: float = 1.0,
        *rest: Any,
    ) -> None:
        schedule(optimizer, spec, update, now, share * (factor if now >= epoch else 1.0), *rest)

    return lambda spec: replaced(schedule, broken)
