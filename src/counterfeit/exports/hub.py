"""Generators on the Hugging Face Hub, and in folders as it has them."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

from counterfeit import networks, recipe
from counterfeit.environment import require_memory
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.exports.folder import files_of, write_files
from counterfeit.exports.portable import portable
from counterfeit.exports.translate import plain_generator
from counterfeit.optional import needing
from counterfeit.run import Run

with needing("huggingface_hub"):
    from huggingface_hub import PyTorchModelHubMixin


class Generator(
    nn.Module, PyTorchModelHubMixin, library_name="counterfeit", tags=["gan", "counterfeit"]
):
    """A run's generator, from latents (N, z), of a conditional one with classes (N,), to images
    (N, C, H, W) in [0, 1].

    `Generator.from_pretrained("USER/NAME")`, or of a folder, loads one.

    Args:
        recipe_toml: its run's recipe.
        image_shape: (C, H, W).
        classes: those that it is told.
        facts: what else is known of it.
    """

    def __init__(
        self, recipe_toml: str, image_shape: list[int], classes: list[str], **facts: Any
    ) -> None:
        super().__init__()
        spec = recipe.parse(recipe.read_toml(recipe_toml, "config.json"), "config.json")
        channels, height, width = image_shape
        planned = networks.plan_player("generator", spec, (channels, height, width), len(classes))
        require_memory(4 * networks.weights(planned), "this generator's weights", "take another")
        self.network = plain_generator(planned.eval(), spec.value_range).to_empty(device="cpu")
        self.facts = facts
        self.files: Mapping[str, bytes] = MappingProxyType({})

    @classmethod
    def of(cls, run: Run) -> "Generator":
        """A run's, as it is at the end, to be saved or pushed with its card and all else that
        `--format safetensors` writes."""
        ready = portable(run)
        made = cls(**ready.facts)
        made.load_state_dict(ready.network.state_dict())
        made.files = files_of(run, ready)
        return made.eval()

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        images: Tensor = self.network(latents) if labels is None else self.network(latents, labels)
        return images

    # The weights have the names that they have in the file of plain PyTorch beside them.

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.network.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.network.load_state_dict(*args, **kwargs)

    def _save_pretrained(self, save_directory: Path) -> None:
        if self.files:
            write_files(self.files, save_directory)
        else:
            super()._save_pretrained(save_directory)


def push(run: Run, name: str, *, private: bool = False) -> str:
    """Put a run's generator on the Hugging Face Hub, with its card; returns its address.

    Args:
        name: USER/NAME there; it is made where there is none, and else has a commit more.

    Raises:
        UsageError: it is no such name.
        CounterfeitError: the Hub refuses it or cannot be reached, or see `portable`.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name, re.ASCII):
        raise UsageError(f"the Hub takes names such as USER/NAME, not {name!r}.")
    model = Generator.of(run)
    try:
        model.push_to_hub(name, private=private, commit_message=f"{run.path.name}, by counterfeit")
    except Exception as error:  # those of its HTTP client are no base of its own
        first = str(error).strip().partition("\n")[0].rstrip(".")
        raise CounterfeitError(
            f"cannot push to {name}: {first}; `hf auth login` says who you are, and USER must be"
            " you or a group of yours."
        ) from error
    return f"https://huggingface.co/{name}"
