"""A user's module in the shapes of ours, whatever shapes it has itself."""

from copy import deepcopy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from counterfeit.errors import UsageError
from counterfeit.networks import OwnDiscriminator, OwnGenerator
from counterfeit.networks.own import adapted, as_images, as_logits, normalises, section_of

sides = st.integers(1, 5)


@given(st.integers(1, 4), st.sampled_from([1, 3]), sides, sides, st.randoms())
def test_images_of_all_forms_are_the_same_images(count, channels, height, width, random) -> None:
    images = torch.rand(count, channels, height, width)
    forms = [images, images.flatten(1)] + ([images[:, 0]] if channels == 1 else [])
    for form in forms:
        assert torch.equal(as_images(form, count, (channels, height, width)), images)


@given(st.integers(1, 4), st.lists(st.integers(1, 4), max_size=4))
def test_answers_of_one_number_an_image_are_logits_and_no_others(count: int, rest: list) -> None:
    output = torch.rand(count, *rest)
    if rest in ([], [1], [1, 1, 1]):
        assert torch.equal(as_logits(output, count), output.flatten())
    else:
        with pytest.raises(UsageError, match="one number for each"):
            as_logits(output, count)


@given(st.integers(1, 4), st.lists(st.integers(1, 5), max_size=4))
def test_other_images_are_refused_with_both_sizes(count: int, rest: list[int]) -> None:
    if rest in ([3, 4, 5], [60]):
        return
    with pytest.raises(
        UsageError, match=rf"\({count}, 3, 4, 5\) of {count} latents, not \({count}"
    ):
        as_images(torch.rand(count, *rest), count, (3, 4, 5))


def generator(module: nn.Module, conditional: bool = False):
    return adapted("generator", module, latents=6, shape=(1, 4, 4), conditional=conditional)


def test_latents_with_two_more_axes_are_given_where_a_module_takes_no_others() -> None:
    convolutional = nn.ConvTranspose2d(6, 1, 4)
    own = generator(convolutional)
    assert isinstance(own, OwnGenerator)
    assert own.takes == (6, 1, 1)
    assert own(torch.rand(5, 6)).shape == (5, 1, 4, 4)
    assert generator(nn.Linear(6, 16)).takes == (6,)


def test_flat_images_are_given_where_a_module_takes_no_others() -> None:
    own = adapted("discriminator", nn.Linear(16, 1), latents=6, shape=(1, 4, 4), conditional=False)
    assert isinstance(own, OwnDiscriminator)
    assert own(torch.rand(5, 1, 4, 4)).shape == (5,)


def test_trying_a_module_changes_nothing_of_it() -> None:
    module = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Dropout())
    before, state = deepcopy(module.state_dict()), torch.get_rng_state()
    generator(module)
    assert all(torch.equal(before[name], each) for name, each in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert module.training


def test_what_a_module_raises_is_said_and_kept() -> None:
    with pytest.raises(UsageError, match=r"on latents \(2, 6\): RuntimeError: mat1") as caught:
        generator(nn.Linear(7, 16))
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (nn.Linear, "hand over an instance"),
        (lambda z: z, "must be a module"),
        (nn.LazyLinear(16), "has no shape yet"),
        (nn.Linear(6, 16, device="meta"), "meta device"),
        (nn.Linear(6, 16).double(), r"float64, .*\.float\(\)"),
        (nn.Linear(6, 16, dtype=torch.complex64), "no real tensor"),
    ],
)
def test_what_cannot_be_kept_is_refused(module, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        generator(module)
    broken = nn.Linear(6, 16)
    broken.weight.data[0] = float("nan")
    with pytest.raises(UsageError, match="weight holds NaN"):
        generator(broken)
    masked = nn.Linear(6, 16)
    masked.register_buffer("mask", torch.tensor(float("-inf")), persistent=False)
    generator(masked)


def test_a_compiled_module_is_called_as_such_and_saved_as_itself() -> None:
    module = nn.Linear(6, 16)
    own = generator(torch.compile(module, backend="eager"))
    assert own.state_dict().keys() == {"weight", "bias"}
    assert section_of(own._called[0])["label"] == "Linear"
    twin = deepcopy(own)
    assert twin._called == (twin.inner,)
    assert torch.equal(twin(torch.ones(2, 6)), own(torch.ones(2, 6)))


def test_what_a_module_keeps_of_a_look_can_be_trained_with() -> None:
    """Inference mode's tensors could not."""

    class Keeps(nn.Linear):
        scale = None

        def forward(self, z):
            self.scale = self.weight.new_ones(()) if self.scale is None else self.scale
            return super().forward(z) * self.scale

    own = generator(Keeps(6, 16))
    with torch.inference_mode():
        own(torch.rand(2, 6))
    own(torch.rand(2, 6)).sum().backward()


@pytest.mark.parametrize(
    "layer",
    [
        nn.BatchNorm2d(2),
        nn.LazyBatchNorm2d(),
        nn.InstanceNorm2d(2),
        nn.LayerNorm(2),
        nn.GroupNorm(1, 2),
        nn.RMSNorm(2),
        nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2)),
        nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)),
        nn.utils.spectral_norm(nn.Conv2d(2, 2, 1)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_whatever_brings_layers_to_one_scale_is_seen(layer: nn.Module) -> None:
    assert normalises(nn.Sequential(nn.Linear(2, 2), nn.Sequential(layer)))


def test_layers_that_normalise_nothing_are_not_taken_for_it() -> None:
    parametrized = nn.Linear(2, 2)
    nn.utils.parametrize.register_parametrization(parametrized, "weight", nn.Identity())
    for layer in (nn.Conv2d(2, 2, 1), nn.Dropout(), nn.LeakyReLU(), parametrized):
        assert not normalises(nn.Sequential(layer))
