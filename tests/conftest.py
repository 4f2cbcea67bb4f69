"""Small real data for all tests: scikit-learn's digits, which need no download."""

import os

import hypothesis
import pytest
import torch

from counterfeit import recipe

# No deadlines: a busy machine is no failure. The same examples every time where CI asks for them.
hypothesis.settings.register_profile("counterfeit", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("counterfeit")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests run side by side; more threads each would only wait for each other.

    The same for the processes that they start.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


@pytest.fixture
def tiny() -> recipe.Recipe:
    """Stage 3 of the article on 8x8 digits with small networks: an epoch takes milliseconds."""
    return recipe.load("batchnorm-smoothing").with_overrides(
        [
            "data.name=digits",
            "generator.hidden=[32, 32]",
            "discriminator.hidden=[32, 16]",
            "training.batch_size=64",
            "training.epochs=2",
        ]
    )
