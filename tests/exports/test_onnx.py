"""Networks as ONNX."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from small_runs import trained

from counterfeit import recipe
from counterfeit.exports import portable, to_onnx


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A conditional run, both of whose players are told classes."""
    return trained("dcgan, class norm and planes", tmp_path_factory.mktemp("runs"))


def test_any_number_of_latents_becomes_images_in_unit_range(told) -> None:
    ready = portable(told)
    session = onnxruntime.InferenceSession(to_onnx(ready))
    names = [each.name for each in session.get_inputs()]
    assert names == ["latents", "labels"]
    latents, labels = (each.numpy() for each in ready.inputs)
    for count in (1, 7, 1000):
        (images,) = session.run(None, {"latents": latents[:count], "labels": labels[:count]})
        assert np.abs(images - ready.answers[:count].numpy()).max() <= 1e-5
        assert images.shape == (count, 1, 8, 8)


def test_what_the_generator_makes_goes_into_the_discriminator(told) -> None:
    judge = portable(told, "discriminator")
    session = onnxruntime.InferenceSession(to_onnx(judge))
    images = portable(told).answers.numpy()[:5]
    (logits,) = session.run(None, {"images": images, "labels": judge.inputs[1].numpy()[:5]})
    assert logits.shape == (5,)
    assert logits.dtype == np.float32


def test_metadata_say_what_it_is(told) -> None:
    model = onnx.load_from_string(to_onnx(portable(told)))
    facts = {each.key: each.value for each in model.metadata_props}
    assert facts["run"] == told.path.name
    assert recipe.parse(recipe.read_toml(facts["recipe_toml"], ""), "") == told.recipe
    assert json.loads(facts["value_range"]) == [0, 1]
    assert json.loads(facts["classes"]) == list(map(str, range(10)))
    assert json.loads(facts["latent"])["dim"] == 100
