"""D as a critic, what is added to its loss, and codes and augmentation: on series of known answer,
each near its limits."""

from typing import Any

import pytest
from example_record import SCORES, names, record

from counterfeit import recipe
from counterfeit.insight.detectors import examine


def found(log: dict[str, Any], signs: dict[str, Any] | None = None, base: str = "wgan-gp") -> set:
    return names(record(log=log, signs=signs, spec=recipe.load(base)))


FAR = {"distance": [1.1] * 10}


def test_a_critic_that_is_caught_up_with_is_no_finding() -> None:
    falling = [2.0, 1.5, 1.0, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02]
    assert not found(SCORES | {"score_gap": falling, "penalty_gradient": 0.1})


@pytest.mark.parametrize(
    ("base", "d_loss", "won"),
    [
        ("lsgan", 0.005, True),
        ("lsgan", 0.01, False),
        ("hinge-sn", 0.05, True),
        ("hinge-sn", 0.2, False),
        ("ragan", 0.02, True),
        ("wgan-gp", -50.0, False),  # such a critic has no least loss
    ],
)
def test_who_wins_is_seen_by_the_loss_that_is_fair(base: str, d_loss: float, won: bool) -> None:
    log = SCORES | {"d_loss": d_loss, "score_real_q05": 2.0, "score_fake_q95": 0.1}
    assert ("critic-overpowering" in found(log, base=base)) == won
    overlapping = log | {"score_fake_q95": 2.1}
    assert "critic-overpowering" not in found(overlapping, base=base)


def test_a_critic_is_pushed_harder() -> None:
    assert "gradient-explosion" not in found(SCORES | {"d_grad_norm": 300.0})
    assert "gradient-explosion" in found(SCORES | {"d_grad_norm": 3000.0})
    assert "gradient-explosion" in found({"d_grad_norm": 300.0}, base="paper")


def test_a_blind_critic_is_told_by_no_unit() -> None:
    blind = {name: 1e-6 * value for name, value in SCORES.items()} | {"score_gap": 1e-7}
    for log in (blind, SCORES | {"score_gap": -5.0}):  # fakes above real images
        assert "blind-critic" in found(log, FAR)
        assert "blind-critic" not in found(log)  # the images get near
    assert "blind-critic" not in found(SCORES, FAR)


def test_scores_may_be_as_far_apart_as_images() -> None:
    wide = SCORES | {"score_fake_q05": -18.0}  # 19 wide, and fakes' count as well
    for base, explodes in (("wgan-gp", True), ("wgan", False)):  # sigmoid, and tanh of twice that
        said = found(wide, {"real_distance": 5.0}, base)
        assert ("exploding-critic" in said) == explodes
    assert "exploding-critic" in found(SCORES | {"score_gap": None}, {"real_distance": 50.0})


def test_a_gap_that_fell_and_stays_is_no_stall() -> None:
    settled = {"distance": [0.9, 0.5, 0.3] + [0.2] * 7}
    fallen = SCORES | {"score_gap": [2.0, 1.5] + [0.5] * 8}
    assert "stalled-critic" not in found(fallen, settled)
    assert "stalled-critic" in found(SCORES, settled)
    near = {"distance": [0.9, 0.2, 0.01] + [0.005] * 7}
    assert "stalled-critic" not in found(SCORES, near)  # where scores part without images that do
    assert "stalled-critic" not in found(SCORES)  # the images get nearer


def test_a_critic_is_not_blamed_for_what_keeps_g_back() -> None:
    no_gradient = SCORES | {"g_grad_norm": 0.0}
    settled = {"distance": [0.9, 0.5, 0.3] + [0.2] * 7}
    assert {"flat-critic"} == found(no_gradient, settled) & {"flat-critic", "stalled-critic"}
    saturated = settled | {"extreme": 0.9, "real_extreme": 0.1}
    assert {"saturated-outputs"} == found(no_gradient, saturated) & {
        *("saturated-outputs", "flat-critic", "stalled-critic"),
    }


def test_a_critic_that_is_taught_the_reverse_is_not_blind() -> None:
    content = SCORES | {"score_gap": -5.0, "d_loss": -5.0}
    assert {"labels-swapped"} == found(content, FAR) & {"labels-swapped", "blind-critic"}
    poor = content | {"d_loss": 5.0}
    assert {"blind-critic"} == found(poor, FAR) & {"labels-swapped", "blind-critic"}


def test_penalties_are_looked_at_one_by_one() -> None:
    assert found({"penalty_r1": 0.0, "penalty_r2": 0.1}) == {"idle-penalty"}
    falling = [90.0] + [50.0] * 9
    assert found({"penalty_r1": 0.01, "penalty_r2": falling}) == {"heavy-penalty"}
    assert not found({"penalty_classes": 0.0})
    near = {"distance": [0.1] * 10}
    assert "heavy-penalty" not in found({"penalty_r1": falling}, near)
    # A D that hardly learns, as by a learning rate of next to nothing, leaves it as it was.
    assert "heavy-penalty" not in found({"penalty_r1": [50.0] + [49.0] * 9})


@pytest.mark.parametrize(("wrong", "ignored"), [(2.5, True), (1.5, False), (0.05, False)])
def test_codes_are_ignored_where_d_has_to_guess(wrong: float, ignored: bool) -> None:
    said = found({"penalty_codes": wrong}, base="infogan")
    assert ("ignored-codes" in said) == ignored


def test_codes_without_weight_are_ignored() -> None:
    spec = recipe.load("infogan").with_values({"latent.information": 0.0})
    (finding,) = examine(record(log={"penalty_codes": 0.0}, spec=spec))
    assert (finding.name, finding.evidence["guessed"]) == ("ignored-codes", 0.0)


def test_augmentation_may_be_strong() -> None:
    assert not found({"augmented": [0.1 * epoch for epoch in range(10)]})
    assert found({"augmented": [0.2 * epoch for epoch in range(8)] + [1.0, 1.0]}) == {
        "exhausted-augmentation"
    }


def test_a_critic_that_does_badly_by_its_own_loss_is_not_taught_the_opposite() -> None:
    reversed_ = SCORES | {"score_gap": -1.0}
    assert "labels-swapped" in found(reversed_ | {"d_loss": -1.0}, FAR)
    assert "labels-swapped" not in found(reversed_ | {"d_loss": 1.0}, FAR)
