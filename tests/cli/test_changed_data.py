"""Data that are changed, moved or gone after a run was trained on them, in every command."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command import TINY, call
from PIL import Image

from counterfeit import cli, data
from counterfeit.measure import reference
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run

SMALL = [option for option in TINY if not option.startswith("--data")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds `digits`, sub-folders of 100 images each, and `run`, trained on them."""
    place = tmp_path_factory.mktemp("place")
    digits = data.load("digits")
    assert digits.labels is not None
    for label in range(4):
        (place / "digits" / str(label)).mkdir(parents=True)
        for i, image in enumerate(digits.images[digits.labels == label][:100, 0].numpy()):
            Image.fromarray(image).save(place / "digits" / str(label) / f"{i:02}.pgm")
    cli.main(["train", "sgd", *SMALL, f"--data={place}/digits", f"--out={place}"])
    (run,) = place.glob("*-sgd-s0")
    run.rename(place / "run")
    return place


@pytest.fixture(autouse=True)
def quick_classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def barely_trained(images: data.ImageData, folder: Path, *, progress: object) -> Classifier:
        return classifier_for(images, tmp_path / "classifiers", updates=2)

    monkeypatch.setattr(reference, "classifier_for", barely_trained)


@pytest.fixture
def place(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them, the run's recipe pointing at the copied images."""
    copy = Path(shutil.copytree(trained, tmp_path / "place"))
    recipe = copy / "run" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace(str(trained), str(copy)))
    monkeypatch.chdir(copy)
    return copy


def train_image(place: Path) -> Path:
    """A file whose image is trained on."""
    pixels = data.load(str(place / "digits"), image_size=8).images[0, 0].numpy().tobytes()
    for path in sorted((place / "digits").glob("*/*.pgm")):
        with Image.open(path) as image:
            if image.tobytes() == pixels:
                return path
    raise AssertionError


def add(place: Path) -> None:
    for value in range(7):
        Image.new("L", (8, 8), value).save(place / "digits" / "0" / f"new-{value}.pgm")


def remove(place: Path) -> None:
    train_image(place).unlink()


def replace(place: Path) -> None:
    """By another image of the same split."""
    path, value = train_image(place), 0
    count = len(data.load(str(place / "digits")))
    while True:
        Image.new("L", (8, 8), value).save(path)
        if len(data.load(str(place / "digits"))) == count:
            return
        value += 1


def relabel(place: Path) -> None:
    path = train_image(place)
    path.rename(place / "digits" / ("3" if path.parent.name != "3" else "2") / "moved.pgm")


def colour(place: Path) -> None:
    path = train_image(place)
    with Image.open(path) as image:
        pixels = image.convert("RGB")
    pixels.save(path.with_suffix(".ppm"))
    path.unlink()


CHANGES = [
    (add, "instead of"),
    (remove, "instead of"),
    (replace, "other pixels or labels"),
    (relabel, "other pixels or labels"),
    (colour, "RGB instead of gray"),
]


