"""Two processes make the step that one makes: every recipe, and whatever mixes or draws by rows.

The kind of fault: a number that is of a process's rows where it should be of the whole batch's.
In float64, where 20 updates, or 6, leave rounding far below what any such fault would change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import Tensor

from several import together
from shared_games import GAMES, in_bfloat16, lose, play, played, spec_of, updates_of

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, State]]:
    """What each of two processes has at the end of each game."""
    folder = tmp_path_factory.mktemp("shared")
    together(2, folder, play, folder)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


@contextmanager
def float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", GAMES)
def test_two_processes_are_one(name: str, ends: list[dict[str, State]]) -> None:
    with float64():
        alone = played(spec_of(name), updates_of(name), shared=False)
    together = ends[0][name]
    assert alone.keys() == together.keys()
    for key, tensor in alone.items():
        # Minibatch deviations are float32 whatever the weights are.
        torch.testing.assert_close(together[key], tensor, rtol=1e-6, atol=1e-7, msg=key)


@pytest.mark.parametrize("name", [*GAMES, "bf16"])
def test_both_have_the_same_bits(name: str, ends: list[dict[str, State]]) -> None:
    first, second = (each[name] for each in ends)
    for key, tensor in first.items():
        assert torch.equal(tensor, second[key]), key


def test_bfloat16_is_as_near_as_it_can_be(ends: list[dict[str, State]]) -> None:
    alone = played(in_bfloat16(), 1, shared=False)
    for key in ("d_loss", "g_loss", "codes", "real_logits", "fake_logits"):
        torch.testing.assert_close(ends[0]["bf16"][key], alone[key], rtol=0.02, atol=0.02, msg=key)


def test_a_process_that_ends_is_noticed(tmp_path: Path) -> None:
    together(2, tmp_path, lose)
    said = (tmp_path / "out.0").read_text()
    assert said == "one of the 2 processes that train together has ended.\n"
