"""Types of options that several commands have."""

from typing import Annotated

from cyclopts import Parameter

Flag = Parameter(negative="", show_default=False)
Quiet = Annotated[bool, Parameter(name=["--quiet", "-q"], negative="", show_default=False)]
