"""Measuring runs: what they are compared with, and the rows that are kept."""

import pytest

import counterfeit
from counterfeit import data, recipe
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.evaluate import Evaluator, evaluate, measure_real
from counterfeit.measure.reference import real_images, reference_for
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run
from counterfeit.run.rows import Measurement


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
    return counterfeit.train(spec, out=tmp_path_factory.mktemp("runs"))


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
    run = counterfeit.train(spec, out=tmp_path)
    assert reference_for(run, "validation").training is None
    assert reference_for(run, "test").training is not None


def test_an_evaluation_is_kept_with_its_protocol_in_the_names(trained: Run) -> None:
    measured = evaluate(trained, samples=300)
    row = trained.metrics[-1]
    assert row["step"] == trained.checkpoint().step
    assert row["epoch"] == 4
    assert row["metrics"] == measured
    assert "parzen_test_300" in measured
    assert "d_accuracy_held_out_test_300" in measured
    assert any(name.startswith("fid_digits-v") and name.endswith("_300") for name in measured)


def test_training_evaluates_on_validation_images_only(trained: Run, tmp_path) -> None:
    run = counterfeit.train(trained.recipe, out=tmp_path, on_epoch=[Evaluator(2, samples=100)])
    assert [row["epoch"] for row in run.metrics] == [2, 4]
    names = [name for row in run.metrics for name in row["metrics"]]
    assert any("validation" in name for name in names)
    assert not any("test" in name for name in names)
    of_samples = {name for name in run.metrics[-1]["metrics"] if not name.startswith("d_accuracy_")}
    assert set(run.real_scores) == of_samples


def test_too_few_real_images_leave_no_ceiling(trained: Run, tmp_path) -> None:
    spec = trained.recipe.with_overrides(["training.epochs=1"])
    run = counterfeit.train(spec, out=tmp_path, on_epoch=[Evaluator(1, samples=1300)])
    assert run.metrics
    assert run.real_scores == {}


def test_what_real_images_score_is_kept_beside_other_protocols(trained: Run, tmp_path) -> None:
    run = Run.create(tmp_path, trained.recipe, trained.environment)
    run.add_real_scores({"other": Measurement(1.0, None)})
    measured = measure_real(run, reference_for(run), samples=100)
    assert run.real_scores == {"other": Measurement(1.0, None)} | measured
    (run.path / "real_images.json").write_text("[1]")
    with pytest.raises(counterfeit.CounterfeitError, match="remove it"):
        run.real_scores  # noqa: B018


def test_measuring_changes_no_training_number(trained: Run, tmp_path) -> None:
    run = counterfeit.train(trained.recipe, out=tmp_path, on_epoch=[Evaluator(1, samples=50)])
    one, other = run.checkpoint().tensors, trained.checkpoint().tensors
    assert all((one[name] == other[name]).all() for name in other)


def test_real_images_hold_no_validation_image(trained: Run) -> None:
    validation = {image.numpy().tobytes() for image in reference_for(trained).validation}
    real = real_images(trained, 1000)
    assert len(real) == 1000
    assert not any(image.numpy().tobytes() in validation for image in real)
    with pytest.raises(counterfeit.CounterfeitError, match="only"):
        real_images(trained, 5000)


def test_an_evaluation_that_a_kill_prevented_is_made_up_for(trained: Run, tmp_path) -> None:
    class Killed(Exception):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        counterfeit.train(trained.recipe, out=tmp_path, on_epoch=[kill])
    (path,) = tmp_path.iterdir()
    for _ in range(2):
        run = counterfeit.resume(path, on_epoch=[Evaluator(1, samples=50)])
        assert [row["epoch"] for row in run.metrics] == [1, 2, 3, 4]
