"""SVHN's Matlab files, whole, damaged, and of something else."""

import io
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from counterfeit import data, environment
from counterfeit.errors import CounterfeitError
from miniatures import svhn


def test_a_folder_of_svhn_s_files_is_read_where_it_lies(tmp_path: Path) -> None:
    made = svhn()
    made.write(tmp_path)
    test = data.load(tmp_path, "test")
    assert np.array_equal(test.images.numpy(), made.images["test"])
    assert test.labels is not None
    assert test.labels.tolist() == made.labels["test"].tolist()
    (tmp_path / "train_32x32.mat").unlink()
    with pytest.raises(CounterfeitError, match=r"holds no train_32x32\.mat; add it\.$"):
        data.load(tmp_path, "train")


def matlab(**variables: object) -> bytes:
    file = io.BytesIO()
    savemat(file, variables)
    return file.getvalue()


X, Y = np.zeros((32, 32, 3, 4), np.uint8), np.ones((4, 1), np.uint8)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no file of SVHN's"),
        (b"no Matlab file" * 50, "no file of SVHN's"),
        (svhn().files["test_32x32.mat"][:-50], "no file of SVHN's"),
        (matlab(X=X), "'y'"),
        (matlab(y=Y), "'X'"),
        (matlab(X=X.astype(float), y=Y), r"X is not \(H, W, 3, N\), of bytes"),
        (matlab(X=X[:, :, :1], y=Y), r"X is not \(H, W, 3, N\)"),
        (matlab(X="a word", y=Y), "X is not"),
        (matlab(X={"a": 1}, y=Y), "X is not"),
        (matlab(X=X, y=Y[:3]), "not a label for each image"),
        (matlab(X=X[..., :0], y=Y[:0]), "not a label for each image|X is not"),
        (matlab(X=X, y=0 * Y), "whole numbers from 1 to 10"),
        (matlab(X=X, y=11 * Y), "whole numbers from 1 to 10"),
        (matlab(X=X, y=Y + 0.5), "whole numbers from 1 to 10"),
    ],
)
def test_something_else_is_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "test_32x32.mat").write_bytes(content)
    with pytest.raises(
        CounterfeitError, match=rf"test_32x32\.mat .*{says}.*replace it\.$"
    ) as caught:
        data.load(tmp_path, "test")
    assert len(str(caught.value).splitlines()) == 1


def test_more_than_this_machine_can_hold_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    svhn().write(tmp_path)
    monkeypatch.setattr(environment, "memory_bytes", lambda: 100)
    with pytest.raises(CounterfeitError, match=r"the images of .*test_32x32\.mat need"):
        data.load(tmp_path, "test")
