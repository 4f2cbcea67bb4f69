"""Networks as programs of torch.export, which PyTorch loads without any class of ours."""

import io
import warnings

import torch

from counterfeit.exports.facts import as_text
from counterfeit.exports.portable import Portable


def to_program(ready: Portable) -> bytes:
    """A .pt2 file, compared with the run's own network after it is loaded again.

    `torch.export.load(path).module()` takes any number of rows. The facts lie in the file too.

    Raises:
        CounterfeitError: it answers otherwise than the run's own network.
    """
    several = torch.export.Dim("N", min=1)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of PyTorch's own workings
        program = torch.export.export(
            ready.network,
            tuple(each[:2] for each in ready.inputs),
            dynamic_shapes=tuple({0: several} for _ in ready.inputs),
        )
        buffer = io.BytesIO()
        torch.export.save(program, buffer, extra_files=as_text(ready.facts))
        buffer.seek(0)
        loaded = torch.export.load(buffer).module()
    with torch.inference_mode():
        ready.require_same(loaded(*ready.inputs), "the exported program")
    return buffer.getvalue()
