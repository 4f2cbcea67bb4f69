"""`export`: a run's network as a file, or a folder, of some format."""

from pathlib import Path
from typing import Literal, SupportsIndex, get_args

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.errors import UsageError
from counterfeit.exports.code import to_python
from counterfeit.exports.folder import files_of, to_weights, write_files
from counterfeit.exports.html import explorer
from counterfeit.exports.onnx import to_onnx
from counterfeit.exports.portable import Portable, portable
from counterfeit.exports.program import to_program
from counterfeit.networks.own import Kind
from counterfeit.run import Run

Format = Literal["onnx", "safetensors", "torch", "python", "html"]

SUFFIXES: dict[Format, str] = {
    "onnx": ".onnx",
    "torch": ".pt2",
    "python": ".py",
    "html": ".html",
    "safetensors": "",
}
"""Of what each format makes; safetensors makes a folder."""


def export(
    run: Run | StrPath,
    format: Format = "onnx",
    *,
    out: StrPath | None = None,
    network: Kind = "generator",
    epoch: SupportsIndex | None = None,
) -> Path:
    """Write a run's generator, or its discriminator, so that it works without counterfeit.

    Latents (N, z) become images (N, C, H, W) in [0, 1], and such images logits (N,); networks that
    are told classes take their numbers (N,) as well. What is written was compared with the run's
    own network.

    Args:
        run: a run, or its directory.
        format: `onnx`; `safetensors`, a folder with a model card; `torch`, a program of
            torch.export; `python`, a file of plain PyTorch with its weights beside it; or `html`, a
            page on which the generator is explored by hand, in a browser and offline.
        out: where to; in the run's `exports` folder when absent.
        network: which player.
        epoch: of an earlier epoch that the run keeps; the last when absent.

    Returns:
        The file or folder.

    Raises:
        UsageError: an argument is impossible, or a package is not installed.
        CounterfeitError: the run has no checkpoint, or its network cannot be exported.
        CannotWrite: the place cannot be written.
    """
    arguments.one_of("format", format, get_args(Format))
    arguments.one_of("network", network, get_args(Kind))
    opened = run if isinstance(run, Run) else Run.open(run)
    target = place(opened, format, out, network)
    if format == "safetensors" and network != "generator":
        raise UsageError("a folder with a model card is of a generator; take another format.")
    if format == "html" and network != "generator":
        raise UsageError("a page to explore holds both networks; leave the network out.")
    step = None if epoch is None else opened.step_at(arguments.whole_number("epoch", epoch))
    if format == "html":
        write_files({target.name: explorer(opened, step).encode()}, target.parent)
        return target
    ready = portable(opened, network, step)
    if format == "safetensors":
        write_files(files_of(opened, ready), target)
    else:
        write_files(_files(format, target.stem, ready), target.parent)
    return target


def place(run: Run, format: Format, out: StrPath | None, network: Kind) -> Path:
    """Where an export goes.

    Raises:
        UsageError: `out` has not the format's suffix.
    """
    suffix = SUFFIXES[format]
    if out is None:
        name = "explorer" if format == "html" else network
        return run.path / "exports" / f"{name}{suffix}"
    target = arguments.path("out", out)
    if suffix and target.suffix != suffix:
        raise UsageError(f"cannot write {target}: its name must end in {suffix}.")
    if not suffix and target.is_file():
        raise UsageError(f"cannot write {target}: it is a file; name a folder.")
    if suffix and target.is_dir():
        raise UsageError(f"cannot write {target}: it is a folder; name a file in it.")
    return target


def _files(format: Format, stem: str, ready: Portable) -> dict[str, bytes]:
    """What a format comes to, by the names of the files."""
    if format == "onnx":
        return {f"{stem}.onnx": to_onnx(ready)}
    if format == "torch":
        return {f"{stem}.pt2": to_program(ready)}
    weights = f"{stem}.safetensors"
    return {f"{stem}.py": to_python(ready, stem, weights).encode(), weights: to_weights(ready)}
