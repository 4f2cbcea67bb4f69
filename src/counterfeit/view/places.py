"""Which runs and studies lie in the folders that may be looked at, and that nothing leads out."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from counterfeit.arguments import StrPath
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.study.folder import PLAN, Study

RUN_FILES = ("recipe.toml", "environment.json")


@dataclass(frozen=True)
class Group:
    """Runs that stand together on the page: those of a folder, or of a study."""

    id: str
    path: Path
    study: Study | None = None
    alone: bool = False
    """Whether it is one run that was named, and not what lies beside it."""

    def runs(self) -> dict[str, Path]:
        """The run directories that are there now, by id: the group's, a slash, and their name."""
        if self.alone:
            sound = is_run(self.path) and is_inside(self.path, self.path)
            return {self.id: self.path} if sound else {}
        folder = self.path / "runs" if self.study else self.path
        return {
            f"{self.id}/{path.name}": path
            for path in _folders(folder)
            if is_run(path) and is_inside(path, self.path)
        }


def groups(paths: Sequence[StrPath]) -> list[Group]:
    """What was asked for, as groups; studies in a folder are groups of their own.

    Raises:
        UsageError: one of the paths is no folder.
    """
    found: list[Group] = []
    for given in paths:
        path = Path(given)
        if not path.is_dir():
            raise UsageError(
                f"{path} is no folder; name a run, a study, or a folder that has some."
            )
        found += _groups(path.resolve())
    return _distinct(found)


def _groups(path: Path) -> Iterator[Group]:
    if is_run(path):
        yield Group(path.name, path, alone=True)
    elif (path / PLAN).is_file():
        yield _study(path)
    else:
        yield Group(path.name, path)
        inner = (each for each in _folders(path) if (each / PLAN).is_file())
        yield from (_study(each) for each in inner if is_inside(each, path))


def _study(path: Path) -> Group:
    try:
        return Group(path.name, path, Study.open(path))
    except CounterfeitError:  # its plan is damaged; its runs may be sound
        runs = path / "runs"
        return Group(path.name, runs if is_inside(runs, path) else path)


def _distinct(found: Sequence[Group]) -> list[Group]:
    """Each folder once, and each id: a second one of a name gets a number."""
    once = {group.path: group for group in found}.values()
    names: dict[str, int] = {}
    distinct = []
    for group in once:
        names[group.id] = count = names.get(group.id, 0) + 1
        name = group.id if count == 1 else f"{group.id}-{count}"
        distinct.append(Group(name, group.path, group.study, group.alone))
    return distinct


def _folders(path: Path) -> Iterator[Path]:
    """The folders in one; none where it is gone."""
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir():
                    yield Path(entry.path)
    except OSError:
        return


def is_run(path: Path) -> bool:
    return all((path / name).is_file() for name in RUN_FILES)


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a directory and all files directly in it lie in a folder, wherever links lead."""
    try:
        with os.scandir(path) as entries:
            links = [Path(entry.path) for entry in entries if entry.is_symlink()]
        return all(each.resolve().is_relative_to(folder.resolve()) for each in (path, *links))
    except OSError:
        return False
