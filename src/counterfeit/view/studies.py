"""What is said of a study beside its runs: how far it is, and which recipe leads."""

import time

from counterfeit.errors import CounterfeitError
from counterfeit.study import results, verdict, words
from counterfeit.study.folder import Study
from counterfeit.study.progress import Glance


class Progress:
    """A study's progress, looked at within a share of the time, as it reads whole files."""

    def __init__(self, study: Study, share: float) -> None:
        self.study = study
        self.share = share
        self.said = ""
        """In a sentence or more."""
        self._glance = Glance(study)
        self._ended = -1
        self._leading: list[str] = []
        self._next = 0.0

    def look(self) -> None:
        """See what is new, unless the last look is too short a while ago for what it took."""
        started = time.monotonic()
        if started < self._next:
            return
        try:
            self._glance.look()
            ended = self._glance.count("finished") + self._glance.count("failed")
            if ended != self._ended:
                self._leading = _leading(self.study)
                self._ended = ended
            self.said = " ".join([f"{self._glance.summary()}.", *self._leading])
        except CounterfeitError as error:
            self.said = str(error)
        now = time.monotonic()
        self._next = now + (now - started) / self.share


def _leading(study: Study) -> list[str]:
    """Who leads, on each data set."""
    found = results.read(study)
    judged = verdict.judge(found)
    sets = list(dict.fromkeys(each.task.data for each in found))
    said = [words.summary(judged, data) for data in sets]
    if len(sets) == 1:
        return said
    return [f"{words.data_name(data)}: {each}" for data, each in zip(sets, said, strict=True)]
