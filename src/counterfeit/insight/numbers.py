"""Numbers and lists as people read them."""

import math
from collections.abc import Mapping, Sequence

from counterfeit.language import current, tr
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.names import MetricName, like
from counterfeit.measure.support import as_many

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number(measurement: Measurement) -> str:
    """A value as exact as it is known: to two digits of its standard error, else to four digits.

    An error of 0 (but for rounding), as where all samples are alike, says nothing and is left out.
    """
    value, spread = measurement
    if not math.isfinite(value):
        return tr("none")
    if spread is None or not math.isfinite(spread) or spread <= 1e-9 * max(1e-9, abs(value)):
        return f"{value:.4g}"
    digits = 1 - math.floor(math.log10(spread))
    if digits > 6:
        return f"{value:.2g} ± {spread:.2g}"
    value, spread = round(value, digits), round(spread, digits)
    return f"{value:,.{max(0, digits)}f} ± {spread:,.{max(0, digits)}f}"


def sample_number(name: str, samples: Measurement, real: Measurement | None) -> str:
    """What samples score under that name, beside what real images do.

    More different images than of these is none that can be told from as many (`as_many`).
    """
    if (
        real is not None
        and MetricName.parse(name).metric == "support_size"
        and as_many(samples, real)
    ):
        return tr("as many as real ones")
    return number(samples)


def real_number(name: str, real: Mapping[str, Measurement]) -> str:
    """What real images score under that name, or fewer of them, which is then said."""
    ceiling = like(name, real)
    if ceiling is None:
        return ""
    value = number(real[ceiling])
    if ceiling == name:
        return value
    return tr("{value} (of {count})", value=value, count=f"{MetricName.parse(ceiling).count:,}")


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    if len(words) == 1:
        return words[0]
    return tr("{words} and {last}", words=", ".join(words[:-1]), last=words[-1])


def counted(number: int) -> str:
    """A small number in words, where the language is English."""
    return NUMBERS[number] if current() == "en" and number < len(NUMBERS) else str(number)
