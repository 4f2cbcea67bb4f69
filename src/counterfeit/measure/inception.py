"""Inception's features, for images without labels, where the user has the weights.

They were learned from colour photographs 299 pixels wide: other data's images are enlarged, gray
ones repeated in three channels. The network and its resizing are torch-fidelity's, which agree with
the original TensorFlow code; the weights are its authors' conversion of 2015's, 92 MB, and are read
as tensors only.
"""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from counterfeit.errors import CounterfeitError, UsageError

WEIGHTS = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
SHA256_START = "6726825d"

BATCH = 50


class Inception:
    """The 2048 features of Inception's last pooling layer, under a name that says which.

    Args:
        network: from uint8 images (N, 3, H, W) to a tuple of one tensor of features.
    """

    name = f"inception-v3-{SHA256_START}"

    def __init__(self, network: Callable[[Tensor], tuple[Tensor]]) -> None:
        self.network = network

    @classmethod
    def load(cls, weights: Path) -> "Inception":
        """The network with these weights.

        Raises:
            UsageError: there is no such file, or torch-fidelity is not installed.
            CounterfeitError: the file is another one.
        """
        try:
            from torch_fidelity import FeatureExtractorInceptionV3
        except ImportError:
            raise UsageError(
                "Inception needs torch-fidelity: `pip install torch-fidelity` brings it."
            ) from None
        try:
            found = hashlib.sha256(weights.read_bytes()).hexdigest()
        except OSError as error:
            raise UsageError(f"cannot read {weights}: {error.strerror}; get {WEIGHTS}") from None
        if not found.startswith(SHA256_START):
            raise CounterfeitError(f"{weights} is another file, or damaged; get {WEIGHTS}")
        try:
            tensors = torch.load(weights, weights_only=True)
        except Exception as error:  # of many types; a forged checksum must not end in a traceback
            raise CounterfeitError(f"{weights} is another file; get {WEIGHTS}") from error
        with tempfile.TemporaryDirectory() as folder:  # torch-fidelity unpickles what it is given
            ours = Path(folder) / "weights.pth"
            torch.save(tensors, ours)
            return cls(FeatureExtractorInceptionV3("inception", ["2048"], str(ours)))

    @torch.inference_mode()
    def read(
        self,
        images: UInt8[Tensor, "N C H W"],
        *,
        progress: Callable[[float], None] = lambda done: None,
    ) -> Float[Tensor, "N 2048"]:
        """Features of images with one or three channels."""
        read = []
        for part in torch.split(images, BATCH):
            (features,) = self.network(part.expand(-1, 3, -1, -1))
            read.append(features)
            progress(min(1, BATCH * len(read) / max(1, len(images))))
        return torch.cat(read)
