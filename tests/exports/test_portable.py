"""A run's networks in plain PyTorch and in ONNX answer as the run's own do."""

import pytest
import torch
from small_runs import KINDS, trained

from counterfeit.errors import CounterfeitError
from counterfeit.exports import portable, to_onnx
from counterfeit.exports.portable import CHECKED, JUDGED


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_networks(kind: str, tmp_path) -> None:
    run = trained(kind, tmp_path)
    generator, discriminator = portable(run), portable(run, "discriminator")
    with torch.inference_mode():
        images = generator.network(*generator.inputs)
        logits = discriminator.network(*discriminator.inputs)
    assert images.shape == (CHECKED, *run.image_shape)
    assert 0 <= images.min() < images.max() <= 1
    assert logits.shape == (JUDGED,)
    assert logits.std() > 0
    for each in (generator, discriminator):
        assert to_onnx(each)  # which compares it
    modules = {
        type(layer) for each in (generator, discriminator) for layer in each.network.modules()
    }
    assert {each.__module__.removeprefix("counterfeit.").split(".")[0] for each in modules} <= {
        "torch",
        "exports",
    }
    sampled = run.sample(CHECKED)
    assert ((images * 255).round().byte().int() - sampled.int()).abs().max() <= 1


@pytest.mark.parametrize(
    "kind", ["resnet of patches", "dcgan, class norm and planes", "mlp, concat"]
)
def test_images_in_colour_whose_sides_differ(kind: str, tmp_path) -> None:
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(256, (90, 3, 16, 24), generator=rng, dtype=torch.uint8)
    run = trained(kind, tmp_path, data=(images, torch.arange(90) % 3))
    for player in ("generator", "discriminator"):
        assert to_onnx(portable(run, player))  # which compares it
    assert portable(run).answers.shape[1:] == (3, 16, 24)


def test_dropout_in_samples_cannot_be_taken_away(tmp_path) -> None:
    run = trained("dcgan that drops units in samples", tmp_path)
    with pytest.raises(CounterfeitError, match="sampling_dropout"):
        portable(run)
    assert portable(run, "discriminator").player == "discriminator"
