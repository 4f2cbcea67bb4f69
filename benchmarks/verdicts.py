"""Whether one sentence says how a run stands, wherever it is said: an exit status of 1 if not.

    python benchmarks/verdicts.py RUN ... [--samples 10000]

Takes copies of runs, such as those that `zoo.py train` makes, and asks the commands: `evaluate`,
`diagnose`, `train --resume` (which trains nothing more) and `report`. A command that refuses, as
`evaluate` does where a breakage changed the data, is named.
"""

import argparse
import html
import io
import re
import shutil
import sys
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from counterfeit import cli
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.verdict import judge
from counterfeit.run import Run


def said(*command: object) -> tuple[int, str]:
    """Exit status, and what stands on stdout and stderr."""
    heard = io.StringIO()
    status = 0
    with redirect_stdout(heard), redirect_stderr(heard):
        try:
            cli.main([str(word) for word in command])
        except SystemExit as end:
            status = int(end.code or 0)
    return status, heard.getvalue()


def places(run: Path, samples: int) -> dict[str, str | None]:
    """What each command says of a run; None where it refuses."""
    evaluated, text = said("evaluate", run, f"--samples={samples}", "--quiet")
    places: dict[str, str | None] = {"evaluate": None if evaluated else text}
    places["diagnose"] = said("diagnose", run)[1]
    resumed, text = said("train", f"--resume={run}")
    places["train"] = None if resumed else text
    page = run / "report.html"
    status, text = said("report", run, f"--out={page}")
    places["report"] = None if status else shown(page)
    return places


def shown(page: Path) -> str:
    """The page's words, a command as it is in text: between backticks."""
    source = re.sub("</?code>", "`", page.read_text(encoding="utf-8"))
    return html.unescape(re.sub("<[^>]+>", "", source))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--samples", type=int, default=10_000)
    given = parser.parse_args()
    standings: Counter[str] = Counter()
    differing = 0
    for original in given.runs:
        with TemporaryDirectory() as folder:
            path = Path(shutil.copytree(original, Path(folder) / original.name))
            asked = places(path, given.samples)
            run = Run.open(path)
            verdict = judge(run, diagnose(run))
        standings[verdict.standing] += 1
        silent = [name for name, text in asked.items() if text is None]
        others = [name for name, text in asked.items() if text and verdict.sentence not in text]
        print(f"{original.name}: {verdict.sentence}")
        if silent:
            print(f"  refused: {', '.join(silent)}")
        if others:
            differing += 1
            print(f"  says otherwise: {', '.join(others)}")
    told = ", ".join(f"{count} {standing}" for standing, count in standings.most_common())
    print(f"{len(given.runs)} runs, {differing} of which are not said alike everywhere: {told}")
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
