"""One stage in a process of its own: `python -m counterfeit.reproduce.worker`.

It speaks in lines of JSON. One comes in on stdin: what to train. What is done before the first row
goes out on stdout under `stage`, rows of the log each under `row`, and at the end the run's path
under `run`, or what went wrong under `error`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, Interrupted
from counterfeit.training import loop


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    sys.stdout = sys.stderr  # whatever a library prints is no line of ours

    def tell(**message: Any) -> None:
        print(json.dumps(message), file=out, flush=True)

    on_stage: list[loop.OnStage] = [lambda stage: tell(stage=stage)]
    on_row: list[loop.OnRow] = [lambda row: tell(row=row)]
    try:
        if asked["run"] is not None:
            run = loop.resume(
                asked["run"], device=asked["device"], on_stage=on_stage, on_row=on_row
            )
        else:
            run = loop.train(
                recipe.parse(recipe.read_toml(asked["recipe"], "the stage"), "the stage"),
                seed=asked["seed"],
                device=asked["device"],
                out=asked["out"],
                data_dir=asked["data_dir"] and Path(asked["data_dir"]),
                on_stage=on_stage,
                on_row=on_row,
            )
    except Interrupted as stopped:
        sys.exit(stopped.exit_status)
    except CounterfeitError as error:
        notes = getattr(error, "__notes__", [])
        tell(error={"message": str(error), "notes": notes, "status": error.exit_status})
        sys.exit(error.exit_status)
    tell(run=str(run.path))


if __name__ == "__main__":
    main()
