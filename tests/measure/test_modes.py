import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.measure.classifier import Classifier
from counterfeit.measure.modes import inception_score, mode_coverage


def sure_of(*counts: int) -> Tensor:
    """Probabilities of samples, so many of each class, without doubt."""
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    return one_hot(labels, len(counts)).double()


EVEN = torch.arange(4).repeat(25)


def test_the_datas_own_distribution() -> None:
    found = mode_coverage(sure_of(25, 25, 25, 25), EVEN)
    assert found["classes_found"].value == 4
    assert found["class_tv"].value == pytest.approx(0)
    assert found["class_kl"].value == pytest.approx(0)
    assert found["unsure"].value == 0
    assert found["share_2"].value == 0.25


def test_half_of_the_classes_by_hand() -> None:
    found = mode_coverage(sure_of(60, 40, 0, 0), EVEN)
    assert found["classes_found"].value == 2
    assert found["class_tv"].value == pytest.approx((0.35 + 0.15 + 0.25 + 0.25) / 2)
    assert found["class_kl"].value == pytest.approx(0.6 * math.log(2.4) + 0.4 * math.log(1.6))
    assert found["share_0"].spread == pytest.approx((0.6 * 0.4 / 99) ** 0.5)


def test_labels_may_be_any_numbers() -> None:
    found = mode_coverage(sure_of(75, 25), torch.tensor([7, 3, 3, 3]))
    assert found["share_3"].value == 0.75
    assert found["share_7"].value == 0.25
    assert found["class_tv"].value == pytest.approx(0)


def test_one_class_only() -> None:
    found = mode_coverage(sure_of(0, 0, 100, 0), EVEN)
    assert found["classes_found"].value == 1
    assert found["class_tv"].value == pytest.approx(0.75)
    assert found["class_kl"].value == pytest.approx(math.log(4))
    assert found["class_kl"].spread == pytest.approx(0)


def test_a_class_below_a_tenth_of_its_share_is_not_found() -> None:
    assert mode_coverage(sure_of(330, 330, 330, 10), EVEN)["classes_found"].value == 3
    assert mode_coverage(sure_of(320, 320, 320, 40), EVEN)["classes_found"].value == 4


def test_doubtful_samples_are_unsure_and_find_no_class() -> None:
    doubtful = torch.full((100, 4), 0.05)
    doubtful[:, 1] = 0.85
    found = mode_coverage(torch.cat([sure_of(100, 0, 0, 0), doubtful.double()]), EVEN)
    assert found["unsure"].value == 0.5
    assert found["share_1"].value == 0.5
    assert found["classes_found"].value == 1


def test_inception_score_of_known_distributions() -> None:
    assert inception_score(sure_of(25, 25, 25, 25)).value == pytest.approx(4)
    assert inception_score(sure_of(100, 0, 0, 0)).value == pytest.approx(1)
    assert inception_score(torch.full((100, 4), 0.25)).value == pytest.approx(1)
    entropy = -(0.6 * math.log(0.6) + 0.4 * math.log(0.4))
    assert inception_score(sure_of(60, 40, 0, 0)).value == pytest.approx(math.exp(entropy))


def test_inception_score_agrees_with_torch_fidelity() -> None:
    reference = pytest.importorskip("torch_fidelity.metric_isc")
    logits = 3 * torch.randn(500, 10, generator=torch.Generator().manual_seed(0))
    expected = reference.isc_features_to_metric(logits, splits=1, shuffle=False, rng_seed=0)
    found = inception_score(logits.double().softmax(1))
    assert found.value == pytest.approx(expected["inception_score_mean"], rel=1e-3)


@pytest.mark.parametrize("name", ["classes_found", "class_tv", "class_kl", "unsure", "share_0"])
def test_independent_of_order(
    name: str, training: tuple[Tensor, Tensor], mnist_classifier: Classifier
) -> None:
    p = mnist_classifier.read(training[0][:200]).probabilities
    before, after = (mode_coverage(q, training[1])[name].value for q in (p, p.flip(0)))
    assert after == pytest.approx(before)
    assert inception_score(p.flip(0)).value == pytest.approx(inception_score(p).value)


def test_the_spread_is_what_repeated_sampling_shows() -> None:
    rng = torch.Generator().manual_seed(0)
    p = torch.tensor([0.4, 0.3, 0.2, 0.1])
    draws = [one_hot(p.multinomial(500, True, generator=rng), 4).double() for _ in range(40)]
    for metric in (
        lambda q: mode_coverage(q, EVEN)["class_tv"],
        lambda q: mode_coverage(q, EVEN)["class_kl"],
        inception_score,
    ):
        found = [metric(q) for q in draws]
        observed = np.std([f.value for f in found], ddof=1)
        assert np.mean([f.spread for f in found]) == pytest.approx(observed, rel=0.4)


def test_bad_input_is_a_clear_error() -> None:
    good = sure_of(25, 25, 25, 25)
    with pytest.raises(CounterfeitError, match="probabilities hold NaN"):
        mode_coverage(good * math.nan, EVEN)
    with pytest.raises(CounterfeitError, match="probabilities hold NaN"):
        inception_score(good * math.nan)
    with pytest.raises(UsageError, match="39 samples"):
        inception_score(good[:39])
    with pytest.raises(UsageError, match=r"4 classes apart, and the data's labels are \[0, 2\]"):
        mode_coverage(good, torch.tensor([0, 2]))
    with pytest.raises(UsageError, match="4 classes apart"):
        mode_coverage(good, torch.arange(5))
