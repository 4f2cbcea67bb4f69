"""Bad input by the thousand: every case ends in success or in one clear line.

    python benchmarks/fuzz.py [--cases 10000] [--seed 0] [--append FILE.jsonl] [--failures FOLDER]
    python benchmarks/fuzz.py --kind KIND ...               cases of one kind only
    python benchmarks/fuzz.py --case NUMBER [--seed 0]      one case, its traceback shown

Cases are functions of the seed and their number (fuzz_cases.py). Each spoils some input and uses it
as the command line does. It must succeed and be silent on stderr, or end with exit status 1 or 2
and one line; within 20 s of processor time and 300 s in all, and with 2 GB of address space beyond
what the loaded program takes. A traceback, an "unexpected" error, a second line, a hang or a dead
process is a failure.

Cases run one after another in a worker process; if it dies, the next one takes over. Prints counts
by kind and outcome, writes each failure's number and story to the folder, and exits with 1 if there
was any.
"""

import argparse
import io
import json
import logging
import os
import platform
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from random import Random
from typing import Any

CASE_SECONDS = 20
"""Of the processor, which neighbours do not change."""
WAITING_SECONDS = 60
MEMORY_BYTES = 2 * 1024**3
DEAD_SECONDS = 120
"""After so long without a word, a worker hangs where no signal reaches it."""

OUTCOMES = ("succeeded", "refused", "failed")


class Hang(BaseException):
    """A case took too long."""


# In the worker


def work(seed: int, cases: range, only: str | None = None, *, debug: bool = False) -> None:
    """Run cases, of one kind only if asked for; print a line of JSON before and after each."""
    import fuzz_cases

    logging.getLogger("counterfeit").setLevel(logging.ERROR)  # it may warn of damage
    talk = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    with tempfile.TemporaryDirectory(prefix="counterfeit-fuzz-") as temporary:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            world = fuzz_cases.make_world(Path(temporary))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        for number in cases:
            rng = Random(f"{seed}/{number}")
            names = list(fuzz_cases.KINDS)
            weights = [weight for weight, _ in fuzz_cases.KINDS.values()]
            kind = only or rng.choices(names, weights)[0]
            folder = Path(temporary) / "case"
            folder.mkdir()
            with fuzz_cases.inside(folder):
                print(json.dumps({"case": number, "kind": kind}), file=talk, flush=True)
                action, told = fuzz_cases.KINDS[kind][1](world, rng, folder)
                if debug:
                    print(told, file=sys.stderr)
                result = tried(action, debug=debug)
            print(json.dumps(result | {"told": told}), file=talk, flush=True)
            shutil.rmtree(folder)


def tried(action: Callable[[], object], *, debug: bool) -> dict[str, Any]:
    """Do it as the command line would, and judge how it ends."""
    from counterfeit.cli import report_error

    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    story = ""
    started = time.perf_counter()
    try:
        with time_limit(), redirect_stdout(out), redirect_stderr(err):
            try:
                action()
            except Exception as error:
                story = traceback.format_exc()
                status = report_error(error)
    except SystemExit as end:
        status, story = end.code or 0, story or _story_of(end)
    except Hang:
        status, story = "hang", traceback.format_exc()
    except BaseException:
        status, story = "escaped", traceback.format_exc()
    said = err.getvalue()
    if debug:
        print(story, said, sep="\n", file=sys.stderr)
    outcome, why = judged(status, said)
    seconds = time.perf_counter() - started
    result = {"outcome": outcome, "why": why, "said": said[-2000:], "seconds": round(seconds, 3)}
    return result | ({"story": story[-4000:]} if outcome == "failed" else {})


def _story_of(end: SystemExit) -> str:
    """The traceback of what the command line turned into an exit status."""
    if end.__context__ is None:
        return ""
    return "".join(traceback.format_exception(end.__context__))


def judged(status: object, said: str) -> tuple[str, str]:
    """The outcome, and in a word what is wrong with it."""
    lines = [line for line in said.splitlines() if not line.startswith("next: ")]
    if status == 0:
        noise = any(not line.startswith("next: ") for line in lines)  # what one may do next
        return ("failed", "noise on stderr") if noise else ("succeeded", "")
    if status not in (1, 2):
        return "failed", f"status {status}"
    if not lines or not lines[0].startswith("counterfeit: "):
        return "failed", "no line of ours"
    if "unexpected" in lines[0]:
        return "failed", lines[0].split()[2].rstrip(":")
    if any(not line.startswith("  - ") for line in lines[1:]):  # the sources that were tried
        return "failed", "more than one line"
    if not 20 < len(lines[0]) < 1000:
        return "failed", "a line too short or too long"
    return "refused", "out of memory" if "out of memory" in lines[0] else ""


