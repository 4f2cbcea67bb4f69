"""The progress bar: as much of a row as there is room for."""

import pytest

from counterfeit.progress import Bar
from counterfeit.run.rows import LogRow

ROW: LogRow = {
    "step": 100,
    "epoch": 12.3,
    "d_loss": 0.6131,
    "g_loss": 1.0072,
    "d_real_mean": 0.611,
    "d_fake_mean": 0.354,
    "images_per_second": 12345.6,
}


def state(row: LogRow, title: str = "") -> str:
    bar = Bar(100, title)
    bar.on_row(row)
    (task,) = bar._progress.tasks
    assert task.completed == 12.3
    return str(task.fields["state"])


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (120, "epoch 12.3  D 0.613  G 1.007  D(x) 0.61  D(G(z)) 0.35  12,346 images/s"),
        (80, "epoch 12.3  D 0.613  G 1.007  D(x) 0.61  D(G(z)) 0.35"),
        (60, "epoch 12.3  D 0.613  G 1.007"),
        (20, "epoch 12.3"),
    ],
)
def test_a_row_is_shown_as_far_as_there_is_room(
    width: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert state(ROW) == text
    if width == 80:  # a title takes room
        assert state(ROW, "batchnorm-smoothing: ") == "epoch 12.3  D 0.613  G 1.007"


def test_answers_of_d_are_shown_only_where_they_are_probabilities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    row: LogRow = {"step": 1, "epoch": 12.3, "d_loss": 1, "g_loss": 2, "images_per_second": 9}
    assert state(row) == "epoch 12.3  D 1.000  G 2.000  9 images/s"


def test_a_bar_that_stands_still_says_why_and_then_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    bar = Bar(100)
    bar.on_row(ROW)
    (task,) = bar._progress.tasks
    before = task.fields["state"]
    bar.on_measuring("reading images", 0.1)
    assert task.fields["state"] == "measuring: reading images"
    assert task.completed == 12.3
    bar.on_measured("epoch 12: FID 3")
    assert task.fields["state"] == before
    assert capsys.readouterr().err == "epoch 12: FID 3\n"


def test_before_the_first_row_it_says_what_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar(100)
    bar.on_preparing("reading the data")
    (task,) = bar._progress.tasks
    assert (task.fields["state"], task.completed) == ("reading the data", 0)
