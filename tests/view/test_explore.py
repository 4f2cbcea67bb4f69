"""The explorer as the page serves it: whose, when it is made, and what is said where not."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chromium import require_runtime
from counterfeit.errors import CounterfeitError
from counterfeit.exports.html import explorer
from counterfeit.language import speaking
from counterfeit.run import Run
from counterfeit.view import explore, frame
from counterfeit.view.places import groups
from counterfeit.view.seen import Seen
from counterfeit.view.watch import Watch


@pytest.fixture
def of(run: Run) -> str:
    """The id of a run that is looked at."""
    explore._made.cache_clear()
    frame.use(Watch(groups([run.path.parent])))
    return f"{run.path.parent.name}/{run.path.name}"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The steps of which pages were made; each says its number."""
    steps: list[int] = []

    def make(run: Run, step: int, *, back: str) -> str:
        steps.append(step)
        return f"page {len(steps)}"

    monkeypatch.setattr(explore, "explorer", make)
    yield steps
    explore._made.cache_clear()


def test_a_run_has_a_link_once_it_has_a_generator_of_ours(run: Run) -> None:
    assert explore.link(Seen("runs/a b", run.path)) == (
        "Explore the generator",
        "/explore?of=runs%2Fa+b",
    )
    shutil.rmtree(run.path / "checkpoints")
    assert explore.link(Seen("run", run.path)) is None


def test_a_generator_of_the_users_has_none(run: Run) -> None:
    own = {"name": "custom", "label": "MyG", "shapes": {"weight": [64, 4]}}
    run.change_recipe(run.recipe.with_values({"generator": own}))
    assert run.checkpoint_steps
    assert explore.link(Seen("run", run.path)) is None


def test_the_page_is_that_of_export_and_knows_the_way_back(run: Run, of: str) -> None:
    require_runtime()
    address, page = explore.explored(of)
    assert address == f"/explorer?of=runs%2Frun-1&step={run.checkpoint_steps[-1]}"
    back = '<p><a href="/run?of=runs%2Frun-1">Back to the run&#39;s page</a></p>\n'
    assert back in page.decode()
    assert page.decode().replace(back, "") == explorer(run)


def test_pages_are_made_once_as_long_as_they_are_among_the_last(
    run: Run, of: str, made: list[int]
) -> None:
    second, last = run.checkpoint_steps[-2:]
    assert explore.explored(of)[1] == explore.explored(of, last)[1] == b"page 1"
    with speaking("ko"):
        assert explore.explored(of)[1] == b"page 2"
    assert explore.explored(of, second)[1] == b"page 3"
    assert explore.explored(of)[1] == b"page 4"
    (run.path / "environment.json").touch()  # as of a new run by that name
    assert explore.explored(of)[1] == b"page 5"
    assert made == [last, last, second, last, last]


def test_who_asks_at_once_waits_for_the_same_page(of: str, made: list[int]) -> None:
    with ThreadPoolExecutor(4) as asking:
        pages = set(asking.map(lambda _: explore.explored(of)[1], range(4)))
    assert pages == {b"page 1"}


def test_runtime_that_is_not_here_is_not_fetched_and_one_line_says_what_to_do(
    run: Run, of: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COUNTERFEIT_DATA_DIR", str(tmp_path / "empty"))
    with pytest.raises(CounterfeitError) as refused:
        explore.explored(of)
    said = str(refused.value)
    assert f"`counterfeit export {run.path} --format html` fetches it once." in said
    assert "\n" not in said
    assert explore.serve(of, run.checkpoint_steps[-1]).body == f"{said}\n".encode()
    assert not (tmp_path / "empty").exists()


def test_what_is_not_there_or_leads_out_is_refused(run: Run, of: str, tmp_path: Path) -> None:
    assert explore.serve("runs/nothing", 1).status_code == 404
    assert explore.serve(of, 1).status_code == 404  # no such checkpoint
    checkpoints = run.path / "checkpoints"
    checkpoints.rename(tmp_path / "elsewhere")
    checkpoints.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CounterfeitError, match="no such run"):
        explore.explored(of)
