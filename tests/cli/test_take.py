"""`counterfeit export` and `push`."""

from pathlib import Path

import onnx
import pytest
from command import call


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("onnx", "generator.onnx"),
        ("python", "generator.py"),
        ("safetensors", "generator"),
        ("torch", "generator.pt2"),
    ],
)
def test_the_result_lies_in_the_run(capsys, run_path: Path, format: str, name: str) -> None:
    status, out, err = call(capsys, "export", str(run_path), "--format", format)
    assert (status, err) == (0, "")
    assert out == f"{run_path / 'exports' / name}\n"
    assert Path(out.strip()).exists()


def test_a_discriminator_where_it_is_asked_for(capsys, run_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "d.onnx"
    given = ("--network=discriminator", f"--out={path}")
    assert call(capsys, "export", str(run_path), *given) == (0, f"{path}\n", "")
    assert onnx.load(path).graph.input[0].name == "images"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["export", "RUN", "--out=x.pt"], 2, "cannot write x.pt: its name must end in .onnx."),
        (["export", "RUN", "--format=torch", "--out=."], 2, "its name must end in .pt2"),
        (["export", "RUN", "--format=gif"], 2, "gif"),
        (["export", "RUN", "--format=html", "--out=x.htm"], 2, "its name must end in .html"),
        (["export", "RUN", "--format=html", "--network=discriminator"], 2, "holds both networks"),
        (["export", "RUN", "--epoch=9"], 2, "keeps no checkpoint of epoch 9"),
        (["export", "nowhere"], 2, "nowhere does not exist; `counterfeit train` makes one"),
        (["push", "RUN", "digits"], 2, "the Hub takes names such as USER/NAME, not 'digits'."),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    capsys, run_path: Path, arguments: list[str], status: int, words: str
) -> None:
    given = [str(run_path) if each == "RUN" else each for each in arguments]
    code, out, err = call(capsys, *given)
    assert (code, out) == (status, "")
    assert words in " ".join(err.split())


def test_a_run_that_takes_no_files_names_another_place(capsys, read_only: Path) -> None:
    status, _, err = call(capsys, "export", str(read_only))
    assert status == 1
    assert "name another place with --out" in " ".join(err.split())


def test_what_is_missing_is_named(capsys, run_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    status, _, err = call(capsys, "export", str(run_path))
    assert status == 2
    assert "`pip install onnx onnxruntime` brings it" in " ".join(err.split())
