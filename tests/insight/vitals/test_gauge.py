import copy

import pytest
import torch
from torch import Tensor, nn

from counterfeit.insight.vitals import Gauge, take
from counterfeit.measure.reference import subset
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


def test_other_real_images_are_many_and_like_real_ones(gauge: Gauge) -> None:
    assert gauge.held_out is not None
    row = gauge.row(1, 1, subset(gauge.held_out, 100))
    assert row["real_support"] == pytest.approx(1000, rel=0.01)
    assert row["support"] > row["real_support"] / 5
    assert row["unlike"] == pytest.approx(row["real_unlike"], abs=0.05)
    few = gauge.row(1, 1, 255 - gauge.training[:4].repeat(25, 1, 1, 1))
    assert few["support"] == pytest.approx(99 / 24)
    assert few["unlike"] == 1


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


class Convolutional(nn.Module):
    """A generator of one transposed convolution: no hidden layers, BatchNorm of images."""

    def __init__(self, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = image_shape
        self.up = nn.ConvTranspose2d(8, channels, (height, width))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.norm(self.up(z[..., None, None])))


class Judge(nn.Module):
    def __init__(self, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.down = nn.Conv2d(image_shape[0], 1, image_shape[1:])

    def forward(self, images: Tensor) -> Tensor:
        return self.down(images).flatten()


def test_networks_of_any_kind_are_examined_as_far_as_that_goes(
    small_run: Run, gauge: Gauge
) -> None:
    players = Convolutional(small_run.image_shape), Judge(small_run.image_shape)
    row = gauge.row(1, 1, gauge.training[:100], players=players, copies=False)
    assert {"batchnorm_gap", "d_training", "d_knows"} <= row.keys()
    assert not {"g_dead", "d_dead", "d_idle_pieces"} & row.keys()


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
    kept = take(gauge, small_run, 3, generator, full=True)
    assert state() == before
    assert kept["batchnorm_gap"] == pytest.approx(row["batchnorm_gap"], abs=0.1)
