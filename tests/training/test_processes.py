"""Runs that torchrun starts on two processes: what one process does, and nothing twice."""

import logging
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from counterfeit import recipe
from counterfeit.errors import UsageError
from counterfeit.run import Run
from counterfeit.training import loop, processes
from crash import fingerprint

SECONDS = 600
"""Before it counts as a hang; docs/study.md says how long it takes."""

SMALL = [
    "dcgan", "--data=digits", "--batch-size=64", "--set=generator.channels=4",
    "--set=discriminator.channels=4",
]  # fmt: skip


def torchrun(*arguments: object) -> list[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    return [*start, "-m", "counterfeit", "train", *map(str, arguments)]


def said_by_us(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("counterfeit: ")]


def finished(*arguments: object) -> str:
    done = subprocess.run(torchrun(*arguments, "--quiet"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@contextmanager
def endless(out: Path) -> Iterator[subprocess.Popen[str]]:
    """A training with a first checkpoint, which goes on."""
    process = subprocess.Popen(
        torchrun(*SMALL, "--epochs=1000000", f"--out={out}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not list(out.glob("[!.]*/checkpoints/*.json")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        yield process
    finally:
        process.kill()


def pids_of(torchrun: int) -> dict[int, int]:
    """The processes that it started, by their rank."""
    children = Path(f"/proc/{torchrun}/task/{torchrun}/children").read_text().split()
    ranks = {}
    for child in map(int, children):
        for entry in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            name, _, value = entry.partition(b"=")
            if name == b"RANK":
                ranks[int(value)] = child
    return ranks


def test_a_signal_saves_and_two_processes_go_on_to_the_bit(tmp_path: Path) -> None:
    with endless(tmp_path / "stopped") as process:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=SECONDS)
    run = Run.latest(tmp_path / "stopped")
    how = f"torchrun --nproc-per-node 2 -m counterfeit train --resume {run.path}"
    assert out == ""
    assert said_by_us(err) == [f"counterfeit: stopped and saved; `{how}` goes on."]
    epochs = math.ceil(run.checkpoint().epoch) + 1

    assert finished("--resume", run.path, f"--epochs={epochs}") == f"{run.path}\n"
    finished(*SMALL, f"--epochs={epochs}", f"--out={tmp_path / 'whole'}")
    whole = Run.latest(tmp_path / "whole")
    assert fingerprint(Run.open(run.path)) == fingerprint(whole)
    assert len(list((tmp_path / "whole").glob("[!.]*"))) == 1
    assert whole.environment["processes"] == 2

    alone = loop.train(whole.recipe.with_values({"training.epochs": 1}), out=tmp_path / "alone")
    assert alone.log[0]["d_loss"] == pytest.approx(whole.log[0]["d_loss"], rel=1e-4)
    assert alone.log[0]["g_grad_norm"] == pytest.approx(whole.log[0]["g_grad_norm"], rel=1e-2)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes as Linux lists them")
@pytest.mark.parametrize("rank", [0, 1])
def test_when_one_is_killed_the_other_ends_and_says_so(tmp_path: Path, rank: int) -> None:
    with endless(tmp_path) as process:
        ours = pids_of(process.pid)
        os.kill(ours[rank], signal.SIGKILL)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode != 0
    (line,) = said_by_us(err)
    assert ("--resume latest", "--nproc-per-node 2 -m counterfeit train --resume")[rank] in line
    assert not any(Path(f"/proc/{pid}").exists() for pid in ours.values())
    assert Run.latest(tmp_path).sample(1).shape == (1, 1, 8, 8)


def test_another_number_of_processes_is_said(
    tiny: recipe.Recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = loop.train(tiny, out=tmp_path)
    longer = tiny.training.epochs + 1
    loop.resume(run, epochs=longer)
    assert "processes" not in caplog.text
    run = Run.open(run.path)
    run.environment["processes"] = 4
    with caplog.at_level(logging.WARNING):
        loop.resume(run, epochs=longer)
    assert "1 instead of 4" in caplog.text


@pytest.mark.parametrize(
    ("count", "batch_size", "kind", "said"),
    [
        (
            3,
            128,
            "cpu",
            "start 2, 4, 8, 16, 32, 64 or 128 of them, or give --batch-size 126 or 129.",
        ),
        (8, 5, "cpu", "start 5 of them, or give --batch-size 8."),
        (2, 128, "mps", "give --device cpu."),
        (2, 128, "cuda", "each process takes a GPU of its own, and 2"),
    ],
)
def test_what_they_cannot_share_is_refused(
    count: int, batch_size: int, kind: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: count)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(count))
    with pytest.raises(UsageError) as refused:
        processes._require_shareable(batch_size, torch.device(kind))
    assert said in str(refused.value)
