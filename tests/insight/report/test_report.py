import base64
import io
import json
import math
import re
import shutil
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from example_finding import finding
from matplotlib.figure import Figure
from PIL import Image

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.insight import charts
from counterfeit.insight.report import Statement, anchor, rerun_command, write_report
from counterfeit.insight.report.comparison import glance, headings_of, short_names
from counterfeit.run import Run, rows
from counterfeit.run.findings import Finding
from counterfeit.run.rows import LeftOut, Measurement

ABSENT = {"animation", "maxout-history", "scores", "penalties", "heads"}
"""The film stands for the animation; the others are of other activations and losses."""

SHOWN = len(charts.FIGURES) - 5
"""Pictures of a shared-maxout run without heads, penalties or counted classes, and no film."""

VOID = {"wbr", "img", "meta", "link", "br", "hr", "input", "source"}


class Page(HTMLParser):
    """A page whose tags must be balanced: what it contains, and what it would load."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.text = ""
        self.source = path.read_text()
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "a":
            self.links.append(str(values["href"]))
        if tag == "img":
            self.images.append(values)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        self.text += text


@pytest.fixture(scope="module")
def page(small_run: Run) -> Page:
    path = write_report([small_run])
    assert path == small_run.path / "report.html"
    return Page(path)


def test_the_page_asks_for_nothing_outside_itself(page: Page) -> None:
    assert page.tags.isdisjoint({"link", "iframe", "object"})
    assert not re.search(r"""(src|srcset|href)=["'](?!data:|#)""", page.source)
    assert not re.search(r"url\(|@import", page.source)


def test_the_page_holds_every_figure_as_a_picture_with_a_description(page: Page) -> None:
    assert len(page.images) == SHOWN
    for image in page.images:
        assert image["alt"]
        header, content = str(image["src"]).split(",", 1)
        kind = header.removeprefix("data:image/").removesuffix(";base64")
        with Image.open(io.BytesIO(base64.b64decode(content, validate=True))) as picture:
            picture.load()
            assert picture.format == kind.upper()
            shape = picture.width / picture.height
            assert shape == pytest.approx(int(image["width"]) / int(image["height"]), rel=0.01)


def test_anchors_are_unique_and_links_lead_to_them(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    names = set(charts.FIGURES) - ABSENT
    assert {anchor(name) for name in names} <= set(page.ids)
    assert page.path.with_name("figures").joinpath("animation.webp").is_file()


def test_the_page_says_what_a_reader_must_know(page: Page, small_run: Run) -> None:
    for fact in (
        "made for <these> tests",
        "running statistics",
        "3 of 3",
        "counterfeit train",
        "real_labels",
        "0.50 ± 0.10",  # what real images score
        "Healthy: classifier FID 70 against 0.5 for real images, coverage 0.75, recall 0.75",
        "70.0 ± 1.5",  # the last epoch's FID, which was not the last to be measured
        str(small_run.environment["torch"]),
    ):
        assert fact in page.text


def test_several_runs_stand_beside_each_other(small_run: Run, empty_run: Run) -> None:
    statements = [
        Statement(
            "D wins & <G> decays", "section 3.2", "So it did.", "agrees", anchor("losses", 2)
        ),
        Statement("Digits are readable", "section 5", "Not at 8x8.", "differs"),
    ]
    path = empty_run.path / "both.html"
    page = Page(write_report([small_run, empty_run], path, statements))
    assert f"#{anchor('losses', 2)}" in page.links
    assert "D wins & <G> decays" in page.text
    assert "has no checkpoint yet" in page.text
    assert "has no log rows yet" in page.text
    assert len(page.images) == SHOWN  # the preview is shared, and the empty run has none


def test_several_runs_without_a_path_report_in_their_common_folder(
    small_recipe: recipe.Recipe, tmp_path: Path
) -> None:
    facts = {"seed": 0, "image_shape": [1, 8, 8]}
    runs = [Run.create(tmp_path / name, small_recipe, facts) for name in ("a", "b")]
    assert write_report(runs) == tmp_path / "report.html"


def test_the_recipes_differences_are_shown(small_recipe: recipe.Recipe, tmp_path: Path) -> None:
    facts = {"seed": 0, "image_shape": [1, 8, 8]}
    changed = small_recipe.with_overrides(["latent.dim=77"])
    runs = [Run.create(tmp_path, spec, facts) for spec in (small_recipe, changed)]
    text = Page(write_report(runs)).text
    start = text.index("They differ in these values")
    assert re.search(r"latent\.dim\s*8\s*77", text[start:])
    assert "latent.std" not in text


def test_bad_use_is_an_error(empty_run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one run"):
        write_report([])
    with pytest.raises(CounterfeitError, match="cannot write"):
        write_report([empty_run], tmp_path / "missing" / "report.html")
    with pytest.raises(ValueError, match="no figure 'loses-1'"):
        write_report([empty_run], None, [Statement("", "", "", "open", "loses-1")])


def test_a_page_reads_each_file_of_rows_once(
    small_run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read: list[str] = []
    read_rows = rows.read_rows
    monkeypatch.setattr(
        rows, "read_rows", lambda path: (read.append(path.name), read_rows(path))[1]
    )
    write_report([small_run], tmp_path / "page.html")
    assert sorted(read) == ["findings.jsonl", "log.jsonl", "metrics.jsonl", "vitals.jsonl"]


def test_a_run_is_made_again_by_name_only_if_that_is_its_recipe(tmp_path: Path) -> None:
    facts = {"seed": 7, "image_shape": [1, 28, 28]}
    short = recipe.load("sgd").with_overrides(["training.epochs=3"])
    run = Run.create(tmp_path, short, facts)
    assert rerun_command(run) == "counterfeit train sgd --seed 7 --epochs 3"
    changed = Run.create(tmp_path, short.with_overrides(["latent.dim=3"]), facts)
    path = changed.path / "recipe.toml"
    assert rerun_command(changed) == f"counterfeit train {path} --seed 7 --epochs 3"


def test_a_metric_that_was_not_a_number_is_shown_as_such(small_run: Run, tmp_path: Path) -> None:
    shutil.copytree(small_run.path, tmp_path / "run")
    run = Run(tmp_path / "run")
    run.append_metrics({"step": 99, "epoch": 99, "metrics": {"parzen_10": [math.nan, None]}})
    run.append_log({"step": 99, "epoch": 99})  # by another program, say
    assert "nan" in Page(write_report([run])).text


def test_words_that_are_no_text_do_not_stop_it(small_run: Run, tmp_path: Path) -> None:
    shutil.copytree(small_run.path, tmp_path / "run")
    path = tmp_path / "run" / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"processor": "\ud800"}))
    Page(write_report([Run(tmp_path / "run")]))


