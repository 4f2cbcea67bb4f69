"""What pages of the report's kind share: how templates are found, and one script under its hash."""

import base64
import functools
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from counterfeit.insight.report import words
from counterfeit.insight.report.curves import colour
from counterfeit.language import current, texts_in, tr, translated


@functools.cache  # which keeps the templates compiled, for the next page
def environment(*folders: str, package: str = "counterfeit.insight.report") -> Environment:
    """Templates in folders of the package, and those of the report, with its words and colours."""
    loaders = [PackageLoader(package, folder) for folder in folders]
    environment = Environment(
        loader=ChoiceLoader([*loaders, PackageLoader("counterfeit.insight.report", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("shortened", "coded", "worded", "breakable"):
        environment.filters[name] = getattr(words, name)
    environment.filters["run_colour"] = colour
    environment.filters["translated"] = translated
    environment.globals |= {"tr": tr, "language": current}
    return environment


def text_of(environment: Environment, name: str) -> str:
    """A file of the page that is no template."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def scripted(environment: Environment, names: Sequence[str]) -> dict[str, Any]:
    """For `head.html` and the page's end: one script of these files, its hash, which the page's
    Content-Security-Policy asks for, and what the script says."""
    script = "\n".join(text_of(environment, name) for name in names)
    return {
        "script": Markup(script),
        "script_hash": f"sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}",
        "words": texts_in(script),
    }
