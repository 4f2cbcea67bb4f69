import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from small_set import IMAGES, LABELS, names_in, small_set, write

from counterfeit import data
from counterfeit.data.idx import IDX_FILES
from counterfeit.data.published import NotHere, offline
from counterfeit.errors import CounterfeitError


def provides(files: dict[str, bytes]) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        write(folder, files)

    return fetch


def fails(error: Exception) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        write(folder, {IMAGES: b"half a fi"})
        raise error

    return fetch


def test_sources_are_tried_in_order_and_the_first_good_one_serves(
    tmp_path: Path, publish: Callable[..., None]
) -> None:
    damaged = small_set() | {LABELS: b"something else"}
    publish(fails(OSError("unplugged")), provides(damaged), provides(small_set()))
    folder = data.fetch("mnist", tmp_path)
    assert folder == tmp_path / "mnist"
    assert names_in(folder) == sorted(IDX_FILES)
    assert len(data.load("mnist", "test", tmp_path)) == 3


def test_what_is_on_disk_is_not_fetched_again(tmp_path: Path, publish: Callable[..., None]) -> None:
    write(tmp_path / "mnist", small_set())
    publish()
    assert data.fetch("mnist", tmp_path) == tmp_path / "mnist"


def test_offline_no_source_is_asked(tmp_path: Path, publish: Callable[..., None]) -> None:
    publish(provides(small_set()))
    with offline(), pytest.raises(NotHere, match=r"mnist is not in .*, and is not fetched now\."):
        data.fetch("mnist", tmp_path)
    data.fetch("mnist", tmp_path)
    with offline():
        assert data.fetch("mnist", tmp_path) == tmp_path / "mnist"


def test_one_message_names_every_source_its_failure_and_the_remedy(
    tmp_path: Path, publish: Callable[..., None]
) -> None:
    publish(
        fails(OSError("unplugged")),
        provides(small_set() | {LABELS: b"something else"}),
        provides({}),
    )
    with pytest.raises(CounterfeitError) as caught:
        data.fetch("mnist", tmp_path)
    first_line, rest = str(caught.value), caught.value.__notes__
    assert "cannot get mnist: every source failed" in first_line
    assert str(tmp_path / "mnist") in first_line
    on_disk, first, second, third = rest
    assert IMAGES in on_disk
    assert first == "first: unplugged; mend the first."
    assert f"second: wrong SHA-256 of {LABELS}; mend the second." in second
    assert "third: " in third
    assert names_in(tmp_path / "mnist") == []


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:50] + bytes([b[50] ^ 1]) + b[51:]]
)
def test_a_damaged_file_is_set_aside_and_fetched_again(
    tmp_path: Path,
    publish: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[bytes], bytes],
) -> None:
    good = small_set()[IMAGES]
    write(tmp_path / "mnist", small_set() | {IMAGES: damage(good)})
    publish(provides(small_set()))
    with caplog.at_level(logging.WARNING):
        folder = data.fetch("mnist", tmp_path)
    assert (folder / IMAGES).read_bytes() == good
    assert (folder / f"{IMAGES}.damaged").read_bytes() == damage(good)
    assert IMAGES in caplog.text


def test_a_folder_that_cannot_be_written_is_one_error(
    tmp_path: Path, publish: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(provides(small_set()))
    (tmp_path / "file").touch()
    with pytest.raises(CounterfeitError, match=r"with --data-dir\.$"):
        data.fetch("mnist", tmp_path / "file")
    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(CounterfeitError, match=r"--data-dir or COUNTERFEIT_DATA_DIR\.$"):
        data.fetch("mnist")


def test_the_data_folder_is_the_argument_then_the_environment_then_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(tmp_path))
    assert data.data_folder(Path("here")) == Path("here")
    assert data.data_folder() == tmp_path
    monkeypatch.delenv("COUNTERFEIT_DATA_DIR")
    assert data.data_folder().name == "counterfeit"


def test_nothing_is_fetched_for_digits_and_folders(tmp_path: Path) -> None:
    assert data.fetch("digits").is_file()
    assert data.fetch(str(tmp_path)) == tmp_path


def test_mnist_in_the_cache_is_mnist() -> None:
    folder = data.data_folder() / "mnist"
    if not all((folder / file).is_file() for file in IDX_FILES):
        pytest.skip("MNIST has not been fetched; `counterfeit data mnist` does it")
    mnist = data.load("mnist")
    assert mnist.images.shape == (60_000, 1, 28, 28)
    assert mnist.labels is not None
    assert mnist.labels.bincount().tolist()[:3] == [5923, 6742, 5958]
