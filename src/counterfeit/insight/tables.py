"""Metrics as text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.cells import cell_len

from counterfeit.files import Row
from counterfeit.insight.numbers import listed, number, sample_number
from counterfeit.language import english, tr, translated
from counterfeit.measure.images import Measured
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.names import (
    ACCURACIES,
    NEAREST,
    OTHER,
    MetricName,
    class_accuracies,
    class_shares,
    left_out_line,
    like,
    main_features,
    named,
)
from counterfeit.terminal import TABLE_WIDTH, fill, pad

GOOD = {
    "fid": english("lower is better"),
    "kid": english("near 0"),
    "coverage": english("higher is better"),
    "recall": english("higher is better"),
    "precision": english("higher is better"),
    "density": english("near 1"),
    "classes_found": english("all"),
    "class_tv": english("0: as the data"),
    "class_kl": english("0: as the data"),
    "unsure": english("lower is better"),
    "support_size": english("as real images"),
    "unlike": english("as real images"),
    "class_accuracy": english("as real images"),
    "intra_fid": english("lower is better"),
    "nearest_ratio": english("near 1"),
    "nearest_p": english("not tiny"),
    "copies": english("0.01 by chance"),
    "inception_score": english("high, data unseen"),
    "parzen": english("the paper's"),
}
"""What a good value is, in a few words; docs/metrics.md says more."""

GROUPS = {
    "": ("fid", "coverage", "recall", "classes_found"),
    english("more of quality"): (
        "kid",
        "precision",
        "density",
        "inception_score",
        "support_size",
        "unlike",
    ),
    english("conditions"): ("class_accuracy", "intra_fid"),
    english("classes"): ("class_tv", "class_kl", "unsure"),
    english("memorisation"): (*NEAREST, *ACCURACIES),
    english("likelihood"): ("parzen", "parzen_sigma"),
}
"""The order of metrics, what tells most on top; what is in no group comes last."""

OTHERS = english("others")

FEW_CLASSES = 20
"""Classes that have a bar each; of more, only the most and the least frequent have."""


def evaluation_text(samples: Measured, real: Measured, width: int | None = None) -> str:
    """What was measured, beside real images; then how, and what could not be.

    Args:
        width: of the terminal; by default, tables are as for one of 80 columns, and sentences in
            one line.
    """
    of_real = [each for each in real.left_out if each not in samples.left_out]
    left_out = [
        *(tr("not measured: {what}", what=left_out_line(each)) for each in samples.left_out),
        *(tr("not measured: real images: {what}", what=left_out_line(each)) for each in of_real),
    ]
    blocks = [
        metrics_table(samples.metrics, real.metrics, width or TABLE_WIDTH),
        class_bars(samples.metrics, real.metrics, width or TABLE_WIDTH),
        accuracy_bars(samples.metrics, real.metrics, width or TABLE_WIDTH),
        "\n".join(fill(line, width, rest="  ") for line in protocol(samples.metrics, real.metrics)),
        "\n".join(fill(line, width, rest="  ") for line in left_out),
    ]
    return "\n\n".join(block for block in blocks if block)


def metrics_table(
    samples: Mapping[str, Measurement], real: Mapping[str, Measurement], width: int = TABLE_WIDTH
) -> str:
    """A line for each metric of `samples`, in groups, with that of real images beside it.

    Where there is room, what is good stands behind them, and the full names.
    """
    parsed = {text: MetricName.parse(text) for text in samples}
    main = main_features(samples)
    groups: dict[str, list[tuple[str, ...]]] = {title: [] for title in GROUPS}
    for text in sorted(parsed, key=lambda text: place(parsed[text])):
        name = parsed[text]
        if name.of_class is not None:
            continue
        title = next((title for title, names in GROUPS.items() if name.metric in names), OTHERS)
        if name.features not in (None, main):
            title = english("by the features of {reader}", reader=name.features or "")
        ceiling = like(text, real)
        of_real = None if ceiling is None else real[ceiling]
        cells = [sample_number(text, samples[text], of_real), number(of_real) if of_real else ""]
        if name.metric == "classes_found":
            of = str(len(class_shares(samples)))
            cells = [cell and tr("{found} of {of}", found=cell, of=of) for cell in cells]
        row = (
            f"  {translated(name.short)}",
            *cells,
            translated(GOOD.get(name.metric, "")),
            text,
        )
        groups.setdefault(title, []).append(row)
    # A line: name, samples, real images, what is good, the full name.
    head = ("", tr("samples"), tr("real images") if real else "", tr("good is"), tr("full name"))
    rows = [head, *(row for group in groups.values() for row in group)]
    widths = [max(cell_len(row[column]) for row in rows) for column in range(5)]
    shown = next(n for n in (5, 4, 3, 2) if n == 2 or sum(widths[:n]) + 2 * (n - 1) <= width)
    lines = []
    for title, group in {"": [head, *groups.pop("")], **groups}.items():
        if group:
            lines += [translated(title)] if title else []
            lines += [_line(row[:shown], widths) for row in group]
    return "\n".join(lines)


def place(name: MetricName) -> int:
    """Where a metric stands among those of its group."""
    order = [metric for metrics in GROUPS.values() for metric in metrics]
    return order.index(name.metric) if name.metric in order else len(order)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Names and words to the left, the two numbers to the right."""
    padded = [
        pad(cell, width, right=column in (1, 2))
        for column, (cell, width) in enumerate(zip(cells, widths, strict=False))
    ]
    return "  ".join(padded).rstrip()


