"""What this machine is, and what it can hold."""

import platform
import resource
import subprocess
import sys

import pytest

from counterfeit import environment
from counterfeit.errors import CounterfeitError


def test_memory_is_the_machines_or_a_lower_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    there = environment.memory_bytes()
    assert there is not None
    assert there > 2**28
    monkeypatch.setattr(resource, "getrlimit", lambda _: (12345, -1))
    assert environment.memory_bytes() == 12345
    monkeypatch.setattr(resource, "getrlimit", lambda _: (-1, -1))
    assert environment.memory_bytes() > 12345


def test_what_cannot_be_held_is_refused_with_both_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "memory_bytes", lambda: 24_000_000_000)
    environment.require_memory(24_000_000_000, "these networks", "make them smaller")
    with pytest.raises(CounterfeitError) as caught:
        environment.require_memory(400_000_000_001, "these networks", "make them smaller")
    assert str(caught.value) == (
        "these networks need 400 GB of memory, and there are 24 GB; make them smaller."
    )
    monkeypatch.setattr(environment, "memory_bytes", lambda: None)
    environment.require_memory(10**20, "these networks", "make them smaller")


FREED = """
import resource, torch
from counterfeit.environment import keep_freed_memory

def faults():
    for _ in range(30):  # until the heap has found its shape
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        x = torch.ones(2**23)  # 32 MiB
        del x
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

returned = faults()
keep_freed_memory()
print(faults(), returned)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another libc")
def test_freed_memory_is_used_again() -> None:
    """Without the system, which hands pages over one fault at a time."""
    done = subprocess.run([sys.executable, "-c", FREED], check=True, capture_output=True)
    kept, returned = map(int, done.stdout.split())
    assert kept < returned / 10