def test_findings_are_told_with_their_evidence_and_figure(
    small_run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = [finding(), finding("dead_units", severity="note", evidence={"figure": "nonesuch"})]
    monkeypatch.setattr("counterfeit.insight.report.page.diagnose", lambda run: found)
    page = Page(write_report([small_run], tmp_path / "page.html"))
    for words in (
        "Failing: mode collapse since epoch 1",
        "All <images> are one.",
        "Give G BatchNorm.",
        "distance 0.125",
        "Goodfellow et al. 2014, section 6",
        "Dead units",
    ):
        assert words in page.text
    assert page.links.count("#outputs-1") == 1  # the other finding's figure is none of the page's
    assert "#findings-1" in page.links
    assert set(page.ids) >= {link.removeprefix("#") for link in page.links}


def test_the_same_findings_are_marked_in_the_charts(
    small_run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    marked: dict[str, list[str]] = {}

    def noting(name: str, draw: Callable[..., Figure]) -> Callable[..., Figure]:
        def note(run: Run, findings: Sequence[Finding]) -> Figure:
            marked[name] = [each.name for each in findings]
            return draw(run, findings)

        return note

    for name, draw in charts.DRAWINGS.items():
        monkeypatch.setitem(charts.DRAWINGS, name, noting(name, draw))
    monkeypatch.setattr("counterfeit.insight.report.page.diagnose", lambda run: [finding()])
    write_report([small_run], tmp_path / "page.html")
    assert marked["losses"] == marked["outputs"] == ["mode_collapse"]
    assert marked["gradients"] == []


def test_fewer_real_images_are_shown_at_a_glance_too(small_run: Run, tmp_path: Path) -> None:
    run = Run(shutil.copytree(small_run.path, tmp_path / "run"))
    values = {"coverage_digits-v1_test_10k": [0.25, 0.01]}
    run.append_metrics({"step": 33, "epoch": 3, "metrics": values})
    run.add_real_scores({"coverage_digits-v1_test_300": Measurement(0.875, 0.01)})
    names, rows = glance([run], ["a run"], [[]])
    assert names == ["this run", "real images"]
    assert dict(rows)["coverage (0 to 1)"] == ["0.25", "0.88"]
    assert dict(rows)["findings"] == ["none", "–"]


def test_what_could_not_be_measured_is_said_with_the_reason(small_run: Run, tmp_path: Path) -> None:
    run = Run(shutil.copytree(small_run.path, tmp_path / "run"))
    of_classes = LeftOut(("classes_found", "share"), "digits has one class")
    parzen = LeftOut(("parzen",), "1 validation image is needed, and there are 0")
    rows: tuple[tuple[dict[str, Measurement], list[LeftOut]], ...] = (
        ({}, [of_classes, parzen]),
        ({"parzen_test_40": Measurement(1.0, 0.5)}, [of_classes]),
    )
    for metrics, left_out in rows:
        run.append_metrics({"step": 99, "epoch": 99, "metrics": metrics, "left_out": left_out})
    line = "classes found, share of each class: digits has one class"
    page = Page(write_report([run], tmp_path / "page.html"))
    assert line in page.text
    assert "Parzen in nats:" not in page.text  # the other evaluation could
    assert dict(glance([run], ["a"], [[]])[1])["classes found"] == ["cannot be measured"]
    both = Page(write_report([run, small_run], tmp_path / "page.html"))
    assert f"{line} (run)" in both.text


def test_long_titles_are_told_by_their_recipes_names(
    small_recipe: recipe.Recipe, tmp_path: Path
) -> None:
    facts = {"seed": 0, "image_shape": [1, 8, 8]}
    specs = [small_recipe, recipe.load("paper"), recipe.load("sgd")]
    runs = [Run.create(tmp_path, spec, facts) for spec in specs]
    assert short_names(runs, headings_of(runs)) == [small_recipe.title, "paper", "Article, stage 1"]
