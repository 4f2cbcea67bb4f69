"""How many cores there are for this process, and how many others keep busy."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from counterfeit import cores
from counterfeit.cores import Moment


def groups(tmp_path: Path, memberships: str, files: dict[str, str]) -> tuple[Path, Path]:
    """Control groups' files, and the one that names this process's."""
    own = tmp_path / "own"
    own.write_text(memberships)
    for name, content in files.items():
        file = tmp_path / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return tmp_path / "cgroup", own


@pytest.mark.parametrize(
    ("memberships", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 2.5),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "50000 100000\n"}, 0.5),
        ("0::/a/b\n", {"a/b/cpu.max": "300000 100000\n", "a/cpu.max": "400000 100000\n"}, 3.0),
        (
            "2:cpuacct:/\n1:cpu:/docker/7\n0::/\n",
            {
                "cpu/docker/7/cpu.cfs_quota_us": "150000\n",
                "cpu/docker/7/cpu.cfs_period_us": "100000\n",
                "cpu/cpu.cfs_quota_us": "-1\n",
                "cpu/cpu.cfs_period_us": "100000\n",
            },
            1.5,
        ),
        ("", {}, None),
    ],
)
def test_a_quota_is_the_lowest_of_the_groups_above(
    tmp_path: Path, memberships: str, files: dict[str, str], quota: float | None
) -> None:
    assert cores.quota(*groups(tmp_path, memberships, files)) == quota


@pytest.mark.parametrize(("quota", "count"), [(None, 8), (0.5, 1), (2.5, 2), (100.0, 8)])
def test_threads_stay_within_a_quota(monkeypatch, quota: float | None, count: int) -> None:
    monkeypatch.setattr(cores, "allowed", lambda: set(range(8)))
    monkeypatch.setattr(cores, "quota", lambda: quota)
    assert cores.count() == count
    for given, expected in (
        ({}, str(count) if count < 8 else None),
        ({"OMP_NUM_THREADS": "5"}, "5"),
    ):
        monkeypatch.setattr(os, "environ", given)
        cores.limit_threads()
        assert given.get("OMP_NUM_THREADS") == expected


def test_what_others_keep_busy_is_all_work_but_ones_own(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(cores, "allowed", lambda: {0, 2})
    hertz = os.sysconf("SC_CLK_TCK")
    statistics = tmp_path / "stat"
    idle = "9 9 9 9 9 9 9 9 9 9"
    statistics.write_text(f"cpu  {idle}\ncpu0 {idle}\ncpu1 {idle}\ncpu2 {idle}\nintr 5 5\n")
    before = cores.moment(statistics)
    assert before is not None
    # cpu0 worked for 2 s, 1 of them at low priority, and waited for a disk; cpu1 is not ours.
    worked = f"{9 + hertz} {9 + hertz} 9 {9 + hertz} {9 + 50 * hertz} 9 9 9 9 9"
    statistics.write_text(f"cpu0 {worked}\ncpu1 {worked}\ncpu2 {idle}\n")
    after = cores.moment(statistics)
    assert after is not None
    assert after.busy - before.busy == pytest.approx(2.0)
    assert cores.others(Moment(0, 10, 1), Moment(4, 14, 3)) == 0.5
    assert cores.others(Moment(0, 10, 1), Moment(0.1, 14, 3)) is None


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="the system does not say what is busy")
def test_a_busy_neighbour_is_seen() -> None:
    before = cores.moment()
    assert before is not None
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
        try:
            busy = None
            for _ in range(3000):  # ten minutes, for a machine that has no time for it
                time.sleep(0.2)
                during = cores.moment()
                assert during is not None
                if (busy := cores.others(before, during)) is not None and busy > 0.2:
                    break
            else:
                pytest.fail(f"nothing was seen of it but {busy}")
        finally:
            neighbour.kill()


@pytest.mark.parametrize(
    ("busy", "threads", "bits_depend", "setting"),
    [
        (1.0, 2, False, "OMP_NUM_THREADS=1"),
        (1.9, 2, False, "OMP_NUM_THREADS=1"),
        (1.0, 2, True, "GOMP_SPINCOUNT=1000"),
        (0.3, 2, False, None),
        (1.0, 1, False, None),
    ],
)
def test_what_is_advised(monkeypatch, busy, threads, bits_depend, setting) -> None:
    monkeypatch.setattr(cores, "allowed", lambda: {0, 1})
    line = cores.advice(busy, threads, bits_depend=bits_depend)
    assert (line is None) == (setting is None)
    if line is not None:
        assert setting in line
        assert "\n" not in line
