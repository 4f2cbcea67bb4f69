"""SIGINT and SIGTERM on a real process: it saves, says how to go on, and exits as it should."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from counterfeit.run import Run

SECONDS = 600
"""Before it counts as a hang; docs/reliability.md says how long it takes."""


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_stops(tmp_path: Path, signum: signal.Signals, status: int) -> None:
    command = [
        sys.executable, "-m", "counterfeit", "train", "batchnorm-smoothing", "--data=digits",
        "--epochs=1000000", f"--out={tmp_path}", "--quiet",  # of findings
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        while not list(tmp_path.glob("[!.]*/checkpoints/*.json")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signum)
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    (path,) = tmp_path.iterdir()
    assert (process.returncode, out) == (status, "")
    assert err == f"counterfeit: stopped and saved; `counterfeit train --resume {path}` goes on.\n"
    assert Run.open(path).checkpoint().step >= Run.open(path).log[-1]["step"]
