"""Disks that fill up, fail or go away: training says so, and the last checkpoint is good."""

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counterfeit import recipe
from counterfeit.errors import CounterfeitError
from counterfeit.run import Run
from counterfeit.training import loop
from crash import POISONED_STEP, FileSystem, fingerprint, run_in, small_world, train

Mount = Callable[..., Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a small disk in memory, or mounts it again with other options.

    A disk with files open for writing cannot be mounted read-only again as an error makes it: what
    is read-only is a second way to it, before the first.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = 0

    def mount(options: str) -> Path:
        nonlocal mounted
        size, _, way = options.partition(",")
        if not mounted:
            command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)]
            if subprocess.run(command, capture_output=True).returncode:
                pytest.skip("mounting a small disk takes rights that this user lacks")
            mounted = 1
            return disk
        if way == "ro":
            subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
            mounted += 1
            way = "ro,bind"
        elif mounted == 2:
            subprocess.run(["umount", str(disk)], check=True)
            mounted -= 1
        subprocess.run(["mount", "-o", f"remount,{size},{way}", str(disk)], check=True)
        return disk

    yield mount
    for _ in range(mounted):
        subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def six(tiny: recipe.Recipe) -> recipe.Recipe:
    return tiny.with_values({"training.epochs": 6})


@pytest.fixture
def whole(six: recipe.Recipe, tmp_path: Path) -> dict[str, str]:
    return fingerprint(loop.train(six, out=tmp_path / "whole"))


def only_run(folder: Path) -> Run:
    run = run_in(folder)
    assert run is not None
    return run


def unfinished_files(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("small", "large", "rw", "reason"),
    [
        ("size=200k", "size=10m", "rw", "No space left on device"),
        ("nr_inodes=22", "nr_inodes=200", "rw", "No space left on device"),
        ("size=10m", "size=10m", "ro", "Read-only file system"),
    ],
)
def test_a_disk_that_takes_no_more(
    six: recipe.Recipe, whole: dict[str, str], mount: Mount, small, large, rw, reason
) -> None:
    disk = mount(small)

    def protect(run: Run, epoch: int, generator: object) -> None:
        if epoch == 3:
            mount(f"{small},{rw}")

    with pytest.raises(CounterfeitError, match=reason) as stopped:
        loop.train(six, out=disk, on_epoch=[protect])
    assert "The checkpoint of step" in str(stopped.value)
    assert "--resume" in str(stopped.value)
    run = only_run(disk)
    assert run.sample(3).shape == (3, 1, 8, 8)
    assert not unfinished_files(disk)

    mount(f"{large},rw")
    assert fingerprint(loop.resume(run.path)) == whole


def test_a_limit_on_the_size_of_files(six: recipe.Recipe, whole, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(run: Run, epoch: int, generator: object) -> None:
        if epoch == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))

    try:
        with pytest.raises(CounterfeitError, match="File too large"):
            loop.train(six, out=tmp_path / "limited", on_epoch=[limit])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    run = only_run(tmp_path / "limited")
    assert run.checkpoint().epoch == 3
    assert not unfinished_files(run.path)
    assert fingerprint(loop.resume(run.path)) == whole


def test_a_folder_that_vanishes(six: recipe.Recipe, tmp_path: Path) -> None:
    def vanish(run: Run, epoch: int, generator: object) -> None:
        shutil.rmtree(run.path)

    with pytest.raises(CounterfeitError, match=r"cannot write .*folder is gone"):
        loop.train(six, out=tmp_path / "runs", on_epoch=[vanish])


def test_a_full_disk_at_every_operation(tmp_path: Path) -> None:
    """The disk refuses one operation, whichever: the run stops, and goes on to the same end."""
    epochs = 4  # of 4 updates each
    assert 4 * epochs > POISONED_STEP
    with small_world():
        with FileSystem().watched() as seen:
            train(tmp_path / "whole", epochs)
        whole = fingerprint(only_run(tmp_path / "whole"))
        for at in range(len(seen.names)):
            folder = tmp_path / f"refused-{at}"
            try:
                with FileSystem(at, "refused").watched():
                    train(folder, epochs)
            except CounterfeitError as error:
                assert "No space left on device" in str(error)  # noqa: PT017
            assert not unfinished_files(folder), seen.names[at]
            train(folder, epochs)
            assert fingerprint(only_run(folder)) == whole, seen.names[at]
