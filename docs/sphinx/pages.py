"""What the site adds to docs/*.md: the parts that are made from the code, so that they agree.

A page asks for one with a line such as `<!-- made: commands -->`, which is unseen elsewhere.
"""

import json
import re
from collections.abc import Iterator
from inspect import get_annotations
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from PIL import Image
from pydantic import BaseModel
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.nodes import make_refnode

import counterfeit
from counterfeit import recipe
from counterfeit.cli.app import app as command_line
from counterfeit.insight.detectors import NAMES
from counterfeit.recipe.explain import _allowed as allowed
from counterfeit.tricks.catalogue import catalogue
from counterfeit.tricks.record import kept
from counterfeit.tricks.words import markdown

REPOSITORY = Path(__file__).parents[2]
NAME = re.compile(r"[A-Z]\w+(\.\w+)*")
MARK = re.compile(r"<!-- made: (\S+) -->")
PICTURE = re.compile(
    r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="(?P<dark>[^"]+)">\s*'
    r'<img src="(?P<light>[^"]+)" alt="(?P<alt>[^"]+)">\s*</picture>'
)
"""A picture that has a dark variant, as a repository's pages understand it."""

SECTIONS: dict[str, type[BaseModel]] = {
    "data": recipe.Data,
    "latent": recipe.Latent,
    "generator, mlp": recipe.MlpGenerator,
    "discriminator, mlp": recipe.MlpDiscriminator,
    "generator, dcgan": recipe.DcganGenerator,
    "discriminator, dcgan": recipe.DcganDiscriminator,
    "generator, resnet": recipe.ResnetGenerator,
    "discriminator, resnet": recipe.ResnetDiscriminator,
    "optimizer, SGD": recipe.Sgd,
    "optimizer, Adam": recipe.Adam,
    "optimizer, AdamW": recipe.AdamW,
    "loss, of probabilities": recipe.CrossEntropy,
    "loss, of scores": recipe.CriticLoss,
    "condition": recipe.Condition,
    "penalties": recipe.Penalties,
    "penalties, gradient": recipe.GradientPenalty,
    "penalties, r1, r2 and consistency": recipe.Penalty,
    "constraints": recipe.Constraints,
    "inputs": recipe.Inputs,
    "training": recipe.Training,
}


def commands() -> str:
    """Every subcommand, in the words of its `--help`."""
    text = "\n\n".join(
        command_line[name].generate_docs(heading_level=2, usage_name=f"counterfeit {name}")
        for name in command_line
        if not name.startswith("-")
    )
    return re.sub(r"docs/(\w+\.md)", r"[docs/\1](\1)", text)


def recipes() -> str:
    """Every built-in recipe: where it comes from, and its file as it stands."""
    return "\n\n".join(map(_recipe, recipe.names()))


def _recipe(name: str) -> str:
    spec = recipe.load(name)
    path = Path(counterfeit.__file__).parent / "recipes" / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    sections = text[text.index("[data]") :]  # what stands above is said in prose
    deviations = "\n".join(f"- {each}" for each in spec.deviations)
    return (
        f"## {name}\n\n*{spec.title}.*\n\nSource: {spec.source}.\n\n"
        f"What differs from it:\n\n{deviations}\n\n```toml\n{sections}```"
    )


def keys() -> str:
    """Every key of a recipe: what may stand there, what stands there by default, what it means."""
    parts = (f"### {title}\n\n" + "\n\n".join(_keys(model)) for title, model in SECTIONS.items())
    return "\n\n".join(parts)


def _keys(section: type[BaseModel]) -> Iterator[str]:
    schema = section.model_json_schema()["properties"]
    for key, field in section.model_fields.items():
        if key == "optimizer":  # has sections of its own
            continue
        words = allowed(schema[key])
        default = "" if field.is_required() else f"; `{json.dumps(field.default)}` by default"
        if field.default is None:
            default = ""  # the words say that it may be left out
        yield f"`{key}`\n: {words[0].upper()}{words[1:]}{default}. {_meaning(section, key)}"


def _meaning(section: type[BaseModel], key: str) -> str:
    """The key's docstring, where the class that defines it has one."""
    owner = next(each for each in section.__mro__ if key in get_annotations(each))
    documented = ModuleAnalyzer.for_module(owner.__module__).find_attr_docs()
    return " ".join(documented.get((owner.__name__, key), ())).strip()


def tricks() -> str:
    """What each trick was found to be worth, and what of ganhacks' list is no switch."""
    tables = (
        f"## On {base.recipe}\n\n{markdown(base, kept(base.study))}" for base in catalogue().bases
    )
    rest = (
        f"- **{each.title}** ({each.source}): {each.instead}." for each in catalogue().no_switch
    )
    text = "\n\n".join([*tables, "## What is no switch", "\n".join(rest)])
    return re.sub(r"docs/(\w+\.md)", r"[docs/\1](\1)", text)


