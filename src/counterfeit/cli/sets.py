"""How good images are that no run of ours need have made, one set of them or several."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from counterfeit.cli.output import writable
from counterfeit.errors import UsageError
from counterfeit.language import tr
from counterfeit.terminal import columns, fill, say

if TYPE_CHECKING:
    from torch import Tensor

    from counterfeit.measure.images import Measured


def evaluate_sets(
    sources: Sequence[Path],
    data: str | None,
    against: Path | None,
    *,
    samples: int,
    split: Literal["test", "validation"],
    inception: Path | None,
    rotnet: bool,
    data_dir: Path | None,
    skip_broken: bool,
    out: Path | None,
    json: bool,
    quiet: bool,
) -> None:
    """Measure each set beside the same images, and print one table."""
    from counterfeit.files import write_whole
    from counterfeit.insight.sets import comparison_text
    from counterfeit.insight.tables import evaluation_text
    from counterfeit.measure.evaluate import require_samples
    from counterfeit.measure.images import Measured, measure_images, measure_real
    from counterfeit.measure.inception import Inception
    from counterfeit.measure.reference import reference_of, subset
    from counterfeit.measure.sets import compared_with, read_images
    from counterfeit.progress import Bar

    require_samples(samples)
    if data is None:
        raise UsageError(
            f"{sources[0]} is not a run directory; to measure its images, name what they are to be"
            " like: --data mnist, or a path of your own."
        )
    target = None if out is None else writable(out, ".json")
    with Bar(1, tr("reference") + ": ", quiet=quiet) as bar:
        reference = reference_of(
            data,
            split,
            inception=Inception.load(inception) if inception else None,
            rotnet=rotnet,
            data_dir=data_dir,
            skip_broken=skip_broken,
            progress=bar.on_stage,
        )

    def read(source: Path) -> "Tensor":
        return read_images(source, reference.shape, data, samples, skip_broken=skip_broken)

    if against is not None:
        reference = compared_with(read(against), reference)
    found = {str(source): subset(read(source), samples) for source in sources}
    measured: dict[str, Measured] = {}
    for name, images in found.items():
        with Bar(1, f"{Path(name).name}: ", quiet=quiet) as bar:
            measured[name] = measure_images(images, reference, progress=bar.on_stage)
    real = Measured({}, ())
    if reference.real is not None:
        most = max(map(len, found.values()))
        with Bar(1, tr("real images") + ": ", quiet=quiet) as bar:
            real = measure_real(reference, most, progress=bar.on_stage)
    document = as_json(
        {
            "data": data,
            "against": against and str(against),
            "sets": [
                {"images": name, "count": len(found[name]), **numbers(each)}
                for name, each in measured.items()
            ],
            "real": numbers(real),
        }
    )
    if json:
        print(document)
    else:
        width = columns(sys.stdout)
        if len(measured) == 1:
            ((name, only),) = measured.items()
            say(f"{fill(name, width)}\n\n{evaluation_text(only, real, width)}")
        else:
            say(comparison_text(measured, real, width))
    if target is not None:
        write_whole(target, document.encode())
        if not json:
            print(target)


def numbers(measured: "Measured") -> dict[str, Any]:
    """For programs: values and spreads by the metrics' full names, null where there is none."""
    import math

    return {
        "metrics": {
            name: {"value": value if math.isfinite(value) else None, "spread": spread}
            for name, (value, spread) in measured.metrics.items()
        },
        "left_out": [each._asdict() for each in measured.left_out],
    }


def as_json(document: Mapping[str, Any]) -> str:
    from json import dumps

    return dumps(document, indent=2, allow_nan=False)
