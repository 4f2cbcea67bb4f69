"""Commands in messages: what is copied from them into a shell is one word for each argument."""

import shlex
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from counterfeit.errors import command


@given(st.lists(st.text(), min_size=1))
def test_a_shell_reads_the_words_that_were_meant(words: list[str]) -> None:
    assert shlex.split(command(*words)[1:-1]) == words


def test_a_plain_path_stays_plain() -> None:
    assert command("counterfeit", "report", Path("runs/a-s0")) == "`counterfeit report runs/a-s0`"
