"""What is said of a run, by diagnosis or by training itself: a named failure, on evidence."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from counterfeit.files import Row
from counterfeit.language import english

Severity = Literal["critical", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the worst. `critical`: more training will not help. `warning`: something is wrong or was
critical and has passed. `note`: good to know."""


@dataclass(frozen=True)
class Finding:
    name: str
    """In kebab case, such as `mode-collapse`."""
    severity: Severity
    first_step: int
    last_step: int
    first_epoch: float
    last_epoch: float
    evidence: dict[str, float | str]
    """The numbers it rests on, and under `figure` the picture to look at, of `charts.FIGURES`."""
    meaning: str
    """One plain sentence."""
    advice: str
    """What to try."""
    source: str
    """The paper or list that describes the failure."""
    lasts: bool = False
    """Whether it still held when diagnosis looked last."""

    @property
    def title(self) -> str:
        """Its name as words."""
        return self.name.replace("_", " ").replace("-", " ")

    @property
    def span(self) -> str:
        """When it was: `since epoch 2` while it lasts, else `in epoch 2` or `in epochs 2 to 7`."""
        first, last = f"{self.first_epoch:.4g}", f"{self.last_epoch:.4g}"
        if self.lasts:
            return english("since epoch {epoch}", epoch=first)
        if first == last:
            return english("in epoch {epoch}", epoch=first)
        return english("in epochs {first} to {last}", first=first, last=last)

    def as_row(self, step: int, epoch: float) -> Row:
        """A row of findings.jsonl, for a finding that is said at that step."""
        return {"step": step, "epoch": epoch, **asdict(self)}

    @classmethod
    def from_row(cls, row: Row) -> "Finding":
        """The inverse of `as_row`; what a row lacks, or has of another type, is taken from where it
        was said."""
        step, epoch = int(row["step"]), float(row["epoch"])
        defaults: dict[str, Any] = {
            "name": "unnamed",
            "first_step": step,
            "last_step": step,
            "first_epoch": epoch,
            "last_epoch": epoch,
            "evidence": {},
            "meaning": "",
            "advice": "",
            "source": "",
            "lasts": False,
        }
        values = {
            key: row[key] if type(row.get(key)) is type(default) else default
            for key, default in defaults.items()
        }
        severity = row.get("severity")
        return cls(severity=severity if severity in SEVERITIES else "warning", **values)
