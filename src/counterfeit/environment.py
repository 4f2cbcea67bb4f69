"""Where a run was made: enough to know which numbers may be compared, and to make it again."""

import ctypes
import os
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from counterfeit import cores
from counterfeit.arguments import shown
from counterfeit.errors import CounterfeitError, UsageError


def pick_device(name: str | torch.device) -> torch.device:
    """The device of that name, or torch's own; "auto" is CUDA where there is one, else the CPU.

    There is one CPU: torch's "cpu:0" is "cpu".

    Raises:
        UsageError: there is no such device here.
    """
    here = ["cpu"]
    if torch.backends.mps.is_available():
        here.append("mps")
    if torch.cuda.is_available():
        here += ["cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    name = str(name) if isinstance(name, torch.device) else name
    if not isinstance(name, str) or name not in ("auto", "cpu:0", *here):
        raise UsageError(f"no device {shown(name)} here; there is: {', '.join(here)}.")
    if name == "auto":
        name = "cuda" if "cuda" in here else "cpu"
    return torch.device("cpu" if name == "cpu:0" else name)


def memory_bytes() -> int | None:
    """What this process may use: the machine's memory, or a lower limit; None where unknown."""
    limits = []
    try:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        import resource  # Unix alone has it

        limits.append(resource.getrlimit(resource.RLIMIT_AS)[0])  # negative: none
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))  # of a container
    except (AttributeError, ImportError, OSError, ValueError):
        pass
    return min((limit for limit in limits if limit > 0), default=None)


def keep_freed_memory() -> None:
    """Let this process keep what it frees, where glibc manages its memory.

    Updates of convolutional networks allocate and free some hundred megabytes each, which glibc
    hands back to the system and asks for again, page by page: about a tenth of the time.
    """
    with suppress(OSError, AttributeError):  # of another libc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_MMAP_MAX, 0)


M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""From malloc.h."""


def require_memory(needed: int, what: str, remedy: str) -> None:
    """Refuse what this machine cannot hold, before it is tried.

    Args:
        needed: bytes, at the least.
        what: the subject of "need", as in "these networks".
        remedy: what to do.

    Raises:
        CounterfeitError: it is more than `memory_bytes`.
    """
    there = memory_bytes()
    if there is not None and needed > there:
        raise CounterfeitError(
            f"{what} need {_gigabytes(needed)} of memory, and there are {_gigabytes(there)};"
            f" {remedy}."
        )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.0f} GB" if count >= 1e10 else f"{count / 1e9:.1f} GB"


def describe(device: torch.device) -> dict[str, Any]:
    """Versions, device, processor, threads and what decides them, and a checkout's revision."""
    return {
        "counterfeit": version("counterfeit"),
        "git_revision": _git_revision(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
        "platform": platform.platform(),
        "processor": _processor(),
        "device": str(device),
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "threads": torch.get_num_threads(),
        "cores": cores.count(),
        "openmp": " ".join(f"{name}={value}" for name, value in cores.chosen().items()) or None,
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def _git_revision() -> str | None:
    """The package's revision, "+" behind it when files differ; none outside a checkout."""
    here = Path(__file__).parent
    try:
        revision, status = (
            subprocess.run(
                ["git", "-C", str(here), *command],
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "."])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return revision + ("+" if status else "")
