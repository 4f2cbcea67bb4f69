"""Runs that torchrun starts on two processes: what one process does, and nothing twice."""

import logging
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from counterfeit import recipe
from counterfeit.cli.app import main
from counterfeit.errors import UsageError
from counterfeit.run import Run
from counterfeit.training import loop, processes
from crash import fingerprint
from several import (
    SECONDS,
    codes,
    fail_in_an_update,
    lead_while_a_module_takes_the_group,
    started,
    together,
)

SMALL = [
    "train", "dcgan", "--data=digits", "--batch-size=64", "--set=generator.channels=4",
    "--set=discriminator.channels=4",
]  # fmt: skip


def wait_for_a_checkpoint(out: Path, ended: Callable[[], object]) -> None:
    while not list(out.glob("[!.]*/checkpoints/*.json")):
        assert not ended()
        time.sleep(0.05)


def test_torchrun_saves_and_two_processes_go_on_to_the_bit(tmp_path: Path) -> None:
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    endless = [*SMALL, "--epochs=1000000", f"--out={stopped}"]
    process = subprocess.Popen(
        [*torchrun, "-m", "counterfeit", *endless],
        env=os.environ | {"TMPDIR": str(tmp_path)},  # torchrun leaves a folder of empty logs
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_a_checkpoint(stopped, process.poll)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    run = Run.latest(stopped)
    how = f"torchrun --nproc-per-node 2 -m counterfeit train --resume {run.path}"
    assert out == ""
    ours = [line for line in err.splitlines() if line.startswith("counterfeit: ")]
    assert ours == [f"counterfeit: stopped and saved; `{how}` goes on."]
    assert "terminate called" not in err
    epochs = f"--epochs={math.ceil(run.checkpoint().epoch) + 1}"

    said = tmp_path / "said"
    together(2, said, main, ["train", "--resume", str(run.path), epochs, "--quiet"])
    assert [(said / f"out.{rank}").read_text() for rank in (0, 1)] == [f"{run.path}\n", ""]
    together(2, said, main, [*SMALL, epochs, f"--out={whole}", "--quiet"])
    assert len(list(whole.glob("[!.]*"))) == 1
    together_run = Run.latest(whole)
    assert fingerprint(Run.open(run.path)) == fingerprint(together_run)
    assert together_run.environment["processes"] == 2

    one_epoch = together_run.recipe.with_values({"training.epochs": 1})
    alone = loop.train(one_epoch, out=tmp_path / "alone").log[0]
    first = together_run.log[0]
    assert alone["d_loss"] == pytest.approx(first["d_loss"], rel=1e-4)
    assert alone["g_grad_norm"] == pytest.approx(first["g_grad_norm"], rel=1e-2)


@pytest.mark.parametrize("rank", [0, 1])
def test_when_one_is_killed_the_other_ends_and_says_so(tmp_path: Path, rank: int) -> None:
    runs, said = tmp_path / "runs", tmp_path / "said"
    endless = [*SMALL, "--epochs=1000000", f"--out={runs}", "--quiet"]
    with started(2, said, main, endless) as ours:
        wait_for_a_checkpoint(runs, lambda: any(process.exitcode is not None for process in ours))
        ours[rank].kill()
        ended = codes(ours)
    assert (ended[rank], ended[1 - rank]) == (-signal.SIGKILL, 1)
    (line,) = (said / f"err.{1 - rank}").read_text().splitlines()
    assert ("--resume latest", "--nproc-per-node 2 -m counterfeit train --resume")[rank] in line
    assert Run.latest(runs).sample(1).shape == (1, 1, 8, 8)


def test_an_error_of_the_first_in_an_update_ends_them_all(tmp_path: Path) -> None:
    with started(2, tmp_path, fail_in_an_update) as ours:
        assert codes(ours) == [1, 1]
    assert "MemoryError" in (tmp_path / "err.0").read_text()
    assert (tmp_path / "err.1").read_text() == ""


def test_no_thread_outlives_the_group(tmp_path: Path) -> None:
    together(1, tmp_path, lead_while_a_module_takes_the_group)


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
