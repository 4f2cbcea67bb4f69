"""Metrics and findings as text."""

from collections.abc import Mapping
from dataclasses import replace

from counterfeit.insight.verdict import judge
from counterfeit.measure.images import Measured
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.names import MetricName, class_shares
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.terminal import fill


def evaluation_text(title: str, samples: Measured, real: Measured) -> str:
    """The table of what was measured, and a line for each thing that was not."""
    of_real = [f"real images: {line}" for line in real.left_out if line not in samples.left_out]
    left_out = [f"not measured: {line}" for line in (*samples.left_out, *of_real)]
    table = metrics_table(title, samples.metrics, real.metrics)
    return "\n".join([table, "", *left_out]) if left_out else table


def metrics_table(
    title: str, samples: Mapping[str, Measurement], real: Mapping[str, Measurement]
) -> str:
    """A line for each metric of `samples`, with that of real images beside it, and the classes."""
    rows = [
        (name, number(measurement), real_number(name, real))
        for name, measurement in samples.items()
        if MetricName.parse(name).of_class is None
    ]
    head = ("metric", title, "real images")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(3)]
    lines = [
        f"{name:{widths[0]}}  {value:>{widths[1]}}  {ceiling:>{widths[2]}}"
        for name, value, ceiling in [head, *rows]
    ]
    lines.insert(1, "-" * len(lines[0]))
    if shares := class_shares(samples):
        each = (f"{name.of_class} {share.value:.1%}" for name, share in shares.items())
        lines += ["", "share of each class: " + ", ".join(each)]
    return "\n".join(lines)


def real_number(name: str, real: Mapping[str, Measurement]) -> str:
    """What real images score under that name, or fewer of them, which is then said."""
    if name in real:
        return number(real[name])
    asked = MetricName.parse(name)
    counts = {MetricName.parse(each): measurement for each, measurement in real.items()}
    fewer = [each for each in counts if replace(each, count=asked.count) == asked and each.count]
    if not fewer:
        return ""
    most = max(fewer, key=lambda each: each.count or 0)
    return f"{number(counts[most])} (of {most.count:,})"


def number(measurement: Measurement) -> str:
    """A value to about four digits, with its standard error when it has one."""
    text = f"{measurement.value:.4g}" if abs(measurement.value) < 1 else f"{measurement.value:.2f}"
    return text if measurement.spread is None else f"{text} ± {measurement.spread:.2g}"


def finding_line(finding: Finding) -> str:
    """What is said of a finding while the run goes on."""
    head = f"{finding.severity}: {finding.name} {finding.span}"
    return f"{head}. {finding.meaning} Try: {finding.advice}"


def findings_text(run: Run, findings: list[Finding], width: int | None = None) -> str:
    """The verdict on a run, and a readable account of each finding.

    Args:
        width: of lines; None for one line a paragraph.
    """
    head = f"{run.path.name}: {judge(run, findings).sentence}"
    accounts = (_account(finding, width) for finding in findings)
    return "\n\n".join([fill(head, width), *accounts])


def _account(finding: Finding, width: int | None) -> str:
    numbers = [
        f"{key} {value:.3g}" if isinstance(value, float | int) else f"{key} {value}"
        for key, value in finding.evidence.items()
        if key != "figure"
    ]
    figure = finding.evidence.get("figure")
    look = f"; look at the figure `{figure}` of `counterfeit report`" if figure else ""
    parts = {
        "means": finding.meaning,
        "try": finding.advice,
        "evidence": ", ".join(numbers) + look,
        "source": finding.source,
    }
    first, last = f"{finding.first_step:,}", f"{finding.last_step:,}"
    steps = f"step {first}" if first == last else f"steps {first} to {last}"
    title = f"{finding.severity.upper()}  {finding.name} {finding.span} ({steps})"
    paragraphs = [
        fill(text, width, first=f"  {name:10}", rest=" " * 12)
        for name, text in parts.items()
        if text
    ]
    return "\n".join([fill(title, width, rest=" " * 12), *paragraphs])