def changelog() -> str:
    """CHANGELOG.md, with links as they are from here."""
    return (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8").replace("](docs/", "](")


def korean_readme() -> str:
    """README.ko.md, with links as they are from here."""
    text = (REPOSITORY / "README.ko.md").read_text(encoding="utf-8")
    text = text.replace("](docs/", "](").replace('="docs/', '="')
    return text.replace("](README.md)", "](index.md)").replace("](CHANGELOG.md)", "](changelog.md)")


PARTS = {
    "commands": commands,
    "recipes": recipes,
    "keys": keys,
    "tricks": tricks,
    "changelog": changelog,
    "korean-readme": korean_readme,
}


def put_parts(app: Sphinx, page: str, source: list[str]) -> None:
    """Sphinx hands over a page's text, to be changed in place."""
    sample = {"first-run": lambda: first_run(Path(app.outdir) / "sample" / "commands.json")}
    text = MARK.sub(lambda mark: (PARTS | sample)[mark[1]](), source[0])
    # The site's switch of themes knows classes, and Sphinx copies the files of Markdown's pictures.
    source[0] = PICTURE.sub(
        r"![\g<alt>](\g<light>){.only-light}\n![\g<alt>](\g<dark>){.only-dark}", text
    )


def first_run(record: Path) -> str:
    """What sample.py's commands were, how long each took and what some of them said."""
    if not record.exists():
        raise ExtensionError(f"{record} is absent; `make docs` makes it first")
    steps = json.loads(record.read_text(encoding="utf-8"))
    return "\n\n".join(
        f"*{step['seconds']:.0f} s*\n\n```console\n$ {step['command']}\n{step['output']}```"
        for step in steps
    )


def mark_findings(app: Sphinx, document: nodes.document) -> None:
    """Make each finding of diagnosis.md linkable by its name: diagnosis.html#mode-collapse."""
    if app.env.docname != "diagnosis":
        return
    slugs = app.env.metadata["diagnosis"]["myst_slugs"]
    for name in NAMES | {"non-finite"}:
        place = next((row for row in document.findall(nodes.row) if row[0].astext() == name), None)
        if place is None:
            place = next(
                (each for each in document.findall(nodes.literal) if each.astext() == name), None
            )
        if place is None:
            raise ExtensionError(f"docs/diagnosis.md does not explain the finding {name}")
        place["ids"].append(name)
        link = nodes.reference("", "#", refuri=f"#{name}", classes=["headerlink"])
        link["reftitle"] = "Link to this finding"
        if isinstance(place, nodes.row):
            place[0][0].append(link)
        slugs[name] = (place.line or 0, name, name)


def enlarge_pictures(app: Sphinx, document: nodes.document) -> None:
    """A picture links to itself in full size, which Sphinx does for those that state a width."""
    for picture in document.findall(nodes.image):
        if picture["uri"].endswith(".svg"):
            continue  # is as large as one likes
        with Image.open(Path(app.srcdir) / picture["uri"]) as image:
            picture["width"] = f"{image.width}px"


def use_dashes(app: Sphinx, document: nodes.document, page: str) -> None:
    """Sphinx joins a parameter and its description by two hyphens."""
    for text in list(document.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(" – "))


def name_or_code(
    role: str,
    raw: str,
    text: str,
    line: int,
    inliner: Inliner,
    options: object = None,
    content: object = (),
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """What a docstring quotes: a link where it names a class or what it has, such as `Run.sample`,
    and code otherwise. `train` is the name of a split as well as of a function."""
    code = nodes.literal(raw, text)
    if not NAME.fullmatch(text):
        return [code], []
    page = inliner.document.settings.env.docname
    target = {"refdomain": "py", "reftype": "obj", "reftarget": text, "refdoc": page}
    return [pending_xref(raw, code, **target, refwarn=False)], []


def find_by_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Docstrings say `Run`, not `counterfeit.Run`: link what is documented once by that name."""
    if node.get("refdomain") != "py":
        return None
    wanted = node["reftarget"]
    short = match[0] if (match := NAME.search(wanted)) else wanted
    found = {
        (entry.docname, entry.node_id)
        for name, entry in env.domains.python_domain.objects.items()
        if name.endswith(f".{short}")
    }
    if len(found) != 1:
        return None
    ((page, anchor),) = found
    return make_refnode(app.builder, node["refdoc"], page, anchor, content, wanted)


def keep_prose(
    app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]
) -> None:
    """napoleon takes `Nats: mean over the test images` for a type and a description; in front of
    it, an empty comment leaves it alone."""
    if what in ("attribute", "property"):
        lines[:0] = ["..", ""]
    elif what == "class" and lines and lines[0].startswith(f"{item.__name__}("):
        lines.clear()  # a dataclass without a docstring repeats its signature


def skip_fields(app: Sphinx, what: str, name: str, item: Any, skip: bool, options: Any) -> bool:
    """A recipe's keys are on the recipes' page, with what may stand there."""
    return skip or name in recipe.Recipe.model_fields or name == "model_config"


def keep_short(
    app: Sphinx, what: str, name: str, item: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """A recipe is read from a file or a table; pydantic's signature of it says nothing."""
    return ("", "") if item is recipe.Recipe else None


def say_language(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if page.endswith(".ko"):
        context["language"] = "ko"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", put_parts)
    app.connect("doctree-read", mark_findings)
    app.connect("doctree-read", enlarge_pictures)
    app.connect("doctree-resolved", use_dashes)
    app.connect("missing-reference", find_by_name)
    app.connect("autodoc-process-docstring", keep_prose, priority=400)  # before napoleon
    app.add_role("name-or-code", name_or_code)
    app.connect("autodoc-process-signature", keep_short)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("html-page-context", say_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
