"""How a task of a study ended, as its file says."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from counterfeit.errors import CounterfeitError
from counterfeit.files import write_whole

Ending = Literal["finished", "failed", "pruned"]
"""`pruned` is the end of a search's trial that others had left behind."""

State = Ending | Literal["waiting", "training", "stopped"]
"""Where a task stands."""

ENDINGS: tuple[Ending, ...] = get_args(Ending)


@dataclass(frozen=True)
class Outcome:
    """How a task ended."""

    state: Ending
    """`failed`: its numbers were no longer finite, or a finding stopped it."""
    why: str | None = None
    """What failed, in a sentence."""
    epoch: float = 0.0
    """Passes over the data that it trained."""
    step: int | None = None
    """Of its last checkpoint."""
    chosen_step: int | None = None
    """Of the checkpoint that scored best on the validation images, of those that are kept; that and
    the last one are measured on the test images."""
    seconds: float | None = None
    """That it took, evaluations included; of several sittings, the last one's."""

    @classmethod
    def read(cls, path: Path) -> "Outcome | None":
        """The outcome in that file; None where there is none.

        Raises:
            CounterfeitError: it is damaged.
        """
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            outcome = cls(**held)
            sound = outcome.state in ENDINGS
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            sound = False
        if not sound:
            raise CounterfeitError(f"{path} is damaged; remove it, and the task is looked at anew.")
        return outcome

    def write(self, path: Path) -> None:
        write_whole(path, json.dumps(asdict(self), indent=2).encode())
