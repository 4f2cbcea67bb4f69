"""What can be trained, and on what: recipes and data sets."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from counterfeit import language
from counterfeit.cli.options import Fit, Flag, Lang, Quiet, Whole
from counterfeit.cli.output import suggest, tell, writable
from counterfeit.errors import UsageError, command
from counterfeit.language import tr, translated
from counterfeit.terminal import columns, fill


def recipes(
    name: str | None = None,
    /,
    *,
    tricks: Annotated[bool, Flag] = False,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """List the recipes; or print one, resolved, as TOML; or say what each trick is worth.

    Args:
        name: a recipe, or a TOML file of your own.
        tricks: list the tricks of ganhacks and later ones: what each changed in the recipes that it
            was judged on, or in NAME alone, and the --set that makes it.
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit import recipe

    if tricks:
        from counterfeit.tricks.words import bases_of, terminal_text

        bases = bases_of(name)
        print(terminal_text(bases, columns(sys.stdout)))
        suggest("counterfeit", "train", bases[0].recipe, quiet=quiet)
        return
    if name is not None:
        print(recipe.load(name).to_toml(), end="")
        suggest("counterfeit", "train", name, quiet=quiet)
        return
    _list_of({each: recipe.load(each).title for each in recipe.names()})
    suggest("counterfeit", "train", "batchnorm-smoothing", quiet=quiet)


def _list_of(titles: Mapping[str, str]) -> None:
    """A line for each name, and more where the terminal is narrow."""
    widest = max(map(len, titles))
    for name, title in titles.items():
        first = f"{name:{widest}}  "
        print(fill(translated(title), columns(sys.stdout), first=first, rest=" " * len(first)))


def data(
    name: str | None = None,
    /,
    *,
    preview: Path | None = None,
    image_size: Whole | None = None,
    channels: Literal[1, 3] | None = None,
    fit: Fit = "crop",
    background: str = "white",
    skip_broken: Annotated[bool, Flag] = False,
    free: Annotated[bool, Flag] = False,
    data_dir: Path | None = None,
    quiet: Quiet = False,
    lang: Lang = None,
) -> None:
    """List the data sets; or fetch one, verify it and describe it.

    Args:
        name: one of the list; or a path of your own: a folder, a zip or a tar of images, IDX files,
            a .npz, .npy, .safetensors or .pt file, FILE:KEY where that holds several arrays, or a
            folder of files as the sets in the list are published, such as cifar-10-batches-py
            [default: none, which lists them].
        image_size: height and width to which images are resized [default: 28 for a folder or an
            archive of images, 32 for emoji, and for the others as they are stored].
        channels: 1 for gray or 3 for RGB [default: as they are stored].
        fit: how an image becomes a square one: crop to its central square, pad with the background,
            or stretch.
        background: what transparent images are laid on, such as white or #ffcc00.
        skip_broken: go on without images that cannot be read, and say which.
        free: remove what was made of your own sets that do not fit in memory, but for what is in
            use; it is made again when it is needed.
        preview: draw a few images with their labels into this PNG file.
        data_dir: where data sets are kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR].
        quiet: no word of what to do next.
    """
    language.use(lang)
    from counterfeit import data as data_sets
    from counterfeit.data import shelf

    shelves = data_sets.data_folder(data_dir) / "fitted"
    if free:
        if name is not None:
            raise UsageError("--free takes no data set: it removes all that no process uses.")
        freed = f"{shelf.free(shelves) / 1e9:.3g}"
        tell(tr("{size} GB freed in {folder}", size=freed, folder=str(shelves)))
        return
    if name is None:
        if preview is not None:
            raise UsageError("name the data set to be drawn: counterfeit data NAME --preview …")
        _list_of(data_sets.titles())
        if kept := shelf.kept_bytes(shelves):
            tell(
                tr(
                    "{size} GB of your own large sets are kept in {folder}; {command} frees them",
                    size=f"{kept / 1e9:.3g}",
                    folder=str(shelves),
                    command=command("counterfeit", "data", "--free"),
                )
            )
        suggest("counterfeit", "data", "mnist", quiet=quiet)
        return

    def show(text: str) -> None:
        for line in text.splitlines():
            print(fill(line, columns(sys.stdout), rest="  "))

    if preview is not None:
        from matplotlib.backend_bases import FigureCanvasBase

        formats = FigureCanvasBase.get_supported_filetypes()
        writable(preview, *(f".{suffix}" for suffix in formats), option="--preview")
    look = image_size, channels, fit, background, skip_broken
    train_images = data_sets.load(name, "train", data_dir, *look)
    show(data_sets.describe(train_images))
    read = [train_images]
    try:
        read.append(data_sets.load(name, "test", data_dir, *look))
        show(data_sets.describe(read[-1]))
    except data_sets.NoSuchSplit as error:
        show(f"no test images: {error}")
    show(data_sets.describe_source(*read))
    for doubt in data_sets.doubts(train_images, data_sets.Look(*look[:-1])):
        show(f"note: {doubt}")
    show("\n".join(data_sets.origin(name)))
    if preview is not None:
        data_sets.preview(train_images, preview)
        print(preview)
    else:
        print(data_sets.fetch(name, data_dir=data_dir))
    suggest("counterfeit", "train", "batchnorm-smoothing", "--data", name, quiet=quiet)
