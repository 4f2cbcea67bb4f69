"""A classifier of digits that is barely trained, for this process and those that tests start."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_study import barely_trained_classifier, with_data_in


@pytest.fixture(scope="session")
def with_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return barely_trained_classifier(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module", autouse=True)
def quick_classifier(with_classifier: Path) -> Iterator[None]:
    with with_data_in(with_classifier):
        yield