@contextmanager
def time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hang

    signal.signal(signal.SIGPROF, stop)
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_PROF, CASE_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, WAITING_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


# In the campaign


def results(seed: int, cases: int, only: str | None = None) -> Iterator[dict[str, Any]]:
    """The result of each case, from as many workers as it takes."""
    start = 0
    while start < cases:
        command = [sys.executable, __file__, f"--seed={seed}", f"--worker={start}:{cases}"]
        command += [f"--kind={only}"] if only else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
            assert worker.stdout is not None
            assert worker.stderr is not None
            os.set_blocking(worker.stderr.fileno(), False)
            begun: dict[str, Any] = {}
            last_words = b""
            while True:
                heard, _, _ = select.select([worker.stdout], [], [], DEAD_SECONDS)
                line = worker.stdout.readline() if heard else b""
                last_words = ((worker.stderr.read() or b"") + last_words)[-2000:]
                if not line:
                    worker.kill()
                    break
                message = json.loads(line)
                if "kind" in message:
                    begun = message
                else:
                    yield begun | message
                    start, begun = begun["case"] + 1, {}
            status = worker.wait()
        if start < cases:
            if not begun:
                raise SystemExit(f"the worker did not start: {last_words.decode()}")
            why = f"the process died ({status})" if heard else "hang"
            yield begun | {"outcome": "failed", "why": why, "story": last_words.decode()}
            start = begun["case"] + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", help="cases of this kind only")
    parser.add_argument("--append", type=Path, help="add a row of JSON to this file")
    parser.add_argument("--failures", type=Path, help="write failing cases into this folder")
    parser.add_argument("--case", type=int, help="run this one alone")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case is not None:
        work(options.seed, range(options.case, options.case + 1), options.kind, debug=True)
        return
    if options.worker:
        work(options.seed, range(*map(int, options.worker.split(":"))), options.kind)
        return

    counts: dict[str, Counter[str]] = {}
    reasons: Counter[str] = Counter()
    slowest, out_of_memory = 0.0, 0
    started = time.time()
    for result in results(options.seed, options.cases, options.kind):
        counts.setdefault(result["kind"], Counter())[result["outcome"]] += 1
        slowest = max(slowest, result.get("seconds", 0))
        out_of_memory += result["why"] == "out of memory"
        if result["outcome"] == "failed":
            reasons[f"{result['kind']}: {result['why']}"] += 1
            print(f"case {result['case']}: {result['why']}: {result.get('told')}", file=sys.stderr)
            if options.failures:
                options.failures.mkdir(parents=True, exist_ok=True)
                path = options.failures / f"seed-{options.seed}-case-{result['case']}.json"
                path.write_text(json.dumps(result, indent=2))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = sum(counts.values(), Counter[str]())

    print("| kind | cases |", " | ".join(OUTCOMES), "|")
    print("|---|" + "---|" * (1 + len(OUTCOMES)))
    for kind, of_kind in [*sorted(counts.items()), ("all", total)]:
        cells = (f"{of_kind[outcome]:,}" for outcome in OUTCOMES)
        print(f"| {kind} | {of_kind.total():,} |", " | ".join(cells), "|")
    for reason, count in reasons.most_common():
        print(f"failed, {reason}: {count}")
    row = {
        "benchmark": "fuzz",
        "seed": options.seed,
        "kind": options.kind or "all",
        "cases": total.total(),
        **{outcome: total[outcome] for outcome in OUTCOMES},
        "out_of_memory": out_of_memory,
        "kinds": {kind: dict(of_kind) for kind, of_kind in sorted(counts.items())},
        "slowest_seconds": round(slowest, 1),
        "peak_resident_mb": used.ru_maxrss // 1024,
        "cpu_seconds": round(used.ru_utime + used.ru_stime),
        "wall_seconds": round(time.time() - started),
        "python": platform.python_version(),
    }
    print(json.dumps(row))
    if options.append:
        with options.append.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
