"""Types of options that several commands have."""

from collections.abc import Sequence
from typing import Annotated, Literal

from cyclopts import Parameter, Token

from counterfeit.language import Language


def whole(kind: type[int], tokens: Sequence[Token]) -> int:
    """A whole number as it is written; cyclopts would round 1.5 to 2.

    Raises:
        ValueError: it is none.
    """
    try:
        return kind(tokens[0].value)
    except ValueError:
        raise ValueError(f"{tokens[0].value!r} is no whole number") from None


Flag = Parameter(negative="", show_default=False)
Quiet = Annotated[bool, Parameter(name=["--quiet", "-q"], negative="", show_default=False)]
Lang = Annotated[
    Language | None,
    Parameter(
        help="the language of what is said: en, or ko for Korean [default: ko where your locale is"
        " Korean, else en]."
    ),
]
Whole = Annotated[int, Parameter(converter=whole)]
Overrides = Annotated[list[str] | None, Parameter(name="--set", negative="")]
Fit = Literal["crop", "pad", "stretch"]
