"""A study whose runs take seconds, and what of its runs must be the same to the bit."""

import hashlib
from pathlib import Path

from counterfeit.files import Row
from counterfeit.run import Run
from counterfeit.study.plan import Plan
from counterfeit.study.progress import HasTasks

SMALL = {
    "generator.hidden": (32, 32),
    "discriminator.hidden": (32, 16),
    "training.batch_size": 64,
}


def small_plan(epochs: int = 2, seeds: int = 1, **more: object) -> Plan:
    """Two recipes on 8x8 digits: an epoch takes milliseconds."""
    table = {
        "variants": [
            {"label": "three", "recipe": "batchnorm-smoothing", "values": SMALL},
            {"label": "two", "recipe": "adam", "values": SMALL},
        ],
        "data": ["digits"],
        "epochs": epochs,
        "seeds": seeds,
        "samples": 100,
        "evaluate_every": epochs,
    }
    return Plan.parse(table | more, "small")


def same_bits(study: HasTasks) -> dict[str, object]:
    """Of each run: checksums of its checkpoints and snapshots, and its rows but for speeds."""
    return {task.id: _bits(Run.open(task.run)) for task in study.tasks}


def _bits(run: Run) -> dict[str, object]:
    sums = {
        str(path.relative_to(run.path)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("checkpoints", "snapshots")
        for path in sorted((run.path / folder).iterdir())
        if path.suffix in (".safetensors", ".npz")
    }
    log = [{key: row[key] for key in row if key != "images_per_second"} for row in run.log]
    rows: dict[str, list[Row]] = {"log": log, "metrics": run.metrics, "vitals": run.vitals}
    return {"files": sums, "findings": run.findings} | rows


def path_of_plan(folder: Path, plan: Plan) -> Path:
    """The plan as a file of the user's."""
    path = folder / "small.toml"
    path.write_text(plan.to_toml(), encoding="utf-8")
    return path
