"""Processor cores: how many this process may use, and how many others keep busy.

Nothing here imports torch, which reads the number of threads when it is imported.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

LEAST_SECONDS = 0.2
"""Below, the kernel's count of hundredths of a second tells too little."""


def allowed() -> set[int]:
    """The processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def count() -> int:
    """Cores that this process may keep busy: its processors, or a container's lower quota."""
    limit = quota()
    there = len(allowed())
    return there if limit is None else max(1, min(there, int(limit)))


def quota(
    root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> float | None:
    """Cores' worth of time that control groups grant; None where they set no limit.

    Args:
        root: where control groups are mounted.
        own: the file that names this process's.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst (cpu.max) and scheduler/sched-bwc.rst.
    """
    limits = []
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        lines = []
    groups = {Path("/")} | {Path(path) for _, _, path in lines}
    for group in {parent for path in groups for parent in (path, *path.parents)}:
        below = group.relative_to("/")
        limits.append(_ratio(root / below / "cpu.max"))
        for controller in ("cpu", "cpu,cpuacct"):
            folder = root / controller / below
            limits.append(_ratio(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"))
    return min((limit for limit in limits if limit is not None), default=None)


def _ratio(*files: Path) -> float | None:
    """A quota over its period, which one file or two hold; None where there is no limit."""
    try:
        share, period = (int(word) for file in files for word in file.read_text().split())
    except (OSError, ValueError):  # there is no such file, or it says "max"
        return None
    return share / period if share > 0 and period > 0 else None


SETTINGS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""Variables with which a user decides how OpenMP's threads share the processors."""


def chosen() -> dict[str, str]:
    """What the user has decided of them."""
    return {name: os.environ[name] for name in SETTINGS if name in os.environ}


def limit_threads() -> None:
    """No more threads than a quota grants, unless the user says; before torch is imported.

    OpenMP counts processors: threads beyond the quota make it run out early in each period, and
    then all of them stand still.
    """
    if count() < len(allowed()):
        os.environ.setdefault("OMP_NUM_THREADS", str(count()))


@dataclass(frozen=True)
class Moment:
    """What the processors have done by now, in seconds."""

    clock: float
    busy: float
    """Of all processors that this process may use, summed, since the machine started."""
    own: float
    """Of this process and its children that have ended."""


def moment(statistics: Path = Path("/proc/stat")) -> Moment | None:
    """Now; None where the system does not say."""
    try:
        lines = [line.split() for line in statistics.read_text().splitlines()]
    except OSError:
        return None
    names = {f"cpu{number}" for number in allowed()}
    ticks = 0
    for name, *numbers in lines:
        if name in names:
            user, nice, system, _idle, _iowait, *others = map(int, numbers[:8])
            ticks += user + nice + system + sum(others)
    times = os.times()
    own = times.user + times.system + times.children_user + times.children_system
    return Moment(time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), own)


def others(since: Moment, until: Moment) -> float | None:
    """How many cores other processes kept busy, on average; None after too short a time."""
    seconds = until.clock - since.clock
    if seconds < LEAST_SECONDS:
        return None
    return max(0.0, until.busy - since.busy - (until.own - since.own)) / seconds


def advice(busy: float, threads: int, *, bits_depend: bool) -> str | None:
    """One line that says what would be faster beside others' work; None where nothing would.

    It changes no bit of a run. Where the number of threads may, the line says how they spin for a
    shorter time while they wait instead, which helps less.

    Args:
        busy: cores that others use.
        threads: of this process.
        bits_depend: whether the run's bits depend on their number.
    """
    there = len(allowed())
    free = max(1, round(there - busy))
    if free >= threads:
        return None
    setting = "GOMP_SPINCOUNT=1000" if bits_depend else f"OMP_NUM_THREADS={free}"
    return (
        f"other work keeps {busy:.1f} of {there} cores busy, and {threads} threads wait for each"
        f" other: `{setting} counterfeit …` is faster, to the same bits."
    )
