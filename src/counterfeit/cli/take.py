"""Taking a run's networks away: to a file, to a model hub."""

from pathlib import Path
from typing import Annotated, Literal

from counterfeit import language
from counterfeit.cli.options import Flag, Lang, Quiet, Whole
from counterfeit.cli.output import suggest, suggest_to, writable
from counterfeit.language import tr


def export(
    run: Path,
    /,
    *,
    format: Literal["onnx", "safetensors", "torch", "python", "html"] = "onnx",
    network: Literal["generator", "discriminator"] = "generator",
    out: Path | None = None,
    epoch: Whole | None = None,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Write a run's generator so that it works without counterfeit.

    It makes images (N, C, H, W) in [0, 1] of latents (N, z), and of the classes' numbers (N,) where
    it is told any. Before anything is written it is compared with the run's own on 1,000 latents.

    Args:
        run: a run directory.
        format: onnx, for onnxruntime in any language and in browsers; safetensors, a folder with a
            model card, as model hubs have it; torch, a program that torch.export.load reads;
            python, a file of plain PyTorch with its weights beside it; or html, a page on which
            both networks are explored by hand, in a browser and offline.
        network: the generator; or the discriminator, from images in [0, 1] to logits (N,).
        out: the file, or for safetensors the folder [default: in the run's exports].
        epoch: of an earlier epoch: 1, 2, 5, 10, 20, 50 and so on are kept [default: the last].
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.exports import export as write
    from counterfeit.exports.formats import place
    from counterfeit.run import Run

    opened = Run.open(run)
    target = place(opened, format, out, network)
    writable(target / "README.md" if format == "safetensors" else target)
    write(opened, format, out=out, network=network, epoch=epoch)
    print(target)
    if format == "html":
        size = f"{target.stat().st_size / 1e6:.1f}"
        suggest_to(
            tr("open it in a browser, also offline; it has {size} MB", size=size), quiet=quiet
        )
    elif format == "safetensors":
        suggest("counterfeit", "push", run, "USER/NAME", quiet=quiet)
    else:
        suggest_to(tr("docs/export.md shows how to load it"), quiet=quiet)


def push(
    run: Path,
    name: str,
    /,
    *,
    private: Annotated[bool, Flag] = False,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """Put a run's generator on the Hugging Face Hub, with a model card.

    What goes there is what `export --format safetensors` writes: look at that first. Log in with
    `hf auth login`, or set HF_TOKEN.

    Args:
        run: a run directory.
        name: where on the Hub: USER/NAME. It is made where there is none.
        private: for your eyes only, where it is made.
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit.exports.hub import push as push_to_hub
    from counterfeit.run import Run

    print(push_to_hub(Run.open(run), name, private=private))
    suggest_to(tr("choose a licence there, in the first lines of README.md"), quiet=quiet)
