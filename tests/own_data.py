"""A folder of data of the tests' own, in the place of the machine's.

A conftest that imports the two fixtures gives it to each module of its folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from counterfeit import data
from counterfeit.data.published import data_folder
from counterfeit.measure.train_classifier import classifier_for

__all__ = ["barely_trained_classifier", "quick_classifier", "with_classifier", "with_data_in"]


def barely_trained_classifier(folder: Path) -> Path:
    """A folder of data with a quick classifier of digits."""
    classifier_for(data.load("digits"), folder / "classifiers", updates=20)
    return folder


@contextmanager
def with_data_in(folder: Path) -> Iterator[None]:
    """For this process and those that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERFEIT_DATA_DIR", str(folder))
        yield


@pytest.fixture(scope="session")
def with_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a quick classifier, and with what the machine has for the explorer."""
    folder = barely_trained_classifier(tmp_path_factory.mktemp("data"))
    for runtime in data_folder().glob("onnxruntime-web-*"):
        (folder / runtime.name).symlink_to(runtime)
    return folder


@pytest.fixture(scope="module", autouse=True)
def quick_classifier(with_classifier: Path) -> Iterator[None]:
    """No longer than a module: what is left set changes what other tests find."""
    with with_data_in(with_classifier):
        yield
