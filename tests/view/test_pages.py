"""The live page as a person uses it: a real server, a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from serving import serving

from chromium import PATIENCE, find_axe, require_runtime
from counterfeit.files import write_rows
from counterfeit.recipe import Recipe
from counterfeit.run import Run
from counterfeit.session import train


@pytest.fixture(scope="module")
def folder(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(trained, tmp_path_factory.mktemp("live") / "runs"))


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address.rstrip("/")


@pytest.fixture
def heard() -> list[str]:
    """What a page should not do: say something in the console, or ask another host."""
    return []


@pytest.fixture
def opened(browser: Any, server: str, heard: list[str]) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: heard.extend(foreign(asked.url, server)))
    yield page
    context.close()


def foreign(url: str, server: str) -> list[str]:
    return [] if url.startswith((f"{server}/", "data:", "blob:")) else [url]


def run_page(server: str, *names: str) -> str:
    return f"{server}/run?" + "&".join(f"of=runs/{name}" for name in names)


def told(page: Any, chart: int = 0) -> str:
    """The epoch that a chart tells."""
    return str(page.locator(".told").nth(chart).locator("span").first.text_content())


def drawn(page: Any) -> None:
    page.locator(".told span").first.wait_for()


def test_runs_are_listed_opened_and_scrubbed_with_the_charts(opened, server, heard) -> None:
    opened.goto(server)
    rows = opened.locator("tbody tr")
    rows.locator(".state").nth(1).wait_for()  # the server has looked at both
    assert rows.locator("th a").all_text_contents() == ["run-2", "run-1"]
    assert rows.locator(".state").all_text_contents() == ["finished"] * 2
    opened.get_by_role("link", name="run-1").click()
    drawn(opened)
    assert opened.locator(".standing").text_content().startswith("Too early to judge")
    headings = opened.locator("main h2").all_text_contents()
    for heading in ("Losses", "What D answers", "Gradients", "Findings", "Balance of the classes"):
        assert heading in headings
    slider = opened.get_by_label("epoch", exact=False).first
    image = opened.locator("img.film")
    assert told(opened) == "Epoch 3"
    assert "after epoch 3" in opened.locator(".reel caption").text_content()
    assert opened.locator(".reel tbody tr").count() == 11  # ten classes, and unsure
    slider.focus()
    opened.keyboard.press("ArrowLeft")
    assert told(opened) == "Epoch 2"
    assert image.get_attribute("src").endswith("epoch=2")
    assert "after epoch 2" in image.get_attribute("alt")
    opened.locator(".curve").nth(2).focus()
    opened.keyboard.press("Home")
    opened.keyboard.press("Enter")
    assert image.get_attribute("src").endswith("epoch=1")
    assert told(opened, 3) == "Epoch 1"
    opened.wait_for_function("document.querySelector('img.film').naturalWidth === 80")
    assert heard == []


def test_two_runs_stand_side_by_side_and_differences_are_listed(opened, server, heard) -> None:
    opened.goto(server)
    opened.get_by_role("checkbox").nth(1).wait_for()
    opened.get_by_role("button", name="Look at the chosen ones").click()
    opened.get_by_role("heading", name="No run is chosen").wait_for()
    opened.get_by_role("link", name="All runs").click()
    opened.get_by_role("checkbox").nth(1).wait_for()
    for box in opened.get_by_role("checkbox").all():
        box.check()
    opened.get_by_role("button", name="Look at the chosen ones").click()
    drawn(opened)
    assert opened.locator("img.film").count() == 2
    differing = opened.locator("#recipe tbody th").all_text_contents()
    assert differing == ["generator.optimizer.lr"]
    button = opened.locator(".legend button").first
    button.click()
    assert opened.locator(".told").first.locator("span").count() == 2
    assert button.get_attribute("aria-pressed") == "false"
    assert heard == []


def test_its_generator_is_explored_and_the_way_back_is_short(opened, server, heard) -> None:
    require_runtime()
    opened.goto(run_page(server, "run-1"))
    opened.get_by_role("link", name="Explore the generator").click()
    opened.get_by_text("The explorer is being made").wait_for()
    opened.wait_for_selector("body:not(.loading) #sliders input")
    shown = "document.getElementById('sample').toDataURL()"
    before = opened.evaluate(shown)
    slider = opened.locator("#sliders input").first
    slider.focus()
    opened.keyboard.press("End")
    opened.wait_for_function(f"before => {shown} !== before", arg=before)
    assert heard == []
    opened.go_back()  # to the run, not to what was said meanwhile
    drawn(opened)
    opened.go_forward()
    opened.get_by_role("link", name="Back to the run's page").click()
    drawn(opened)
    assert heard == []


def test_the_explorer_may_ask_nobody_and_stands_in_no_frame(opened, server) -> None:
    require_runtime()
    opened.goto(f"{server}/explore?of=runs/run-1")
    opened.wait_for_selector("body:not(.loading) #sample")
    with urlopen(opened.url, timeout=PATIENCE / 1000) as answer:
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    asked = "fetch('/charts').then(() => 'answered', () => 'refused')"
    assert opened.evaluate(asked) == "refused"


def test_what_cannot_be_explored_is_said_in_one_line(opened, server) -> None:
    opened.goto(f"{server}/explore?of=runs/nothing")
    opened.get_by_text("There is no such run here").wait_for()
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{server}/explorer?of=runs/run-1&step=1", timeout=PATIENCE / 1000)


def test_a_run_is_followed_while_it_is_trained(
    opened, server, heard, folder: Path, tiny: Recipe
) -> None:
    """A new run appears; its page draws what is added, unless somebody looks at an old epoch."""
    opened.goto(server)
    spec = tiny.with_values({"training.epochs": 5})
    epochs: list[int] = []

    def look(run: Run, epoch: int, _: Any) -> None:
        epochs.append(epoch)
        if epoch == 1:
            row = opened.locator("tbody tr").first
            row.locator(".state.training").wait_for()
            row.get_by_role("link").click()
            drawn(opened)
        elif epoch in (2, 3):
            opened.locator(f"output:text('{epoch}')").wait_for()
            opened.locator(".told span", has_text=f"Epoch {epoch}").first.wait_for()
        elif epoch == 4:
            opened.get_by_label("epoch", exact=False).first.focus()
            opened.keyboard.press("Home")

    run = train(spec, device="cpu", out=folder, progress=False, on_epoch=[look])
    opened.locator(".state.finished").wait_for()
    assert epochs == [1, 2, 3, 4, 5]
    opened.locator("input[type=range][max='5']").wait_for()
    assert opened.locator("output").text_content() == "0"
    assert heard == []
    shutil.rmtree(run.path)
    opened.get_by_text("The run's directory is gone").wait_for()
    assert opened.locator(".curve canvas").first.is_visible()
    opened.goto(server)
    opened.locator("tbody tr").nth(1).wait_for()
    opened.locator("tbody tr").nth(2).wait_for(state="detached")


def test_where_no_runs_are_there_is_nothing_to_choose(opened, server, folder: Path) -> None:
    opened.goto(server)
    choose = opened.get_by_role("button", name="Look at the chosen ones")
    choose.wait_for()
    away = folder.rename(folder.with_name("away"))
    opened.get_by_text("No runs yet").wait_for()
    choose.wait_for(state="hidden")
    away.rename(folder)
    choose.wait_for()
    assert opened.locator("tbody tr").count() == 2


def test_a_run_that_is_damaged_is_named_and_others_stay(opened, server, folder: Path) -> None:
    broken = Run(Path(shutil.copytree(folder / "run-1", folder / "run-0")))
    write_rows(broken.path / "log.jsonl", [{"step": 1, "epoch": 1, "d_loss": "many"}])
    (broken.path / "vitals.jsonl").write_text("no row\n")
    opened.goto(server)
    opened.get_by_text("vitals.jsonl is damaged").wait_for()
    opened.goto(run_page(server, "run-0"))
    opened.get_by_text("vitals.jsonl is damaged").first.wait_for()
    shutil.rmtree(broken.path)
    opened.get_by_text("The run's directory is gone").wait_for()  # the server has looked
    opened.goto(run_page(server, "run-0"))
    opened.get_by_text("There is no such run here").wait_for()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["desk", "phone"]
)
def test_pages_fit_and_can_be_read_by_all(
    browser: Any, server: str, width: int, scheme: str
) -> None:
    require_runtime()
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    explorer = f"{server}/explore?of=runs/run-1"
    for address in (
        server,
        run_page(server, "run-1"),
        run_page(server, "run-1", "run-2"),
        explorer,
    ):
        page.goto(address)
        page.locator(".told span, .found .said, body:not(.loading) #sample").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.evaluate(find_axe().read_text())
        found = "axe.run().then(all => all.violations.map(each => [each.id, each.nodes[0].html]))"
        assert page.evaluate(found) == []
    context.close()


def test_what_others_ask_and_what_lies_elsewhere_is_refused(server: str, folder: Path) -> None:
    (folder.parent / "secret.txt").write_text("secret")

    def status(path: str, method: str = "GET", **headers: str) -> int:
        try:
            asked = Request(server + path, headers=headers, method=method)
            return int(urlopen(asked, timeout=PATIENCE / 1000).status)
        except HTTPError as error:
            return error.code

    assert status("/") == 200
    assert status("/", Host="evil.example") == 421
    assert status("/charts?of=runs/run-1", Origin="http://evil.example") == 403
    assert status("/_nicegui_ws/socket.io/?EIO=4&transport=polling", method="POST") == 405
    assert status("/frames?of=runs/run-1&epoch=1") == 200
    assert status("/charts") == 200  # of no run
    for path in (
        "/frames?of=../secret.txt&epoch=1",
        "/frames?of=runs/../secret.txt&epoch=1",
        "/frames?of=/etc&epoch=1",
        "/frames?of=runs/run-1&epoch=99",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/secret.txt",
    ):
        assert status(path) == 404


def test_a_page_comes_back_when_the_server_does_in_korean(browser: Any, folder: Path) -> None:
    context = browser.new_context()
    context.set_default_timeout(2 * PATIENCE)
    page = context.new_page()
    with serving(folder, language="ko") as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        page.goto(address)
        page.get_by_text("실행 목록").first.wait_for()
        assert page.evaluate("document.documentElement.lang") == "ko-KR"
        page.get_by_role("link", name="run-1").click()
        drawn(page)
        page.evaluate("window.before = true")
    page.locator("#popup[aria-hidden=false]").wait_for(state="attached")
    with serving(folder, port=port):
        page.wait_for_function("!window.before")
        drawn(page)
        assert page.locator("h2", has_text="Losses").is_visible()
    context.close()
