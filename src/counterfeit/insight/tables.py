"""Metrics as text."""

from counterfeit.measure.measurement import Measurement


def metrics_table(title: str, samples: dict[str, Measurement], real: dict[str, Measurement]) -> str:
    """A line for each metric of `samples`, with that of real images beside it, and the classes."""
    rows = [
        (name, number(measurement), number(real[name]) if name in real else "")
        for name, measurement in samples.items()
        if not name.startswith("share_")
    ]
    head = ("metric", title, "real images")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(3)]
    lines = [
        f"{name:{widths[0]}}  {value:>{widths[1]}}  {ceiling:>{widths[2]}}"
        for name, value, ceiling in [head, *rows]
    ]
    lines.insert(1, "-" * len(lines[0]))
    if shares := class_shares(samples):
        lines += ["", "share of each class: " + ", ".join(shares)]
    return "\n".join(lines)


def class_shares(samples: dict[str, Measurement]) -> list[str]:
    """`0 9.8 %` for each class, in order; none when the classes were not measured."""
    return [
        f"{name.split('_')[1]} {measurement.value:.1%}"
        for name, measurement in samples.items()
        if name.startswith("share_")
    ]


def number(measurement: Measurement) -> str:
    """A value to about four digits, with its standard error when it has one."""
    text = f"{measurement.value:.4g}" if abs(measurement.value) < 1 else f"{measurement.value:.2f}"
    return text if measurement.spread is None else f"{text} ± {measurement.spread:.2g}"
