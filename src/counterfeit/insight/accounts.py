"""Findings as text: a line while a run goes on, an account of each afterwards."""

from counterfeit.insight.verdict import judge
from counterfeit.language import tr, translated
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.terminal import fill, pad


def finding_line(finding: Finding) -> str:
    """What is said of a finding while the run goes on."""
    return tr(
        "{severity}: {name} {span}. {meaning} Try: {advice}",
        severity=translated(finding.severity),
        name=_name(finding),
        span=translated(finding.span),
        meaning=translated(finding.meaning),
        advice=translated(finding.advice),
    )


def _name(finding: Finding) -> str:
    """As docs/diagnosis.md has it, behind its title where that is of another language."""
    title = translated(finding.title)
    return finding.name if title == finding.title else f"{title}({finding.name})"


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
    evidence = ", ".join(numbers)
    figure = finding.evidence.get("figure")
    if figure:
        evidence = tr(
            "{evidence}; look at the figure `{figure}` of `counterfeit report`",
            evidence=evidence,
            figure=str(figure),
        )
    parts = {
        tr("means"): translated(finding.meaning),
        tr("try"): translated(finding.advice),
        tr("evidence"): evidence,
        tr("source"): translated(finding.source),
    }
    first, last = f"{finding.first_step:,}", f"{finding.last_step:,}"
    steps = tr("step {first}", first=first)
    if first != last:
        steps = tr("steps {first} to {last}", first=first, last=last)
    span = translated(finding.span)
    title = tr("{name} {span} ({steps})", name=_name(finding), span=span, steps=steps)
    paragraphs = [
        fill(text, width, first=f"  {pad(name, 10)}", rest=" " * 12)
        for name, text in parts.items()
        if text
    ]
    severity = translated(finding.severity).upper()
    head = fill(title, width, first=f"{severity}  ", rest=" " * 12)
    return "\n".join([head, *paragraphs])
