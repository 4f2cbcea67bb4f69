"""A fixed classifier: its features stand under FID, KID, precision and recall; its classes under
mode coverage and the Inception score.

The features of a network trained on the data's own classes are used in place of Inception's, which
were learned from colour photographs 299 pixels wide and mean little for digits of 28.
MNIST's weights are part of the package. Other labelled data gets a classifier on first use.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from counterfeit.errors import CounterfeitError
from counterfeit.files import write_whole

VERSION = 1
"""Of the network and of how it is trained; raised with every change to either."""

MNIST_SHA256 = "77eed34d774008651f3a6a48dd5063a128998950cd6dfd5b6c1eb2ae4466649b"
"""Of `weights/mnist-v1.safetensors`."""

FEATURES = 128


class FeatureNetwork(nn.Module):
    """Four convolutions and a hidden layer of 128, for images of any size (made for 28x28).

    The hidden layer is standardised (BatchNorm without scale or shift) and rectified: over its
    training set each unit has unit variance before the rectifier, which gives FID and KID a scale
    that does not depend on how long the classifier was trained.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.channels = channels
        self.body = nn.Sequential(
            *_convolution(channels, 16),  # (N, 16, 28, 28)
            *_convolution(16, 32, stride=2),  # (N, 32, 14, 14)
            *_convolution(32, 32),
            *_convolution(32, 64, stride=2),  # (N, 64, 7, 7)
            nn.AdaptiveAvgPool2d(7),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, FEATURES, bias=False),
            nn.BatchNorm1d(FEATURES, affine=False),
            nn.ReLU(),
        )
        self.head = nn.Linear(FEATURES, classes + 1)

    def forward(
        self, images: Float[Tensor, "N C H W"]
    ) -> tuple[Float[Tensor, "N 128"], Float[Tensor, "N classes+1"]]:
        """Features, and logits of the classes and of `nothing`, for images in [0, 1]."""
        features = self.body(images)
        return features, self.head(features)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


@dataclass(frozen=True)
class Reading:
    """What a classifier says of N images."""

    features: Float[Tensor, "N 128"]
    probabilities: Float[Tensor, "N classes"]
    """They sum to one: that of nothing is dealt out evenly, so noise is every class alike."""

    @property
    def classes(self) -> Int64[Tensor, " N"]:
        return self.probabilities.argmax(1)


class Classifier:
    """A trained network that no longer changes, under a name that says which one it is."""

    def __init__(self, data: str, network: FeatureNetwork) -> None:
        self.network = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.name = f"{data}-v{VERSION}-{hashlib.sha256(_content(network)).hexdigest()[:8]}"
        """Data, version and the start of the weights' SHA-256: `mnist-v1-0123abcd`."""

    @property
    def channels(self) -> int:
        return self.network.channels

    @property
    def classes(self) -> int:
        return self.network.head.out_features - 1

    @torch.inference_mode()
    def read(
        self,
        images: UInt8[Tensor, "N C H W"],
        *,
        batch: int = 250,
        progress: Callable[[float], None] = lambda done: None,
    ) -> Reading:
        """Features and class probabilities.

        Args:
            images: any number of them.
            batch: how many go through the network at once; the result does not depend on it.
            progress: called with the share done.
        """
        read = []
        for part in torch.split(images, batch):
            read.append(self.network(as_input(part)))
            progress(min(1, batch * len(read) / max(1, len(images))))
        features, logits = (torch.cat(parts) for parts in zip(*read, strict=True))
        probabilities = logits.double().softmax(1)
        nothing = probabilities[:, -1:]
        return Reading(features, probabilities[:, :-1] + nothing / self.classes)


def as_input(images: UInt8[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
    """Images as the network takes them: float32 in [0, 1]."""
    return images.to(torch.float32, memory_format=torch.channels_last).div_(255)


def mnist() -> Classifier:
    """The classifier of MNIST that is part of the package.

    Raises:
        CounterfeitError: its weights are damaged.
    """
    content = (files("counterfeit.measure") / "weights" / "mnist-v1.safetensors").read_bytes()
    if hashlib.sha256(content).hexdigest() != MNIST_SHA256:
        raise CounterfeitError("the MNIST classifier is damaged; install counterfeit again.")
    return Classifier("mnist", network_from(content))


def network_from(content: bytes) -> FeatureNetwork:
    """The network of a safetensors file; channels and classes are those of its tensors.

    Raises:
        CounterfeitError: it is not one.
    """
    try:
        state = load(content)
        channels, classes = state["body.0.weight"].shape[1], state["head.weight"].shape[0] - 1
        for tensor in state.values():
            if tensor.is_complex() or not tensor.isfinite().all():
                raise ValueError
        if channels not in (1, 3):
            raise ValueError
        with torch.device("meta"):  # no weights are drawn, only to be replaced
            network = FeatureNetwork(channels, classes)
        network.to_empty(device="cpu").load_state_dict(state)
    except (SafetensorError, KeyError, IndexError, ValueError, RuntimeError):
        raise CounterfeitError("these are not the weights of a classifier.") from None
    return network


def write(path: Path, network: FeatureNetwork) -> None:
    """Save a network's weights as safetensors."""
    write_whole(path, _content(network))


def _content(network: FeatureNetwork) -> bytes:
    return save({key: tensor.contiguous() for key, tensor in network.state_dict().items()})
