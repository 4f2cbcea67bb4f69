"""What can be trained, and on what: recipes and data sets."""

from pathlib import Path

from counterfeit.cli.output import writable
from counterfeit.errors import CounterfeitError


def recipes(name: str | None = None, /) -> None:
    """List the recipes; or print one, resolved, as TOML.

    Args:
        name: a recipe, or a TOML file of your own.
    """
    from counterfeit import recipe

    if name is not None:
        print(recipe.load(name).to_toml(), end="")
        return
    known = recipe.names()
    width = max(map(len, known))
    for each in known:
        print(f"{each:{width}}  {recipe.load(each).title}")


def data(
    name: str = "mnist", /, *, preview: Path | None = None, data_dir: Path | None = None
) -> None:
    """Fetch a data set, verify it and describe it.

    Args:
        name: mnist, fashion-mnist, digits, a folder of IDX files, or a folder of images.
        preview: draw a few images with their labels into this PNG file.
        data_dir: where data sets are kept [default: your cache folder, or $COUNTERFEIT_DATA_DIR].
    """
    from counterfeit import data as data_sets

    if preview is not None:
        from matplotlib.backend_bases import FigureCanvasBase

        formats = FigureCanvasBase.get_supported_filetypes()
        writable(preview, *(f".{suffix}" for suffix in formats), option="--preview")
    train_images = data_sets.load(name, "train", data_dir=data_dir)
    print(data_sets.describe(train_images))
    try:
        print(data_sets.describe(data_sets.load(name, "test", data_dir=data_dir)))
    except CounterfeitError as error:
        print(f"no test images: {error}")
    if preview is not None:
        data_sets.preview(train_images, preview)
        print(preview)
    else:
        print(data_sets.fetch(name, data_dir=data_dir))
