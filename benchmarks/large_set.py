"""A set that is larger than the memory it may take: described, trained on, and resumed.

    python benchmarks/large_set.py [--gigabytes 10] [--in FOLDER] [--share 4]

Writes random RGB images of 64 x 64 pixels to a .npy file in the folder, and trains a small
perceptron on all of them for half an epoch and, resumed, to its end; each step is a process of its
own. Prints the seconds of each and the most memory that was its own: anonymous pages, which the
system cannot drop; pages of files it can, and does where memory is short. What was written is
removed.
"""

import argparse
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SIZE = 64
WATCH_EVERY = 0.05
"""Seconds."""


def write_set(path: Path, gigabytes: float) -> int:
    """Random images; return how many."""
    count = int(gigabytes * 1e9) // (3 * SIZE * SIZE)
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (count, SIZE, SIZE, 3))
    rng = np.random.default_rng(0)
    for start in range(0, count, 1000):
        part = images[start : start + 1000]
        part[:] = rng.integers(0, 256, part.shape, np.uint8)
    images.flush()
    return count


def anonymous_bytes() -> int:
    """What this process has of memory that lies in no file."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell anonymous pages from others")


def describe(data: Path, folder: Path) -> None:
    from counterfeit.data import describe, load

    for split in ("train", "test"):
        print(describe(load(data, split, folder / "cache")))


def train(data: Path, folder: Path) -> None:
    import counterfeit

    spec = counterfeit.load_recipe("sgd").with_overrides(
        [
            *("generator.hidden=[16]", "discriminator.hidden=[16]", "discriminator.dropout=0.0"),
            *("training.epochs=1", "training.batch_size=500"),
        ]
    )
    rows = 0

    def stop(row: object) -> None:
        nonlocal rows
        rows += 1
        if rows * 100 * 500 * 2 > images:
            raise KeyboardInterrupt

    images = len(np.load(data, mmap_mode="r"))
    try:
        counterfeit.train(
            spec, data=data, out=folder / "runs", data_dir=folder / "cache", on_row=[stop]
        )
    except KeyboardInterrupt:
        print(f"stopped after {rows} rows of the log")


def resume(data: Path, folder: Path) -> None:
    import counterfeit

    (run,) = (folder / "runs").iterdir()
    print("epoch", counterfeit.resume(run).log[-1]["epoch"])


def watched(
    work: Callable[[Path, Path], None],
    data: Path,
    folder: Path,
    share: int,
    told: "multiprocessing.Queue[tuple[float, float]]",
) -> None:
    """Do it, in a process of its own, and tell its seconds and the most memory that it took."""
    from counterfeit.data import shelf

    shelf.MEMORY_SHARE = share
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(WATCH_EVERY):
            most = max(most, anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    try:
        work(data, folder)
    finally:
        done.set()
        watcher.join()
    told.put((time.perf_counter() - started, most))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--in", dest="folder", type=Path)
    parser.add_argument("--share", type=int, default=4, help="see shelf.MEMORY_SHARE")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        folder = Path(place)
        data = folder / "large.npy"
        count = write_set(data, options.gigabytes)
        print(f"{count:,} images, {data.stat().st_size / 1e9:.1f} GB")
        for work in (describe, train, resume):
            told = context.Queue()
            process = context.Process(
                target=watched, args=(work, data, folder, options.share, told)
            )
            process.start()
            seconds, most = told.get()
            process.join()
            print(f"{work.__name__}: {seconds:.0f} s, {most / 1e6:.0f} MB of its own at most")


if __name__ == "__main__":
    main()
