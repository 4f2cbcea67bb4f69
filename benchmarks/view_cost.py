"""What the live page costs: a long log opened, and many runs followed, by the real server.

    python benchmarks/view_cost.py [--rows 1000000] [--tries 3] [--runs 50] [--seconds 60] …

First, a run's page whose log has as many rows is asked for, and its charts: seconds until both are
there, from a server that has not seen it. Then a page, of which its web socket is all that matters,
is left open on the list of `--runs` runs, `--training` of which gain a row each second and an epoch
every ten: the server's own seconds of a core, as a share of the clock's, and its memory.
"""

import argparse
import ast
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from urllib.parse import urlencode
from urllib.request import urlopen

import socketio

from counterfeit import recipe
from counterfeit.files import append_row
from counterfeit.run import Run
from counterfeit.session import train

PATIENCE = 300
"""Seconds more until a page that was told nothing counts as one that is not told."""


def template(folder: Path) -> Run:
    """A run whose rows are repeated: stage 3 on digits, two epochs."""
    spec = recipe.load("batchnorm-smoothing").with_overrides(
        ["data.name=digits", "training.epochs=2", "generator.hidden=[16, 16]"]
    )
    return train(spec, device="cpu", out=folder, progress=False)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """The server's address and process."""
    command = [sys.executable, "-m", "counterfeit", "view", str(folder), "--no-open", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            urlopen(f"{address}script.js").read()  # it is up
            yield address, server.pid
        finally:
            server.terminate()


def lengthen(run: Run, rows: int) -> None:
    """Give its log so many rows, an epoch for each hundred."""
    row = dict(run.log[-1])
    with (run.path / "log.jsonl").open("w", encoding="utf-8") as file:
        for step in range(1, rows + 1):
            file.write(json.dumps(row | {"step": step, "epoch": step / 100}) + "\n")


def opening(folder: Path, run: Run) -> float:
    """Seconds until a run's page and its charts are there."""
    with serving(folder) as (address, _):
        asked = f"of={folder.name}/{run.path.name}"
        started = time.perf_counter()
        page = urlopen(f"{address}run?{asked}").read()
        charts = json.loads(urlopen(f"{address}charts?{asked}").read())
        took = time.perf_counter() - started
        assert run.path.name.encode() in page
        assert {section["name"] for section in charts} >= {"losses", "outputs"}
        return took


def core_seconds(process: int) -> float:
    """That it has computed so far, by /proc."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def following(folder: Path, growing: list[Run], seconds: float) -> tuple[float, float, float]:
    """The share of a core in percent that following takes, and megabytes before and after."""
    with serving(folder) as (address, process):
        while (page := urlopen(address).read().decode()).count('\\"said ') < page.count("checkbox"):
            time.sleep(1)  # until all have their verdict
        return asyncio.run(_open_page(address, page, process, growing, seconds))


async def _open_page(
    address: str, page: str, process: int, growing: list[Run], seconds: float
) -> tuple[float, float, float]:
    """`following`, with the page's web socket open, as NiceGUI's script opens it."""
    found = re.search(r"query: (\{.*?\}),", page)
    assert found is not None
    query = ast.literal_eval(found[1]) | {"document_id": "document", "tab_id": "tab"}
    query["implicit_handshake"] = "true"
    client = socketio.AsyncClient()
    updates: list[object] = []
    client.on("update", updates.append)
    await client.connect(
        f"{address}?{urlencode(query)}",
        transports=["websocket"],
        socketio_path="/_nicegui_ws/socket.io",
    )
    await asyncio.sleep(2)
    before, used, started = memory_mb(process), core_seconds(process), time.monotonic()
    second = 0
    while (now := time.monotonic()) < started + seconds:
        for run in growing:
            grow(run, second)
        second += 1
        await asyncio.sleep(max(0, started + second - now))
    share = 100 * (core_seconds(process) - used) / (time.monotonic() - started)
    after = memory_mb(process)
    while not updates and time.monotonic() < started + seconds + PATIENCE:
        await asyncio.sleep(0.1)
    await client.disconnect()
    assert updates, "the page was told nothing"
    return share, before, after


def grow(run: Run, second: int) -> None:
    """A row of the log; of the vital signs as well, at an epoch's end."""
    last, signs = run.log[-1], run.vitals[-1]
    step, epoch = last["step"] + 1, 2 + (second + 1) / 10
    append_row(run.path / "log.jsonl", last | {"step": step, "epoch": epoch})
    if epoch.is_integer():
        append_row(run.path / "vitals.jsonl", signs | {"step": step, "epoch": epoch})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tries", type=int, default=3, help="at opening the long log")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--training", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        first = template(Path(place) / "template")
        long = Run(shutil.copytree(first.path, Path(place) / "long/run"))
        lengthen(long, options.rows)
        size = (long.path / "log.jsonl").stat().st_size / 1e6
        took = [opening(long.path.parent, long) for _ in range(options.tries)]
        told = ", ".join(f"{each:.2f}" for each in took)
        print(f"{options.rows:,} rows ({size:.0f} MB): open in {median(took):.2f} s of {told}")
        runs = [
            Run(shutil.copytree(first.path, Path(place) / f"many/run-{number:03d}"))
            for number in range(options.runs)
        ]
        share, before, after = following(
            runs[0].path.parent, runs[: options.training], options.seconds
        )
        print(
            f"{options.runs} runs, {options.training} of them growing: {share:.1f} % of a core"
            f" over {options.seconds:g} s, {before:.0f} MB before and {after:.0f} MB after"
        )


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
