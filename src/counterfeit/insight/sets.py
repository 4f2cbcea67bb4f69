"""Several sets of images in one table, as text."""

from collections.abc import Mapping

from counterfeit.insight.numbers import number, sample_number
from counterfeit.insight.tables import place, protocol
from counterfeit.language import tr, translated
from counterfeit.measure.images import Measured
from counterfeit.measure.names import MetricName, left_out_line, like, main_features, named
from counterfeit.terminal import aligned, fill


def comparison_text(sets: Mapping[str, Measured], real: Measured, width: int | None = None) -> str:
    """Several sets of images beside each other: numbered columns, and below them their names.

    Args:
        width: as in `evaluation_text`.
    """
    columns = [each.metrics for each in sets.values()]
    first = main_features(columns[0])
    asked = dict.fromkeys(
        name.metric
        for metrics in columns
        for name in sorted(map(MetricName.parse, metrics), key=place)
        if name.of_class is None and name.features in (None, first)
    )
    rows = []
    for metric in asked:
        names = [named(metric, metrics) for metrics in columns]
        ceiling = like(next(filter(None, names)), real.metrics)
        of_real = real.metrics[ceiling] if ceiling else None
        cells = [
            sample_number(name, metrics[name], of_real) if name else "–"
            for name, metrics in zip(names, columns, strict=True)
        ]
        best = number(of_real) if of_real else ""
        rows.append([translated(MetricName(metric).short), *cells, best])
    numbered = [f"[{n}]" for n in range(1, len(sets) + 1)]
    head = ["", *numbered, tr("real images") if real.metrics else ""]
    notes = []
    for n, (name, measured) in enumerate(sets.items(), 1):
        how = " ".join(protocol(measured.metrics, {}))
        notes.append(fill(f"[{n}] {name}: {how}", width, rest="    "))
    sizes = {max(MetricName.parse(name).count or 0 for name in each) for each in columns}
    if len(sizes) > 1:
        odd = tr(
            "The sets are of different sizes, which most numbers depend on: take as many of each."
        )
        notes.append(fill(odd, width, rest="  "))
    left_out = {left_out_line(line): None for each in sets.values() for line in each.left_out}
    notes += [fill(tr("not measured: {what}", what=line), width, rest="  ") for line in left_out]
    return "\n".join([*aligned([head, *rows]), "", *notes])