@pytest.mark.parametrize(
    ("change", "says"), CHANGES, ids=lambda value: getattr(value, "__name__", "")
)
def test_changed_data_are_refused_in_one_line_and_nothing_is_written(
    capsys, place: Path, change: Callable[[Path], None], says: str
) -> None:
    change(place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    for command in (
        ["train", "--resume=run", "--epochs=3", "--quiet"],
        ["train", "--resume=run", "--fork", "--epochs=3", "--quiet"],
        ["evaluate", "run", "--samples=40", "--quiet"],
    ):
        status, out, err = call(capsys, *command)
        assert (status, out) == (1, "")
        assert says in err
        assert len(err.splitlines()) == 1
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_a_report_of_changed_data_says_what_it_leaves_out(
    capsys, blank_charts: None, place: Path
) -> None:
    colour(place)
    status, out, err = call(capsys, "report", "run")
    assert status == 0
    assert err.startswith("run is not measured: ")
    assert "RGB instead of gray" in Path(out.strip()).read_text()


def test_the_remedies_that_are_named_work(capsys, place: Path) -> None:
    kept = shutil.copytree(place / "digits", place / "kept")
    add(place)
    _, _, err = call(capsys, "train", "--resume=run", "--quiet")
    *_, fork = err.split("`")[1:-1]
    status, out, _ = call(capsys, *shlex.split(fork)[1:], "--epochs=2", "--quiet")
    assert status == 0
    child = Run.open(out.strip())
    assert len(child.load_data()) > len(data.load(str(kept)))

    shutil.rmtree(place / "digits")
    _, _, err = call(capsys, "train", "--resume=run", "--quiet")
    assert "which is not there" in err
    *_, moved = err.split("`")[1:-1]
    found = [word.replace("PATH", "kept") for word in shlex.split(moved)[1:]]
    assert call(capsys, *found, "--quiet") == (0, "run\n", "")
    assert Run.open("run").recipe.data.name == str(kept)  # for good
    assert call(capsys, "train", "--resume=run", "--epochs=2", "--quiet") == (0, "run\n", "")


def test_evaluate_is_told_of_a_moved_folder(capsys, place: Path, monkeypatch) -> None:
    (place / "digits").rename(place / "moved")
    assert call(capsys, "evaluate", "run", "--samples=40", "--quiet")[0] == 1
    status, _, err = call(capsys, "evaluate", "run", "--samples=40", "--quiet", "--data=./moved")
    assert (status, err) == (0, "")
    monkeypatch.chdir(place / "moved")
    status, _, err = call(capsys, "evaluate", "../run", "--samples=40", "--quiet")
    assert (status, err) == (0, "")
    add(Path(shutil.move(place / "moved", place / "digits")).parent)
    status, _, err = call(capsys, "evaluate", "../run", f"--data={place}/digits", "--quiet")
    assert status == 1
    assert "instead of" in err
    assert Run.open("../run").recipe.data.name == str(place / "moved")


def test_a_moved_folder_of_published_sets_is_named_with_data_dir(
    capsys, tmp_path: Path, run_path: Path
) -> None:
    run = Run.open(shutil.copytree(run_path, tmp_path / "run"))
    for command in (["train", f"--resume={run.path}"], ["evaluate", str(run.path), "--samples=40"]):
        folder = tmp_path / command[0]
        assert call(capsys, *command, f"--data-dir={folder}", "--quiet")[0] == 0
        assert Run.open(run.path).data_dir == folder


def test_what_needs_no_data_does_without(capsys, blank_charts: None, place: Path) -> None:
    shutil.rmtree(place / "digits")
    why = {"sample": [], "diagnose": [], "report": ["run is not measured:"]}
    for command in why:
        status, out, err = call(capsys, command, "run")
        assert status == 0
        assert [line[:20] for line in err.splitlines()] == why[command]
    assert "which is not there" in Path(out.strip()).read_text()


def test_a_run_of_an_earlier_version_is_readable_and_says_so(
    capsys, blank_charts: None, place: Path
) -> None:
    path = place / "run" / "environment.json"
    environment = json.loads(path.read_text())
    del environment["data"]
    path.write_text(json.dumps(environment))
    why = {"sample": [], "diagnose": [], "report": ["run is not measured:"]}
    for command in why:
        status, _, err = call(capsys, command, "run")
        assert status == 0
        assert [line[:20] for line in err.splitlines()] == why[command]
    _, _, err = call(capsys, "train", "--resume=run", "--quiet")
    assert "an earlier version, which split" in err
    *_, fork = err.split("`")[1:-1]
    assert call(capsys, *shlex.split(fork)[1:], "--quiet")[0] == 0
    status, _, err = call(capsys, "train", "--resume=run", "--data=digits", "--quiet")
    assert status == 1
    assert len(err.splitlines()) == 1


def test_a_place_where_nothing_is_is_not_called_what_the_run_was_trained_on(capsys, place) -> None:
    for command in (["train", "--resume=run"], ["evaluate", "run", "--samples=40"]):
        status, _, err = call(capsys, *command, "--data=dgits", "--quiet")
        assert status == 2
        assert err == (
            "counterfeit: 'dgits' is neither a data set nor a path that exists; did you mean"
            " digits?\n"
        )


def test_changed_test_images_are_noticed_where_they_are_compared_with(capsys, place: Path) -> None:
    count = len(data.load(str(place / "digits")))
    for value in range(256):
        path = place / "digits" / "0" / "new.pgm"
        Image.new("L", (8, 8), value).save(path)
        if len(data.load(str(place / "digits"))) == count:  # a test image
            break
    assert call(capsys, "train", "--resume=run", "--epochs=2", "--quiet")[0] == 0
    status, _, err = call(capsys, "evaluate", "run", "--samples=40", "--quiet")
    assert status == 1
    assert "the test split" in err
