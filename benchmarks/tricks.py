"""What each trick is worth: the studies of docs/tricks.md, and what they came to.

    python benchmarks/tricks.py --plans                     # write docs/studies/tricks-*.toml
    counterfeit study docs/studies/tricks-stage3.toml       # and tricks-dcgan.toml
    python benchmarks/tricks.py studies/tricks-stage3 studies/tricks-dcgan

Reads the studies' folders, finished or not, and keeps what having each trick changes in
`src/counterfeit/tricks/judged.json`, which `counterfeit recipes --tricks` and docs/tricks.md show.
Folders that are not named keep what was kept of them.
"""

import argparse
from pathlib import Path

from counterfeit.errors import CounterfeitError
from counterfeit.files import write_whole
from counterfeit.study.folder import Study
from counterfeit.tricks.catalogue import Base, catalogue, plan_of
from counterfeit.tricks.judge import judged
from counterfeit.tricks.record import JUDGED, keep
from counterfeit.tricks.words import markdown

STUDIES = Path(__file__).parents[1] / "docs" / "studies"


def plan_text(base: Base) -> str:
    """The study of a base as a TOML file that says what it costs."""
    why = "\n".join(f"# {line}".rstrip() for line in base.why.strip().splitlines())
    written = "# Written by benchmarks/tricks.py from src/counterfeit/tricks/tricks.toml."
    return f"{why}\n{written}\n\n{plan_of(base).to_toml()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "studies", nargs="*", type=Path, help="folders, by the names of the studies"
    )
    parser.add_argument("--plans", action="store_true", help="write docs/studies/tricks-*.toml")
    parser.add_argument("--out", type=Path, default=JUDGED, help="the file to keep it in")
    options = parser.parse_args()
    bases = {base.study: base for base in catalogue().bases}
    for base in bases.values() if options.plans else ():
        path = STUDIES / f"{base.study}.toml"
        write_whole(path, plan_text(base).encode())
        print(path)
    for folder in options.studies:
        if folder.name not in bases:
            parser.error(f"{folder}: should be a folder called {' or '.join(bases)}.")
        base = bases[folder.name]
        result = judged(base, Study.open(folder))
        if result is None:
            raise CounterfeitError(f"{folder}: {base.recipe} was not measured yet.")
        print(f"{markdown(base, keep(base.study, result, options.out))}\n")


if __name__ == "__main__":
    main()
