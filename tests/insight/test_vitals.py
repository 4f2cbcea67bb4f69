"""Vital signs: pure measures on made images and networks, and a run's rows."""

import copy

import pytest
import torch
from torch import Tensor, nn

from counterfeit import networks
from counterfeit.insight import vitals as vital_signs
from counterfeit.insight.vitals import Gauge, above, examination_due, idle_units, vitals
from counterfeit.networks import Dropout
from counterfeit.run import Run


@pytest.fixture(scope="module")
def gauge(small_run: Run) -> Gauge:
    return Gauge(small_run)


def test_training_images_are_as_spread_and_as_near_as_they_should_be(gauge: Gauge) -> None:
    row = gauge.row(1, 1, gauge.training[1000:1100], gauge.training[1000:1100])
    assert row["spread"] == pytest.approx(1, abs=0.05)
    assert row["distance"] == pytest.approx(0, abs=0.05)
    assert row["extreme"] == pytest.approx(row["real_extreme"], abs=0.05)
    assert row["moved"] == 0
    assert row["data_repeated"] == 0


def test_one_image_has_no_spread_and_is_far(gauge: Gauge) -> None:
    row = gauge.row(1, 1, gauge.training[:1].expand(100, -1, -1, -1))
    assert row["spread"] == pytest.approx(0, abs=1e-3)
    assert row["repeated"] == 1
    assert row["distance"] > 0.5


def test_copies_are_near_and_unseen_images_are_not(gauge: Gauge) -> None:
    assert gauge.held_out is not None
    assert gauge._copied(gauge.training[:50])["copied"] == 0
    assert gauge._copied(gauge.held_out[-50:])["copied"] > 0.7


def test_a_statistic_that_never_moves_shows_as_a_gap(small_run: Run, gauge: Gauge) -> None:
    generator = small_run.generator()
    z = torch.randn(256, 8, generator=torch.Generator().manual_seed(0))
    before = {key: tensor.clone() for key, tensor in generator.state_dict().items()}
    small = gauge._of_generator(generator, z)["batchnorm_gap"]
    assert all(torch.equal(tensor, before[key]) for key, tensor in generator.state_dict().items())
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm1d):
            assert module.running_mean is not None
            module.running_mean += 3
    assert gauge._of_generator(generator, z)["batchnorm_gap"] > 2 * small


def gauge_of_batches(run: Run, size: int) -> Gauge:
    gauge = Gauge(run)
    gauge.recipe = run.recipe.with_values({"training.batch_size": size})
    return gauge


@pytest.mark.parametrize("size", [2, 3, 64])
def test_the_gap_is_from_the_statistics_as_they_are(small_run: Run, size: int) -> None:
    generator = small_run.generator()
    z = torch.randn(12, 8, generator=torch.Generator().manual_seed(0))
    gauge = gauge_of_batches(small_run, size)
    with torch.no_grad():
        gaps = [
            (copy.deepcopy(generator).train()(part) - generator(part)).flatten(1).norm(dim=1)
            for part in z.split(size)
        ]
    expected = torch.cat(gaps).mean().item() / gauge.scale
    assert gauge._of_generator(generator, z)["batchnorm_gap"] == pytest.approx(expected)


class Noisy(nn.Module):
    """Draws from torch's global generator, as networks may that are not ours."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.01 * torch.randn_like(x)


@pytest.mark.parametrize("size", [2, 3, 64])
def test_looking_changes_nothing(small_run: Run, size: int) -> None:
    generator, discriminator = small_run.generator().train(), small_run.discriminator().train()
    generator.hidden.append(Noisy())
    generator.hidden[1].eval()  # a frozen BatchNorm
    images = torch.from_numpy(small_run.snapshot(3).copy())

    def state() -> list[object]:
        return [
            *(network.state_dict()[key].tolist() for network in (generator, discriminator)
              for key in network.state_dict()),
            *(module.training for network in (generator, discriminator)
              for module in network.modules()),
            *(layer.rng.get_state().tolist() for layer in discriminator.modules()
              if isinstance(layer, Dropout)),
            torch.random.get_rng_state().tolist(),
            images.tolist(),
        ]  # fmt: skip

    before = state()
    gauge = gauge_of_batches(small_run, size)
    row = gauge.row(33, 3, images, images, (generator, discriminator))
    assert {"batchnorm_gap", "d_knows", "copied"} <= set(row)
    assert state() == before
    kept = vital_signs.take(gauge, small_run, 3, generator, full=True)
    assert state() == before
    assert kept["batchnorm_gap"] == pytest.approx(row["batchnorm_gap"], abs=0.1)


def test_idle_units_are_counted_in_the_worst_layer() -> None:
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    with torch.no_grad():
        first.bias.fill_(10)
        second.bias.copy_(torch.tensor([-1000.0, 1000.0]))
    hidden = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
    assert idle_units(hidden, torch.rand(8, 3), "g") == {"g_dead": 0.5}
    maxout = networks.Maxout(3, 2, pieces=4)
    with torch.no_grad():
        maxout.linear.bias[:2] += 1000  # the first piece of both units
    assert idle_units(nn.Sequential(maxout), torch.rand(8, 3), "d") == {"d_idle_pieces": 0.75}


def test_repeated_and_flat_images_are_counted() -> None:
    images = torch.arange(16, dtype=torch.uint8).view(4, 1, 2, 2)
    assert vital_signs.repeated_or_flat(images) == 0
    images[1] = images[0]
    images[2] = 7
    assert vital_signs.repeated_or_flat(images) == 0.5


def test_above_is_a_probability() -> None:
    assert above(torch.tensor([2.0, 3.0]), torch.tensor([1.0])) == 1
    assert above(torch.tensor([1.0]), torch.tensor([1.0])) == 0.5


def test_examinations_keep_their_distance() -> None:
    assert all(examination_due(epoch, 60_000) for epoch in range(1, 10))
    assert [epoch for epoch in range(1, 21) if examination_due(epoch, 6_000)] == [7, 14, 20]


def test_rows_of_a_run_that_kept_none(small_run: Run) -> None:
    rows = vitals(small_run)
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3]
    assert "d_knows" not in rows[0]
    assert "d_knows" in rows[3]
