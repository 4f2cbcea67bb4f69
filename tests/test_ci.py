"""`.ci/run`, with a `make` that only says what it was asked for."""

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


class Machine:
    """A clone, and Pythons that only know their version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "clone" / ".ci").mkdir(parents=True)
        shutil.copy(REPOSITORY / ".ci" / "run", folder / "clone" / ".ci")
        shutil.copy(REPOSITORY / "pyproject.toml", folder / "clone")
        self.program("clone/.venv/bin/python", "echo 3.11")
        self.program("clone/.venv/bin/counterfeit", "exit 0")
        self.program("bin/make", 'echo "make $*, CI=$CI"')

    def program(self, path: str, line: str) -> Path:
        program = self.folder / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        return program

    def run(self) -> tuple[int, list[str]]:
        done = subprocess.run(
            ["bash", str(self.folder / "clone" / ".ci" / "run")],
            capture_output=True,
            text=True,
            env={"PATH": f"{self.folder}/bin:/usr/bin:/bin", "PYENV_ROOT": f"{self.folder}/pyenv"},
        )
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    for version in ("3.12", "3.13"):  # as pyenv's shims where no such version is switched on
        machine.program(f"bin/python{version}", "exit 127")
    return machine


def test_a_python_that_is_absent_is_said_not_to_be_tested(machine: Machine) -> None:
    status, said = machine.run()
    assert status == 0
    assert said[:3] == [f"make {each}, CI=true" for each in ("browser", "test", "docs")]
    assert said[-1].endswith("no such interpreter: Python 3.12 3.13")


def test_the_newest_python_of_each_version_is_found(machine: Machine) -> None:
    for patch in ("3.12.9", "3.12.10", "3.12.2"):
        machine.program(f"pyenv/versions/{patch}/bin/python", "echo 3.12")
    on_path = machine.program("bin/python3.13", "echo 3.13")
    machine.program("pyenv/versions/3.13.0/bin/python", "echo 3.13")
    found = machine.folder / "pyenv" / "versions" / "3.12.10" / "bin" / "python"
    status, said = machine.run()
    assert status == 0
    assert [line for line in said if "unit" in line] == [
        f"make unit PYTHON={found} VENV=.venv-3.12, CI=true",
        f"make unit PYTHON={on_path.name} VENV=.venv-3.13, CI=true",
    ]
    assert not any("NOT TESTED" in line for line in said)


@pytest.mark.parametrize("target", ["browser", "test", "docs", "unit"])
def test_whatever_fails_fails_the_run(machine: Machine, target: str) -> None:
    machine.program("bin/python3.13", "echo 3.13")
    machine.program("bin/make", f'[ "$1" != {target} ]')
    assert machine.run()[0] == 1
