"""Whatever is said to people has its Korean, and the language is the one that was asked for."""

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

import counterfeit
from counterfeit import recipe
from counterfeit.insight.detectors import DETECTORS
from counterfeit.insight.report.sections import SECTIONS
from counterfeit.insight.report.words import EVIDENCE
from counterfeit.insight.tables import GOOD, GROUPS
from counterfeit.language import (
    IN_SCRIPT,
    PLACEHOLDER,
    VARIABLES,
    current,
    english,
    speaking,
    tr,
    translated,
    use,
)
from counterfeit.measure.names import SHORT
from counterfeit.run.findings import SEVERITIES
from counterfeit.tricks.catalogue import catalogue

PACKAGE = Path(counterfeit.__file__).parent
CATALOGUE = tomllib.loads((PACKAGE / "locale/ko.toml").read_text(encoding="utf-8"))
KEPT_KOREAN: dict[str, str] = CATALOGUE.pop("kept")
KOREAN: dict[str, str] = CATALOGUE | KEPT_KOREAN


def said_in(path: Path, functions: Sequence[str] = ("tr", "english")) -> Iterator[str]:
    """The texts that a module hands to the catalogue's functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in functions:
            (text,) = node.args
            where = f"{path.name}:{node.lineno}"
            assert isinstance(text, ast.Constant), f"{where}: a text is one literal"
            assert isinstance(text.value, str), where
            given = {keyword.arg for keyword in node.keywords}
            assert given == placeholders(text.value), f"{where}: values for {text.value!r}"
            yield text.value
        elif node.func.id in ("detector", "Finding"):  # a finding's title is its name as words
            names = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "name")]
            yield from (
                str(name.value).replace("-", " ")
                for name in names
                if isinstance(name, ast.Constant)
            )


def said_in_template(path: Path) -> Iterator[str]:
    """The texts of a page."""
    for call in Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "tr":
            (text,) = call.args
            assert isinstance(text, nodes.Const), (
                f"{path.name}:{call.lineno}: a text is one literal"
            )
            assert {each.key for each in call.kwargs} == placeholders(text.value), text.value
            yield text.value


def said_in_script(path: Path) -> list[str]:
    """The texts of a page's script."""
    script = path.read_text(encoding="utf-8")
    texts = IN_SCRIPT.findall(script)
    assert len(texts) == len(re.findall(r"\btr\((?!text)", script)), f"{path.name}: literals only"
    return texts


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


SAID = {
    *(text for path in PACKAGE.rglob("*.py") for text in said_in(path)),
    *(text for path in PACKAGE.rglob("*.html") for text in said_in_template(path)),
    *(text for path in PACKAGE.rglob("templates/*.js") for text in said_in_script(path)),
    *(recipe.load(name).title for name in recipe.names()),
    *(text for name in recipe.names() for text in recipe.load(name).deviations),
    *(each.title for each in [*catalogue().tricks, *catalogue().no_switch]),
    *(each.instead for each in catalogue().no_switch),
}
KEPT = {text for path in PACKAGE.rglob("*.py") for text in said_in(path, ["english"])}


def test_every_text_has_its_korean_and_the_catalogue_has_no_other() -> None:
    assert {text for text in SAID if text not in KOREAN} == set()
    assert {text for text in KOREAN if text not in SAID} == set()
    assert {text for text in KEPT if placeholders(text)} == set(KEPT_KOREAN)


def test_what_is_kept_in_tables_is_in_the_catalogue() -> None:
    """Also where somebody forgot to say that it is a text."""
    kept = [
        *(text for each in SECTIONS for text in (each.title, each.caption, each.alt)),
        *(text for each in DETECTORS.values() for text in (each.meaning, each.advice) if text),
        *EVIDENCE.values(),
        *GOOD.values(),
        *filter(None, GROUPS),
        *SHORT.values(),
        *SEVERITIES,
    ]
    assert [text for text in kept if text not in KOREAN] == []


def test_a_translation_has_the_values_of_its_text_and_is_korean() -> None:
    for text, korean in KOREAN.items():
        assert placeholders(korean) == placeholders(text), text
        assert "{" not in PLACEHOLDER.sub("", text), f"values are formatted by the caller: {text}"
        assert korean == korean.strip() or text != text.strip(), text
        if re.search("[a-z]", text) and not placeholders(text):
            assert re.search("[가-힣]", korean) or korean == text, text


def test_commands_and_options_are_the_same_in_korean() -> None:
    command = re.compile(r"`[^`]+`|--[a-z-]+(?: [a-z]\w*(?:\.\w+)+(?:=(?:\.\.\.|[\w-]+))?)?")
    for text, korean in KOREAN.items():
        assert set(command.findall(korean)) == set(command.findall(text)), text


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LANG": "kok_IN.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "ko_KR.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LC_MESSAGES": "ko_KR.eucKR", "LANG": "en_US.UTF-8"}, "ko"),
        ({"LC_ALL": "C.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANGUAGE": "ko", "LC_ALL": "en_US.UTF-8"}, "ko"),
        ({"LANGUAGE": "de:ko:en", "LANG": "en_US.UTF-8"}, "ko"),
    ],
)
def test_the_language_is_that_of_the_users_locale(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert current() == language


def test_what_is_asked_for_goes_before_the_locale() -> None:
    assert tr("recall") == "recall"
    use(None)
    assert current() == "en"
    use("ko")
    assert tr("recall") == "재현율"
    with speaking("en"):
        assert tr("recall") == "recall"
    assert current() == "ko"


def test_what_is_kept_is_english_and_can_be_said_again() -> None:
    with speaking("ko"):
        kept = english("in epochs {first} to {last}", first="2", last="7")
        assert kept == "in epochs 2 to 7"
        assert translated(kept) == "2~7 에포크"
        assert translated("since epoch 2.5") == "2.5 에포크부터"
        passed = "It has passed after epoch 9: G's images are copies of training images."
        was = KOREAN["G's images are copies of training images."]
        assert translated(passed) == f"9 에포크를 끝으로 사라졌습니다. 당시의 상태: {was}"
        few = "40 real images neither trained on nor compared with are needed, and there are 0"
        korean = "학습에도 비교에도 쓰지 않은 진짜 이미지 40장이 필요한데 0장뿐입니다"
        assert translated(few) == korean
        unknown = "My own {finding} and 100 % in epochs."
        assert translated(unknown) == unknown
    assert translated(kept) == kept


def test_a_text_says_again_what_it_said_with_any_values() -> None:
    """No other text is taken for it."""
    with speaking("ko"):
        for text in KEPT:
            values = {name: f"<{name}>" for name in placeholders(text)}
            assert translated(text.format(**values)) == KOREAN[text].format(**values), text