def class_bars(
    samples: Mapping[str, Measurement], real: Mapping[str, Measurement], width: int = TABLE_WIDTH
) -> str:
    """Each class's share of the samples as a bar, with that of real images as a number.

    Of many classes only the most and the least frequent ones.
    """
    return _bars(tr("share of each class"), class_shares(samples), class_shares(real), width)


def accuracy_bars(
    samples: Mapping[str, Measurement], real: Mapping[str, Measurement], width: int = TABLE_WIDTH
) -> str:
    """The same of how often each class is seen where it was asked for."""
    title = tr("seen where asked for")
    return _bars(title, class_accuracies(samples), class_accuracies(real), width)


def _bars(
    title: str,
    samples: Mapping[MetricName, Measurement],
    real: Mapping[MetricName, Measurement],
    width: int,
) -> str:
    shares = {name.of_class: share.value for name, share in samples.items()}
    if not shares:
        return ""
    ceilings = {name.of_class: share.value for name, share in real.items()}
    left_out = len(shares) - FEW_CLASSES
    if left_out > 0:
        order = sorted(shares, key=lambda label: -shares[label])
        few = order[: FEW_CLASSES // 2] + order[-FEW_CLASSES // 2 :]
        shares = {label: shares[label] for label in few}
    rows = [
        (f"  {label}", f"{share:.1%}", f"{ceilings[label]:.1%}" if label in ceilings else "")
        for label, share in shares.items()
    ]
    head = (title, tr("samples"), tr("real images") if ceilings else "")
    widths = [max(cell_len(row[column]) for row in (head, *rows)) for column in range(3)]
    room = width - sum(widths) - 2 * 3
    most = max(shares.values()) or 1.0
    lines = [
        f"{_line(row, widths):{sum(widths) + 4}}  {bar(share / most, room)}".rstrip()
        for row, share in zip(rows, shares.values(), strict=True)
    ]
    if left_out > 0:
        more = tr("… {count} others in between", count=f"{left_out:,}")
        lines.insert(FEW_CLASSES // 2, f"  {more}")
    return "\n".join([_line(head, widths), *lines])


def bar(share: float, width: int) -> str:
    """A bar over that share of `width` columns, to an eighth of one; nothing at all has none."""
    eighths = round(8 * width * share) or int(share > 0)
    whole, rest = divmod(max(0, eighths), 8)
    return "█" * whole + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")


def protocol(samples: Mapping[str, Measurement], real: Mapping[str, Measurement]) -> Iterator[str]:
    """How it was measured, in a line, and in another how many real images were had where fewer."""
    names = [MetricName.parse(text) for text in samples]
    names = [name for name in names if name.of_class is None]
    most = max((name.count or 0 for name in names), default=0)
    if not most:
        return
    splits = {name.split for name in names if name.split}
    features = dict.fromkeys(name.features for name in names if name.features)
    parts = [tr("{count} samples", count=f"{most:,}")]
    if splits:
        images = listed([_split(each) for each in sorted(splits)])
        parts.append(tr("compared with the {splits} images", splits=images))
    if features:
        parts.append(tr("by the features of {reader}", reader=listed(list(map(str, features)))))
    fewer = _by_count(name for name in names if name.count and name.count < most)
    yield "; ".join([", ".join(parts), *fewer]) + "."
    ceilings = {str(name): like(str(name), real) for name in names}
    of_fewer = [
        MetricName.parse(ceiling)
        for name, ceiling in ceilings.items()
        if ceiling and ceiling != name
    ]
    if of_fewer:
        yield tr("Real images are fewer: {counts}.", counts="; ".join(_by_count(of_fewer)))


def _split(split: str) -> str:
    if split == OTHER:
        return tr("other")
    return tr("test") if split == "test" else tr("validation")


def _by_count(names: Iterable[MetricName]) -> list[str]:
    """`1,000 for copies, density`, for each count, the largest first."""
    counts: dict[int, list[str]] = {}
    for name in names:
        counts.setdefault(name.count or 0, []).append(translated(name.short))
    return [
        tr(
            "{count} for {metrics}",
            count=f"{count:,}",
            metrics=", ".join(dict.fromkeys(counts[count])),
        )
        for count in sorted(counts, reverse=True)
    ]


def scores_line(row: Row) -> str:
    """What is said of an evaluation while the run goes on: what tells most, in one line.

    Args:
        row: of metrics.jsonl.
    """
    metrics = row["metrics"]
    names = [named(metric, metrics) for metric in ("fid", "coverage", "recall", "class_accuracy")]
    if not any(names):
        names = [named("parzen", metrics)]
    parts = [
        f"{translated(MetricName.parse(name).short)} {number(metrics[name])}"
        for name in names
        if name
    ]
    found = named("classes_found", metrics)
    if found:
        value, of = f"{metrics[found].value:.0f}", str(len(class_shares(metrics)))
        parts.append(tr("{found} of {of} classes", found=value, of=of))
    scores = ", ".join(parts) or tr("nothing could be measured")
    return tr("epoch {epoch}: {scores}", epoch=f"{row['epoch']:.4g}", scores=scores)
