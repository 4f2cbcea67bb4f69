"""A run as the page sees it: followed by what its files gain, its state, and what is said of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row, is_locked
from counterfeit.insight.detectors import in_order
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.verdict import Verdict, judge
from counterfeit.language import english, translated
from counterfeit.run import Run, rows
from counterfeit.run.findings import Finding
from counterfeit.view.follow import Tail

State = Literal["training", "finished", "failed", "interrupted"]
"""`failed`: its numbers were no longer finite. `interrupted`: anything else that no process goes on
with before its planned end."""

STATES: tuple[State, ...] = get_args(State)
_NAMES = (english("training"), english("finished"), english("failed"), english("interrupted"))

FILES = (
    *("recipe.toml", "environment.json", "snapshots"),
    *(rows.LOG, rows.VITALS, rows.METRICS, rows.FINDINGS, rows.REAL_IMAGES),
)
"""That tell of something new."""

Stamp = tuple[int, int, int] | None


def stamp(path: Path) -> Stamp:
    """What changes when a file does; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


class Followed(Run):
    """A run whose log and vital signs are read as they grow, and whose other rows when they change.

    What reads a `Run` reads this one as well, and so says the same of it; only a log of more rows
    than `follow.MOST` is thinned.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.log_tail = Tail(path / rows.LOG)
        self._tails = {rows.read_log: self.log_tail, rows.read_vitals: Tail(path / rows.VITALS)}
        self._kept: dict[Callable[[Path], list[Row]], list[Row]] = {}
        self._stamps: dict[str, Stamp] = {}
        self._seen_as: object = None

    def _rows(self, read: Callable[[Path], list[Row]]) -> list[Row]:
        return self._tails[read].rows if read in self._tails else self._kept.get(read, [])

    @property
    def is_still(self) -> bool:
        """Whether all files are as they were at the last look."""
        return self._seen_as == self._stamped()

    def _stamped(self) -> object:
        return is_locked(self.path / ".lock"), *(stamp(self.path / name) for name in FILES)

    def look(self) -> bool:
        """Read what is new; whether there was anything.

        Raises:
            CounterfeitError: a file is damaged.
        """
        self._seen_as = self._stamped()
        new = [tail.look() for tail in self._tails.values()]
        for read, name in ((rows.read_metrics, rows.METRICS), (rows.read_findings, rows.FINDINGS)):
            if self._changed(name):
                self._kept[read] = read(self.path)
                new.append(True)
        for name in ("recipe", "environment"):
            if self._changed("recipe.toml" if name == "recipe" else "environment.json"):
                self.__dict__.pop(name, None)
                new.append(True)
        for name in (rows.REAL_IMAGES, "snapshots"):
            new.append(self._changed(name))
        return any(new)

    def _changed(self, name: str) -> bool:
        before, now = self._stamps.get(name), stamp(self.path / name)
        self._stamps[name] = now
        return before != now

    def forget(self) -> None:
        """Keep no rows; the next look reads them again."""
        for tail in self._tails.values():
            tail.forget()
        self._kept.clear()
        self._stamps.clear()

    @property
    def state(self) -> State:
        if is_locked(self.path / ".lock"):
            return "training"
        log = self.log
        epoch = log[-1]["epoch"] if log else 0.0
        stops = [row for row in self.findings if row["name"] == "non-finite"]
        if stops and "rolled_back_to" not in stops[-1].get("evidence", {}):
            return "failed"
        return "finished" if epoch >= self.recipe.training.epochs else "interrupted"


class Seen:
    """A run that was found, and what was last seen of it."""

    def __init__(self, id: str, path: Path) -> None:
        self.id = id
        self.run = Followed(path)
        self.version = 0
        """Rises with all that is new."""
        self.state: State = "interrupted"
        self.epoch = 0.0
        self.epochs = 0
        self.title = ""
        self.created = ""
        self.error = ""
        """Why it cannot be read; nothing where it can."""
        self.verdict: Verdict | None = None
        self.findings: list[Finding] = []
        self.wanted = 0.0
        """When a page last asked for its rows, in seconds of the monotonic clock."""
        self._judged: object = None

    @property
    def is_open(self) -> bool:
        """Whether its rows are in memory."""
        return bool(self.run.log_tail.rows)

    def look(self) -> bool:
        """See what is new of it; whether there was anything."""
        before = self.state, self.error
        try:
            new = self.run.look()
            self.state, self.error = self.run.state, ""
            if new:
                spec, log = self.run.recipe, self.run.log
                self.title = translated(spec.title)
                self.created = str(self.run.environment.get("created", ""))
                self.epoch = float(log[-1]["epoch"]) if log else 0.0
                self.epochs = spec.training.epochs
        except CounterfeitError as error:
            new, self.error = False, str(error)
        changed = new or before != (self.state, self.error)
        self.version += changed
        return changed

    @property
    def is_judged(self) -> bool:
        """Whether the verdict is of what was last seen; in training, of the last whole epoch."""
        return self.error != "" or self._judged == self._evidence()

    def judge(self) -> None:
        """Diagnose it anew, by the rows that there are."""
        self._judged = self._evidence()
        try:
            self.findings = self._diagnosed()
            self.verdict = judge(self.run, self.findings)
        except CounterfeitError as error:
            self.error = str(error)
        self.version += 1

    def _evidence(self) -> object:
        counts = [len(rows) for rows in (self.run.vitals, self.run.metrics, self.run.findings)]
        return int(self.epoch), self.state, self.epochs, counts

    def _diagnosed(self) -> list[Finding]:
        """Of a log that is thinned, what was said while it was trained: detectors want each row."""
        if not self.run.log_tail.is_thinned:
            return diagnose(self.run, looking=False)
        said = {row["name"]: Finding.from_row(row) for row in self.run.findings}
        return in_order(list(said.values()))
