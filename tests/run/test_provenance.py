"""What a run was trained on: remedies that can be typed as they stand."""

from pathlib import Path

import pytest

from counterfeit.errors import CounterfeitError
from counterfeit.recipe import Data
from counterfeit.run import provenance


def test_a_remedy_quotes_paths_for_a_shell(tmp_path: Path) -> None:
    run, images = Path("my runs/one"), tmp_path / "an album"
    with pytest.raises(CounterfeitError, match="`counterfeit train --resume 'my runs/one' --data"):
        provenance.load(run, {}, Data(name=str(images)), "train", None)
    images.mkdir()
    with pytest.raises(CounterfeitError, match=f"'my runs/one' --fork --data '{images}'`"):
        provenance.load(run, {}, Data(name=str(images)), "train", None)
