"""A classifier of digits that is barely trained, for this process and those that tests start."""

from collections.abc import Iterator

import pytest
from small_study import barely_trained_classifier


@pytest.fixture(scope="session", autouse=True)
def quick_classifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with barely_trained_classifier(tmp_path_factory.mktemp("data")):
        yield
