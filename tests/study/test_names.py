"""Names made of values."""

import re

from hypothesis import given
from hypothesis import strategies as st

from counterfeit.study.names import label_of, slug, unique

FIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def test_a_key_is_as_short_as_tells_it_apart() -> None:
    values = {"generator.optimizer.lr": 1e-4, "discriminator.optimizer.lr": 2e-4, "latent.dim": 8}
    assert (
        label_of("adam", values)
        == "adam-generator.optimizer.lr-0.0001-discriminator.optimizer.lr-0.0002-dim-8"
    )
    assert label_of("adam", {"generator.hidden": (64, 32)}) == "adam-hidden-64x32"
    assert label_of("adam", {"x": -1}) != label_of("adam", {"x": 1})


@given(st.text())
def test_any_text_becomes_a_name_of_files(text: str) -> None:
    assert FIT.fullmatch(slug(text.replace("\0", "")))


@given(st.lists(st.sampled_from(["a", "b", "a-2", "b-2", "a-2-2"])))
def test_names_become_different_ones(names: list[str]) -> None:
    found = unique(names)
    assert len(set(found)) == len(found) == len(names)
    assert all(new.startswith(old) for old, new in zip(names, found, strict=True))
