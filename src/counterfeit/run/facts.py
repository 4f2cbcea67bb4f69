"""What a run is made from: recipe.toml and environment.json, read and checked."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from counterfeit import recipe
from counterfeit.errors import CounterfeitError
from counterfeit.run import provenance


def read_recipe(folder: Path) -> recipe.Recipe:
    """The recipe of the run in `folder`.

    Raises:
        CounterfeitError: it cannot be read, or is damaged.
    """
    path = folder / "recipe.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CounterfeitError(f"cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise CounterfeitError(f"{path} is not TOML: {error}.") from None
    return recipe.parse(recipe.read_toml(text, str(path)), str(path))


def read_environment(folder: Path) -> dict[str, Any]:
    """The seed, image_shape and all else that is known of how the run in `folder` was made.

    `classes` holds how many images it trains on of each class, by its name; nothing where they
    have no labels, and in a run of before it was kept.
    `history_seed` fixes the latents of all its snapshots, which a fork has from its parent. It is
    None in a run on a GPU of before it was kept, whose latents were drawn there.

    Raises:
        CounterfeitError: it is damaged.
    """
    path = folder / "environment.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        channels, height, width = facts["image_shape"]
        facts.setdefault(
            "history_seed", facts["seed"] if facts.get("device", "cpu") == "cpu" else None
        )
        sizes = facts.setdefault("classes", {}).values()
        seeds = facts["seed"], facts["history_seed"] or 0
        sound = b"\0" not in os.fsencode(facts.get("data_dir") or "") and (
            all(type(each) is int for each in (*seeds, *sizes, channels, height, width))
            and min(sizes, default=0) >= 0
            and channels in (1, 3)
            and min(height, width) >= 1
        )
        provenance.check(facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise CounterfeitError(
            f"{path} is damaged: it must be JSON with a seed, an image_shape and data."
        )
    return dict(facts)


def newest(out: Path) -> Path | None:
    """The run in that folder that was made last."""
    runs: list[tuple[str, int, Path]] = []
    with suppress(OSError):  # such as a name that is too long
        for path in out.glob("[!.]*/environment.json"):
            with suppress(CounterfeitError, OSError):  # no run, or a damaged one
                created = str(read_environment(path.parent).get("created", ""))
                if (path.parent / "recipe.toml").is_file():
                    runs.append((created, path.stat().st_mtime_ns, path.parent))
    return max(runs)[-1] if runs else None
