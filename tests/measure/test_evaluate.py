"""Measuring runs: what they are compared with, and the rows that are kept."""

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import cast
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import counterfeit
from counterfeit import data, recipe
from counterfeit.errors import UsageError
from counterfeit.files import Row
from counterfeit.measure.classifier import Classifier, FeatureNetwork
from counterfeit.measure.evaluate import Evaluator, NotKept, evaluate
from counterfeit.measure.images import Measured, measure_images, measure_real
from counterfeit.measure.names import ACCURACIES, MetricName
from counterfeit.measure.reference import Reference, reference_for
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run
from counterfeit.run.rows import Measurement
from counterfeit.training import loop


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    spec = recipe.load("batchnorm-smoothing").with_overrides(
        [
            "data.name=digits",
            "data.train_images=1000",
            "generator.hidden=[32]",
            "discriminator.hidden=[32]",
            "discriminator.dropout=0.5",
            "training.batch_size=64",
            "training.epochs=4",
        ]
    )
    return loop.train(spec, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(autouse=True)
def quick_classifier(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Barely trained: these tests are about what is compared, not about how well."""

    def quick(train_split: data.ImageData, folder: object, *, progress: object) -> Classifier:
        return classifier_for(train_split, tmp_path, updates=20)

    monkeypatch.setattr("counterfeit.measure.reference.classifier_for", quick)


def test_test_and_validation_images_are_disjoint_from_training(trained: Run) -> None:
    reference = reference_for(trained, "test")
    assert reference.training is not None
    assert [len(reference.images), len(reference.training)] == [360, 1000]
    assert len(reference.validation) == 1437 // 6

    reference = reference_for(trained, "validation")
    assert reference.training is not None
    kept = {image.numpy().tobytes() for image in reference.training}
    assert not any(image.numpy().tobytes() in kept for image in reference.images[:50])


def test_validation_images_that_were_trained_on_are_not_held_out(trained: Run, tmp_path) -> None:
    spec = trained.recipe.with_overrides(["data.train_images=1300", "training.epochs=1"])
    run = loop.train(spec, out=tmp_path)
    assert reference_for(run, "validation").training is None
    assert reference_for(run, "test").training is not None


def test_an_evaluation_is_kept_with_its_protocol_in_the_names(trained: Run) -> None:
    measured = evaluate(trained, samples=300).metrics
    row = trained.metrics[-1]
    assert row["step"] == trained.checkpoint().step
    assert row["epoch"] == 4
    assert row["metrics"] == measured
    assert "parzen_test_300" in measured
    assert "d_accuracy_held_out_test_300" in measured
    assert any(name.startswith("fid_digits-v") and name.endswith("_300") for name in measured)


@pytest.mark.parametrize(
    ("loss", "signed"),
    [
        ("non-saturating", True),
        ("minimax", True),
        ("hinge", True),
        ("least-squares", False),
        ("wasserstein", False),
        ("relativistic", False),
    ],
)
def test_a_critic_is_right_or_wrong_only_where_its_scores_have_a_sign(
    trained: Run, tmp_path, monkeypatch: pytest.MonkeyPatch, loss: str, signed: bool
) -> None:
    run = Run(shutil.copytree(trained.path, tmp_path / "run"))
    run.change_recipe(trained.recipe.with_values({"loss.name": loss}))
    built = count_calls(monkeypatch, "discriminator")
    measured = evaluate(run, samples=40)
    accuracies = {name for name in measured.metrics if name.startswith("d_accuracy")}
    lines = [each.why for each in measured.left_out if each.metrics == ACCURACIES]
    assert [len(accuracies), len(built)] == ([3, 1] if signed else [0, 0])
    assert lines == (
        [] if signed else [f"the {loss} loss gives the sign of D's answers no meaning"]
    )


def test_a_discriminator_that_is_not_asked_is_not_built(
    trained: Run, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(shutil.copytree(trained.path, tmp_path / "run"))
    built = count_calls(monkeypatch, "discriminator")
    measured = evaluate(run, samples=40, brief=True)
    assert built == []
    assert not any(each.metrics == ACCURACIES for each in measured.left_out)


def count_calls(monkeypatch: pytest.MonkeyPatch, method: str) -> list[object]:
    """The arguments of each call of a method of `Run` from now on."""
    called: list[object] = []
    real = getattr(Run, method)

    def noted(run: Run, *given: object) -> object:
        called.append(given)
        return real(run, *given)

    monkeypatch.setattr(Run, method, noted)
    return called


@pytest.mark.parametrize("split", ["train", "other", "", None, 5])
def test_splits_that_nothing_is_measured_against_are_refused(trained: Run, split: object) -> None:
    with pytest.raises(UsageError, match="split must be 'test' or 'validation'"):
        reference_for(trained, split)  # type: ignore[arg-type]


def test_training_evaluates_briefly_and_on_validation_images_only(trained: Run, tmp_path) -> None:
    told: list[Row] = []
    stages: list[str] = []
    evaluator = Evaluator(
        2,
        samples=100,
        on_stage=lambda stage, done: stages.append(stage),
        on_metrics=told.append,
    )
    run = loop.train(trained.recipe, out=tmp_path, on_epoch=[evaluator])
    assert [row["epoch"] for row in run.metrics] == [2, 4]
    assert told == run.metrics
    assert "reading images" in stages
    names = [MetricName.parse(name) for row in run.metrics for name in row["metrics"]]
    assert {name.split for name in names} == {"validation", None}
    assert {name.metric for name in names if name.of_class is None} == {
        "fid", "precision", "recall", "density", "coverage",
        "inception_score", "classes_found", "class_tv", "class_kl", "unsure",
    }  # fmt: skip
    assert run.real_scores.keys() == run.metrics[-1]["metrics"].keys()


def test_real_images_are_measured_once_and_again_under_another_protocol(
    trained: Run, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []

    def counted(reference: Reference, count: int, *, brief: bool) -> Measured:
        counts.append(count)
        return measure_real(reference, count, brief=brief)

    monkeypatch.setattr("counterfeit.measure.evaluate.measure_real", counted)
    run = loop.train(trained.recipe, epochs=1, out=tmp_path, on_epoch=[Evaluator(1, samples=50)])
    loop.resume(run, epochs=2, on_epoch=[Evaluator(1, samples=50)])
    loop.resume(run, epochs=4, on_epoch=[Evaluator(1, samples=60)])
    assert counts == [50, 60]
    counted_samples = {MetricName.parse(name).count for name in run.real_scores}
    assert counted_samples == {50, 60}


def test_fewer_real_images_than_samples_are_the_ceiling_all_the_same(
    trained: Run, tmp_path
) -> None:
    run = loop.train(trained.recipe, epochs=1, out=tmp_path, on_epoch=[Evaluator(1, samples=1300)])
    counts = {
        MetricName.parse(name).count
        for name in (*run.metrics[0]["metrics"], *run.real_scores)
        if name.startswith("fid")
    }
    assert counts == {1300, 1198}


def test_real_images_are_the_ceiling_of_memorisation_only_where_they_were_not_trained_on(
    trained: Run,
) -> None:
    reference = reference_for(trained)
    assert reference.unseen is not None
    real = measure_real(reference, 300).metrics
    assert 0.7 < real["nearest_ratio_test_300"].value < 1.4
    assert real["copies_test_300"].value < 0.1
    known = torch.cat([reference.images, trained.load_data("train").images])
    known_bytes = {image.numpy().tobytes() for image in known}
    assert not any(image.numpy().tobytes() in known_bytes for image in reference.unseen)


def test_test_images_that_are_not_compared_with_serve_as_the_ceiling() -> None:
    numbered = torch.arange(1500).unsqueeze(1) // torch.tensor([256, 1]) % 256
    images = numbered.to(torch.uint8).view(1500, 1, 1, 2)
    train = data.ImageData("many", "train", torch.zeros_like(images), None)
    run = run_on(train, data.ImageData("many", "test", images, None))
    reference = reference_for(run)
    assert reference.unseen is not None
    compared, unseen = (
        {image.numpy().tobytes() for image in part}
        for part in (reference.compared, reference.unseen)
    )
    assert [len(compared), len(unseen)] == [1000, 500]
    assert compared.isdisjoint(unseen)


def run_on(train: data.ImageData, test: data.ImageData, wanted: int | None = None) -> Run:
    """What `reference_for` asks of a run: here, one that trains on the first `wanted` images."""
    spec = recipe.load("adam").with_values({"data.train_images": wanted})
    splits = {"train": train, "test": test}
    stand_in = SimpleNamespace(
        recipe=spec, data_dir=None, classes=(), load_split=splits.__getitem__
    )
    return cast(Run, stand_in)


def test_the_ceiling_of_memorisation_is_empty_where_all_images_are_trained_on_or_compared_with(
    trained: Run, tmp_path
) -> None:
    spec = trained.recipe.with_overrides(["data.train_images=1437", "training.epochs=1"])
    reference = reference_for(loop.train(spec, out=tmp_path))
    samples, real = evaluate(trained, samples=40, reference=reference), measure_real(reference, 40)
    assert "nearest_ratio_test_40" in samples.metrics
    assert "nearest_ratio_test_40" not in real.metrics
    (line,) = [each for each in real.left_out if "copies" in each.metrics]
    assert line.why.startswith("40 real images neither trained on")


def test_what_real_images_score_is_kept_beside_other_protocols(trained: Run, tmp_path) -> None:
    run = Run.create(tmp_path, trained.recipe, trained.environment)
    run.add_real_scores({"other": Measurement(1.0, None)})
    measured = measure_real(reference_for(run), 100).metrics
    run.add_real_scores(measured)
    assert run.real_scores == {"other": Measurement(1.0, None)} | measured
    (run.path / "real_images.json").write_text("[1]")
    with pytest.raises(counterfeit.CounterfeitError, match="remove it"):
        run.real_scores  # noqa: B018


def test_measuring_changes_no_training_number(trained: Run, tmp_path) -> None:
    run = loop.train(trained.recipe, out=tmp_path, on_epoch=[Evaluator(1, samples=50)])
    one, other = run.checkpoint().tensors, trained.checkpoint().tensors
    assert all((one[name] == other[name]).all() for name in other)


def test_real_images_hold_no_validation_image(trained: Run) -> None:
    reference = reference_for(trained)
    validation = {image.numpy().tobytes() for image in reference.validation}
    assert reference.real is not None
    assert len(reference.real) == 1198
    assert not any(image.numpy().tobytes() in validation for image in reference.real)


def test_a_checkpoint_that_training_removes_meanwhile_is_measured_all_the_same(
    trained: Run, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(shutil.copytree(trained.path, tmp_path / "run"))

    def remove_all(*_: object) -> Reference:
        for step in run.checkpoint_steps:
            run.remove_checkpoint(step)
        return reference_for(trained)

    monkeypatch.setattr("counterfeit.measure.evaluate.reference_for", remove_all)
    measured = evaluate(run, samples=40)
    assert run.checkpoint_steps == []
    assert run.metrics[-1]["metrics"] == measured.metrics
    assert "d_accuracy_held_out_test_40" in measured.metrics


def test_what_cannot_be_kept_is_handed_over_all_the_same(trained: Run, tmp_path) -> None:
    run = Run(shutil.copytree(trained.path, tmp_path / "run"))
    (run.path / "metrics.jsonl").unlink(missing_ok=True)
    (run.path / "metrics.jsonl").mkdir()
    with pytest.raises(NotKept, match=r"not be kept: cannot write .*metrics\.jsonl") as caught:
        evaluate(run, samples=40)
    assert "parzen_test_40" in caught.value.measured.metrics


def test_numbers_of_samples_that_cannot_be_measured_are_refused_at_once(trained: Run) -> None:
    for count in (39, 1_000_001):
        with pytest.raises(counterfeit.CounterfeitError, match="from 40 to"):
            evaluate(trained, samples=count)
        with pytest.raises(counterfeit.CounterfeitError, match="from 40 to"):
            Evaluator(1, samples=count)


def test_numbers_that_are_not_whole_are_refused_at_once(trained: Run) -> None:
    for number in (50.5, "50", None):
        with pytest.raises(counterfeit.CounterfeitError, match="samples must be a whole number"):
            evaluate(trained, samples=number)  # type: ignore[arg-type]
        with pytest.raises(counterfeit.CounterfeitError, match="every must be a whole number"):
            Evaluator(number)  # type: ignore[arg-type]


def in_parts(test: data.ImageData, training: data.ImageData) -> Callable[..., data.ImageData]:
    """A `data.load` of these."""
    return lambda name, split, *form, **more: training if split == "train" else test


SIZES = st.sampled_from([0, 1, 2, 39, 40, 41, 100, 130, 180])
"""Numbers of images about which one metric or another begins to be measured."""


@st.composite
def small_sets(draw: st.DrawFn) -> tuple[data.ImageData, data.ImageData]:
    """Few training and test images, gray or coloured, with labels of any values or none."""
    channels = draw(st.sampled_from([1, 3]))
    values = draw(st.none() | st.lists(st.integers(0, 255), min_size=1, max_size=4, unique=True))
    parts = []
    for split, least in (("train", 1), ("test", 0)):
        count = max(least, draw(SIZES))
        rng = torch.Generator().manual_seed(draw(st.integers(0, 9)))
        images = torch.randint(0, 256, (count, channels, 8, 8), generator=rng).to(torch.uint8)
        labels = None
        if values is not None:
            labels = torch.tensor(values)[torch.randint(len(values), (count,), generator=rng)]
        held_out = min(count - 1, draw(SIZES)) if split == "train" else 0
        parts.append(data.ImageData("small", split, images, labels, (), held_out))
    return parts[0], parts[1]


def number_of_classes(images: data.ImageData) -> int:
    return 0 if images.labels is None else len(images.labels.unique())


EVERY_METRIC = (
    "fid", "kid", "precision", "recall", "density", "coverage", "inception_score", "classes_found",
    "class_tv", "class_kl", "unsure", "nearest_ratio", "nearest_p", "copies", "parzen",
)  # fmt: skip


@settings(max_examples=25)
@given(small_sets(), st.sampled_from(["test", "validation"]), st.data())
def test_whatever_there_is_is_measured_and_the_rest_is_named(
    parts: tuple[data.ImageData, data.ImageData], split: str, given: st.DataObject
) -> None:
    training, test = parts
    wanted = given.draw(st.none() | st.integers(1, len(training)))
    run = run_on(training, test, wanted)
    network = Classifier("small", FeatureNetwork(training.shape[0], number_of_classes(training)))
    with patch("counterfeit.measure.reference.classifier_for", lambda *_, **__: network):
        reference = reference_for(run, split)
    samples = torch.randint(0, 256, (40, *training.shape)).to(torch.uint8)
    for measured in (measure_images(samples, reference), measure_real(reference, 50)):
        names = [MetricName.parse(name) for name in measured.metrics]
        missing = [metric for each in measured.left_out for metric in each.metrics]
        if missing != ["all metrics"]:
            assert {name.metric for name in names}.isdisjoint(missing)
            assert {name.metric for name in names}.union(missing) >= set(EVERY_METRIC)
        assert all(math.isfinite(found.value) for found in measured.metrics.values())
        shares = {name.of_class for name in names if name.of_class is not None}
        assert not shares or shares == set(training.labels.tolist())


ODD_SETS = {
    "two odd labels": (300, [3, 7]),
    "one class": (300, [5]),
    "few validation images": (90, [0, 1, 2]),
}


@pytest.mark.parametrize("odd", ODD_SETS)
def test_training_is_evaluated_on_odd_sets_too(
    odd: str, tiny: recipe.Recipe, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, values = ODD_SETS[odd]
    digits = data.load("digits", "train")
    labels = torch.tensor(values)[torch.arange(count) % len(values)]
    training = data.ImageData("digits", "train", digits.images[:count], labels, (), count // 6)
    test = data.ImageData("digits", "test", digits.images[-200:], labels[:200])
    monkeypatch.setattr("counterfeit.data.loading._load", in_parts(test, training))
    spec = tiny.with_values({"training.batch_size": 30})
    run = loop.train(spec, out=tmp_path, on_epoch=[Evaluator(1, samples=50)])
    assert [row["epoch"] for row in run.metrics] == [1, 2]
    names = [MetricName.parse(name) for name in run.metrics[-1]["metrics"]]
    counted = [name.of_class for name in names if name.of_class is not None]
    assert counted == (values if len(values) > 1 else [])
    assert any(name.metric == "parzen" for name in names) == (len(values) < 2)


def test_an_evaluation_that_is_impossible_is_refused_before_training_and_ends_none(
    trained: Run, tmp_path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    few = replace(data.load("digits", "train").first(100), labels=None, held_out=1)
    monkeypatch.setattr("counterfeit.data.loading._load", in_parts(few, few))
    with pytest.raises(counterfeit.CounterfeitError, match="nothing can be measured"):
        counterfeit.train(trained.recipe, evaluate_every=1, out=tmp_path)
    spec = trained.recipe.with_overrides(["data.train_images=100", "training.epochs=2"])
    run = loop.train(spec, out=tmp_path, on_epoch=[Evaluator(1)])
    assert run.log[-1]["epoch"] == 2
    assert run.metrics == []
    (said,) = [text for text in caplog.messages if "without evaluations" in text]
    assert "nothing can be measured" in said


def test_an_evaluation_that_a_kill_prevented_is_made_up_for(trained: Run, tmp_path) -> None:
    class Killed(Exception):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        loop.train(trained.recipe, out=tmp_path, on_epoch=[kill])
    (path,) = tmp_path.iterdir()
    for _ in range(2):
        run = loop.resume(path, on_epoch=[Evaluator(1, samples=50)])
        assert [row["epoch"] for row in run.metrics] == [1, 2, 3, 4]
