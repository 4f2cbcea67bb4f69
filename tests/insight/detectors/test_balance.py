from example_record import BROKEN, record

from counterfeit import recipe
from counterfeit.insight.detectors import examine


def test_the_minimax_loss_is_named_as_the_reason() -> None:
    spec = recipe.load("sgd").with_overrides(["loss.name=minimax"])
    (finding,) = examine(record(log=BROKEN["discriminator-overpowering"][0], spec=spec))
    assert "log(1 - D(G(z)))" in finding.meaning
    assert "non-saturating" in finding.advice
