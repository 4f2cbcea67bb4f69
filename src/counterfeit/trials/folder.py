"""A trial's folder: what is trained, and what each seed came to.

```
trials/grid-points/
  recipe.toml     what is trained, resolved
  trial.json      the protocol, where it was made, each seed's result and what they say together
  trial.csv       the seeds' results, a row each
  samples.png     what the generators make, seed by seed
  samples/        the points of each seed's picture, seed-N.npz; of points
  runs/           the run directory of each seed, seed-N; of images
  .lock           held by the command that is at it
```
"""

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float

from counterfeit import recipe as recipes
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.files import finite, locked, write_whole, writing
from counterfeit.recipe import Recipe
from counterfeit.recipe.tables import dotted
from counterfeit.study import statistics
from counterfeit.study.statistics import Estimate
from counterfeit.study.tables import as_csv
from counterfeit.trials.trial import Result

RECIPE = "recipe.toml"
RESULTS = "trial.json"


def means(results: Sequence[Result]) -> dict[str, Estimate]:
    """Each metric's mean over the seeds, failed ones counted in, with its interval."""
    names = results[0].scores if results else ()
    return {
        name: Estimate(
            *map(float, statistics.mean(np.array([each.scores[name] for each in results])))
        )
        for name in names
    }


class Folder:
    """A trial's files.

    Args:
        path: need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def open(self, spec: Recipe) -> Iterator[None]:
        """Made or gone on with, for that recipe, while the block runs.

        Raises:
            UsageError: it is that of another recipe.
            CounterfeitError: it is damaged, cannot be written, or another command is at it.
        """
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path / ".lock", f"another command is at {self.path}; wait for it."):
            kept = self.path / RECIPE
            if not kept.exists():
                write_whole(kept, spec.to_toml().encode())
            elif changes := _differences(recipes.load(kept), spec):
                raise UsageError(
                    f"{self.path} holds a trial of another recipe: {'; '.join(changes)}; name"
                    " another folder with --out."
                )
            yield

    @property
    def results(self) -> list[Result]:
        """Of the seeds that ended, by their numbers.

        Raises:
            CounterfeitError: they cannot be read.
        """
        path = self.path / RESULTS
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))["seeds"]
            return [_result(row) for row in rows]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise CounterfeitError(f"cannot read {path}: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CounterfeitError(f"{path} is damaged; remove it to measure anew.") from None

    def keep_samples(self, seed: int, points: Float[np.ndarray, "N D"]) -> None:
        """
        Raises:
            CannotWrite: the folder cannot be written.
        """
        path = self._samples(seed)
        with writing(path):
            path.parent.mkdir(exist_ok=True)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, points=points)
        write_whole(path, buffer.getvalue())

    def samples(self, seed: int) -> Float[np.ndarray, "N D"]:
        """What `keep_samples` was handed.

        Raises:
            CounterfeitError: it cannot be read.
        """
        path = self._samples(seed)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                points: Float[np.ndarray, "N D"] = arrays["points"]
                return points
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise CounterfeitError(f"cannot read {path}: {error}.") from None

    def _samples(self, seed: int) -> Path:
        return self.path / "samples" / f"seed-{seed}.npz"

    def add(self, result: Result, facts: Mapping[str, Any]) -> None:
        """Keep what a seed came to.

        Args:
            facts: what is known of the trial: its protocol, and where it was made.

        Raises:
            CannotWrite: the folder cannot be written.
        """
        others = [each for each in self.results if each.seed != result.seed]
        results = sorted([*others, result], key=lambda each: each.seed)
        document = {
            **facts,
            "seeds": [asdict(each) for each in results],
            "means": {name: mean._asdict() for name, mean in means(results).items()},
        }
        content = json.dumps(finite(document), indent=2, allow_nan=False)
        write_whole(self.path / RESULTS, content.encode())
        rows = [
            {"seed": each.seed, **each.scores, "seconds": each.seconds, "why": each.why}
            for each in results
        ]
        write_whole(self.path / "trial.csv", as_csv(rows))


def _result(row: Mapping[str, Any]) -> Result:
    """A seed's result from its row; null is NaN."""
    scores = {
        name: math.nan if value is None else float(value) for name, value in row["scores"].items()
    }
    return Result(int(row["seed"]), scores, float(row["seconds"]), row["why"])


def _differences(old: Recipe, new: Recipe) -> list[str]:
    """`generator.optimizer.lr: 0.0002 -> 0.001` for each value that differs."""
    before, now = dotted(old.values), dotted(new.values)
    return [
        f"{key}: {before.get(key)} -> {now.get(key)}"
        for key in before | now
        if before.get(key) != now.get(key)
    ]
