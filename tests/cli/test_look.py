"""`counterfeit diagnose`, `sample` and `report`."""

from pathlib import Path

import numpy as np
from command import call


def test_sample_writes_arrays_and_grids(capsys, run_path: Path, tmp_path) -> None:
    target = tmp_path / "x.npz"
    status, out, _ = call(capsys, "sample", str(run_path), "-n", "1234", "--out", str(target))
    assert (status, out.strip()) == (0, str(target))
    with np.load(target, allow_pickle=False) as archive:
        assert archive["images"].shape == (1234, 1, 8, 8)
        assert archive["images"].dtype == np.uint8
    status, out, _ = call(capsys, "sample", str(run_path))
    assert status == 0
    assert Path(out.strip()).read_bytes().startswith(b"\x89PNG")


def test_diagnose_says_that_all_is_well(capsys, run_path: Path) -> None:
    status, out, err = call(capsys, "diagnose", str(run_path))
    assert (status, err) == (0, "")
    assert "all is well" in out


def test_report_is_one_file(capsys, run_path: Path, tmp_path) -> None:
    page = tmp_path / "page.html"
    status, out, _ = call(capsys, "report", str(run_path), f"--out={page}")
    assert (status, out.strip()) == (0, str(page))
    assert "<html" in page.read_text()
