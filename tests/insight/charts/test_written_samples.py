import numpy as np
import pytest
import torch
from example_log import random_images
from PIL import Image

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.insight.charts import write_samples


def test_samples_are_written_as_a_grid_or_an_array(tmp_path) -> None:
    images = torch.from_numpy(random_images(12, 1, 8))
    write_samples(images, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["images"], images.numpy())
        assert archive["images"].dtype == np.uint8
    write_samples(images, tmp_path / "x.png")
    assert Image.open(tmp_path / "x.png").size == (800, 160)
    with pytest.raises(UsageError, match=r"\.png or \.npz"):
        write_samples(images, tmp_path / "x.jpg")
    with pytest.raises(CounterfeitError, match="cannot write"):
        write_samples(images, tmp_path / "missing" / "x.png")
