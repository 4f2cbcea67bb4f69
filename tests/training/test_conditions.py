"""Runs whose networks are told classes, and runs with codes: trained, stopped, resumed, asked."""

import json
import shutil
from itertools import count
from pathlib import Path

import pytest
import torch

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, Interrupted, UsageError
from counterfeit.game.game import Game
from counterfeit.run import Run
from counterfeit.training import loop
from counterfeit.training.loop import LOG_EVERY

KINDS = {
    "concat": ["condition.generator=concat", "condition.discriminator=concat"],
    "embedding": ["condition.generator=embedding", "condition.discriminator=projection"],
    "batch-norm": ["condition.generator=batch-norm", "condition.discriminator=projection"],
    "auxiliary": ["condition.discriminator=auxiliary", "generator.ema_decay=0.9"],
    "codes": ["latent.categories=4", "latent.continuous=2"],
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Run:
    spec = recipe.load("batchnorm-smoothing").with_overrides(
        [
            "data.name=digits",
            "generator.hidden=[32, 32]",
            "discriminator.hidden=[32, 16]",
            "training.epochs=2",
            *KINDS["embedding"],
        ]
    )
    return loop.train(spec, out=tmp_path_factory.mktemp("runs"))


RECIPES = ("conditional", "acgan", "infogan")


@pytest.mark.parametrize("kind", [*KINDS, *RECIPES])
def test_a_run_that_was_stopped_goes_on_to_the_bit(
    kind: str, tiny: recipe.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind in RECIPES:
        small = ["generator.channels=4", "discriminator.channels=4", "training.batch_size=64"]
        spec = recipe.load(kind).with_overrides([*small, "data.name=digits", "training.epochs=2"])
    else:
        spec = tiny.with_overrides(KINDS[kind])
    whole = loop.train(spec, out=tmp_path / "whole")
    steps, update = count(1), Game.update

    def stopping(self: Game, *given: object) -> object:
        if next(steps) == 30:  # in the second epoch
            import os
            import signal

            os.kill(os.getpid(), signal.SIGTERM)
        return update(self, *given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Game, "update", stopping)
        with pytest.raises(Interrupted) as stopped:
            loop.train(spec, out=tmp_path / "parts")
    run = stopped.value.run
    assert 0 < run.checkpoint().step < whole.checkpoint().step < LOG_EVERY
    again = loop.resume(run)
    one, other = whole.checkpoint().tensors, again.checkpoint().tensors
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert (whole.snapshot(2) == again.snapshot(2)).all()


def test_a_run_knows_its_classes(told: Run) -> None:
    assert told.classes == tuple("0123456789")
    sizes = json.loads((told.path / "environment.json").read_text())["classes"]
    assert sum(sizes.values()) == 1437
    assert told.history_classes is not None
    assert told.history_classes.tolist() == [number for number in range(10) for _ in range(10)]


def test_the_same_latents_of_other_classes_are_other_images(told: Run) -> None:
    of_three = told.sample(20, labels=3)
    assert torch.equal(of_three, told.sample(20, labels=["3"] * 20))
    assert not torch.equal(of_three, told.sample(20, labels=7))
    mixed = told.sample(20, labels=[3] * 10 + [7] * 10)
    assert torch.equal(mixed[:10], of_three[:10])
    assert not torch.equal(mixed[10:], of_three[10:])


def test_classes_of_samples_are_drawn_as_in_the_data_for_the_seed(told: Run) -> None:
    labels = told.labels(5000, seed=1)
    assert labels is not None
    assert torch.equal(labels, told.labels(5000, seed=1))
    assert not torch.equal(labels, told.labels(5000, seed=2))
    assert labels.bincount(minlength=10).min() > 400
    assert torch.equal(
        told.sample(50, seed=1), told.sample(50, labels=told.labels(50, seed=1), seed=1)
    )


def test_snapshots_have_rows_of_classes(told: Run) -> None:
    generator, z = told.generator(), told.history()
    from counterfeit.run import generate

    images = generate(generator, z, told.recipe.value_range, told.history_classes)
    assert (told.snapshot(2) == images.numpy()).all()


def test_a_run_that_is_told_nothing_refuses_a_class(tiny: recipe.Recipe, tmp_path: Path) -> None:
    run = loop.train(tiny, epochs=1, out=tmp_path)
    assert run.classes == ()
    assert run.labels(10) is None
    with pytest.raises(UsageError, match=r"is not conditional.*train conditional"):
        run.sample(3, labels=1)
    with pytest.raises(UsageError, match=r"no categorical code.*train infogan"):
        run.sample(3, codes=1)


def test_codes_fix_a_category(tiny: recipe.Recipe, tmp_path: Path) -> None:
    run = loop.train(tiny.with_overrides(KINDS["codes"]), epochs=1, out=tmp_path)
    assert not torch.equal(run.sample(8, codes=1), run.sample(8, codes=2))
    assert torch.equal(run.sample(8, codes=1), run.sample(8, codes=[1] * 8))
    with pytest.raises(UsageError, match="there is no class 4; there are: 0, 1, 2, 3"):
        run.sample(8, codes=4)


def test_data_without_labels_are_refused_before_anything_is_written(
    tiny: recipe.Recipe, tmp_path: Path
) -> None:
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(80):
        Image.new("L", (8, 8), number).save(folder / f"{number}.png")
    spec = tiny.with_overrides([*KINDS["concat"], f"data.name={folder}", "training.batch_size=8"])
    with pytest.raises(UsageError, match="has no labels, and the networks of") as caught:
        loop.train(spec, out=tmp_path / "runs")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_an_unconditional_run_of_before_classes_were_kept_works_on(
    tiny: recipe.Recipe, tmp_path: Path
) -> None:
    run = loop.train(tiny, epochs=1, out=tmp_path)
    path = run.path / "environment.json"
    facts = json.loads(path.read_text())
    del facts["classes"]
    path.write_text(json.dumps(facts))
    again = loop.resume(Run.open(run.path), epochs=2)
    assert again.environment["classes"] == {}
    assert len(again.sample(3)) == 3


@pytest.mark.parametrize(
    "classes", [{"0": "5"}, {"0": -1}, ["0"], 3, None, {"0": 1.5}, {"0": True}]
)
def test_classes_of_another_form_are_damage(told: Run, tmp_path: Path, classes: object) -> None:
    copy = Run(shutil.copytree(told.path, tmp_path / "copy"))
    path = copy.path / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"classes": classes}))
    with pytest.raises(CounterfeitError, match=r"environment\.json is damaged"):
        _ = copy.environment


def test_a_conditional_run_without_classes_is_damaged(told: Run, tmp_path: Path) -> None:
    copy = Run(shutil.copytree(told.path, tmp_path / "copy"))
    path = copy.path / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"classes": {}}))
    with pytest.raises(CounterfeitError, match=r"environment\.json is damaged"):
        copy.sample(1)


def test_a_fork_keeps_the_classes_and_other_conditions_are_refused(
    told: Run, tmp_path: Path
) -> None:
    from counterfeit.training.fork import fork

    child = fork(told, told.recipe.with_overrides(["training.epochs=3"]), out=tmp_path)
    assert child.classes == told.classes
    with pytest.raises(UsageError, match="a fork keeps the networks"):
        fork(told, told.recipe.with_overrides(["condition.generator=concat"]), out=tmp_path)
