"""Cases of fuzz.py: the user's own images in archives, in files of arrays, and in Python."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save

from counterfeit import cli, data
from counterfeit.data.given import take
from counterfeit.recipe.sections import Data
from fuzz_bytes import JUNK, bomb, put, spoiled

Case = tuple[Callable[[], object], str]

NAMES = (
    *("images", "labels", "x_train", "y_train", "x_test", "y_test", "train_images", "val_images"),
    *("test_labels", "arr_0", "arr_1", "a", "", "x/y", "데이터", "weights.0"),
)
TYPES = (
    *("u1", "u1", "u1", "i1", "<u2", ">i2", "<i4", "<i8", "<u8", "f2", "<f4", ">f8", "?"),
    *("c8", "U3", "S2", "V4", "M8[s]"),
)


def archive(world: object, rng: Random, folder: Path) -> Case:
    """A zip or a tar of pictures, some of its members odd, then perhaps spoiled as a whole."""
    kind = rng.choice(["zip", "zip", "tar", "tar.gz", "tar.xz", "tar.bz2"])
    path = folder / f"set.{kind}"
    members = [
        (rng.choice(PLACES).format(number), member(rng)) for number in range(rng.randrange(12))
    ]
    if rng.random() < 0.2:
        labels: Any = rng.choice([None, [[name, 1] for name, _ in members], 3, [["a"]], {}])
        members.append(("dataset.json", json.dumps({"labels": labels}).encode()))
    if kind == "zip":
        with zipfile.ZipFile(path, "w", rng.choice([0, zipfile.ZIP_DEFLATED])) as packed:
            for name, content in members:
                packed.writestr(name, content)
    else:
        how: Any = f"w:{kind.removeprefix('tar').removeprefix('.')}"
        with tarfile.open(path, how) as tar:
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                if rng.random() < 0.1:
                    info.type = rng.choice([tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
                    info.linkname, info.size, content = "/etc/passwd", 0, b""
                tar.addfile(info, io.BytesIO(content))
    told = "sound"
    match rng.randrange(6):
        case 0 | 1:
            told = put(path, rng)
        case 2:  # numbers in headers
            spoilt = bytearray(path.read_bytes())
            at = rng.randrange(max(1, len(spoilt) - 4))
            spoilt[at : at + 4] = struct.pack("<I", rng.choice([0, 1, 2**31, 2**32 - 1]))
            path.write_bytes(spoilt)
            told = "a number"
        case 3 if kind == "tar.gz":
            header = tarfile.TarInfo("x")
            header.type, header.size = rng.choice([b"x", b"g", b"L", b"K", b"0"]), 2**36
            path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(5000)))
            told = "a header of 64 GiB"
    return tried_on(path, rng, folder), f"{kind} of {len(members)}, {told}"


PLACES = (
    *("{}.png", "cat/{}.png", "dog/{}.png", "train/cat/{}.png", "test/cat/{}.png", "val/{}.jpg"),
    *(
        "../{}.png",
        "/tmp/{}.png",
        "a\\..\\{}.png",
        "./{}.tif",
        "{}.txt",
        "{}.eps",
        "x" * 90 + "/{}.png",
    ),
)


def member(rng: Random) -> bytes:
    """A picture of whatever format and mode, perhaps spoiled."""
    mode, form = rng.choice(MODES)
    buffer = io.BytesIO()
    Image.new(mode, (rng.randrange(1, 20), rng.randrange(1, 20)), 1).save(buffer, form)
    content = buffer.getvalue()
    match rng.randrange(12):
        case 0:
            return spoiled(content, rng)
        case 1:
            return rng.choice(JUNK)
    return content


MODES = (
    *(("L", "PNG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("1", "PNG"), ("I;16", "PNG"), ("P", "PNG")),
    *(("RGB", "JPEG"), ("CMYK", "JPEG"), ("RGB", "TIFF"), ("F", "TIFF"), ("RGB", "WEBP")),
    *(("L", "PPM"), ("RGB", "TGA"), ("RGB", "EPS"), ("RGB", "GIF")),
)


def an_array(rng: Random) -> np.ndarray:
    """Of whatever type and shape, more often images than not."""
    count = rng.choice([0, 1, 2, 7, 30, 30, 30, 30])
    shapes = [(count, 8, 8), (count, 8, 8, 3), (count, 3, 8, 8), (count, 64), (count, 8, 8, 1)]
    shape = rng.choice(shapes)
    if rng.random() < 0.1:
        shape = tuple(rng.choice([0, 1, 2, 3, 4, 9]) for _ in range(rng.randrange(1, 6)))
    dtype = np.dtype(rng.choice(TYPES if rng.random() < 0.4 else ("u1", "f4")))
    if dtype.kind in "cUSVM":
        return np.zeros(shape, dtype)
    high = rng.choice([1, 2, 16, 127, 255, 4095, 70_000])
    values = np.random.default_rng(rng.randrange(2**32)).random(shape) * high
    if dtype.kind == "f" and rng.random() < 0.1:
        values = values.reshape(-1)
        values[: rng.randrange(3)] = rng.choice([np.nan, np.inf, -np.inf, -1e30])
        values = values.reshape(shape)
    with np.errstate(all="ignore"):
        return np.asarray(values - (high / 2 if rng.random() < 0.2 else 0)).astype(dtype)


def array_file(world: object, rng: Random, folder: Path) -> Case:
    """A file of arrays of whatever names, types and shapes, perhaps spoiled."""
    arrays = {rng.choice(NAMES): an_array(rng) for _ in range(rng.randrange(1, 5))}
    if rng.random() < 0.6:  # more or less what a set is
        images = an_array(rng)
        names = rng.choice([("images", "labels"), ("x_train", "y_train"), ("arr_0", "arr_1")])
        arrays = dict(zip(names, (images, np.arange(len(images)) % 3), strict=True))
    suffix = rng.choice(
        [".npz", ".npz", ".npy", ".safetensors", ".pt", ".idx", "-images-idx3-ubyte"]
    )
    path = folder / f"set{suffix}"
    numbers = {name: each for name, each in arrays.items() if each.dtype.kind in "biuf"}
    match suffix:
        case ".npz":
            save_npz: Any = rng.choice([np.savez, np.savez_compressed])
            save_npz(path, **arrays)
        case ".npy":
            np.save(path, rng.choice([an_array(rng), np.array([{}, 1], object)]), allow_pickle=True)
        case ".safetensors":
            little = {
                name: each.astype(each.dtype.newbyteorder("=")) for name, each in numbers.items()
            }
            path.write_bytes(save({name: each for name, each in little.items() if name}))
        case ".pt":
            held: Any = {n: torch.from_numpy(e.astype("f4")) for n, e in numbers.items()}
            held = rng.choice([held, held, list(held.values()), {"x": folder.name}, 3])
            torch.save(held, path)
        case _:
            shape = rng.choice(
                [(9, 8, 8), (9,), (9, 8), (0, 8, 8), (2**31, 2**31, 9), (9, 4, 4, 3)]
            )
            kind = rng.choice([8, 9, 11, 12, 13, 14, 10])
            header = bytes((0, 0, kind, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
            path.write_bytes(header + bytes(rng.choice([9 * 64, 9 * 64 * 4, 9 * 64 * 8, 9, 0])))
    how = "sound"
    if rng.random() < 0.4:
        how = put(path, rng)
    elif rng.random() < 0.05:
        path.write_bytes(gzip.compress(path.read_bytes()))
        how = "gzipped"
    elif suffix == ".idx" and rng.random() < 0.2:
        path, how = path.with_name("set.idx.gz"), "a bomb"
        path.write_bytes(bomb())
    place = Path(f"{path}:{rng.choice(NAMES)}") if rng.random() < 0.3 else path
    held_shapes = ", ".join(f"{n} {e.dtype} {e.shape}" for n, e in arrays.items())
    return tried_on(place, rng, folder), f"{place.name}, {how}: {held_shapes}"


def native(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, values.dtype.newbyteorder("="))


def given(world: object, rng: Random, folder: Path) -> Case:
    """Whatever may be handed over in Python as data."""
    images, labels = an_array(rng), an_array(rng)
    values: list[Any] = [
        *(images, images, (images, labels), [images, labels], list(images) if images.ndim else 3),
        *(None if rng.random() < 0.5 else 7, "", "\0", b"bytes", {}, {"images": images}, set()),
        *(iter([1]), object(), [None] * 3, [(None, 1)], [[1, 2], [3, 4]], [images, "a"], (1, 2)),
    ]
    if images.dtype.kind in "biuf" and images.dtype.kind + str(images.dtype.itemsize) != "u8":
        tensor = torch.from_numpy(native(images).astype("f4"))
        values += [tensor, (tensor, labels)]
        if tensor.ndim:
            values.append(torch.utils.data.TensorDataset(tensor, tensor))
    value = rng.choice(values)
    section = Data(
        name="digits", image_size=rng.choice([None, 4]), channels=rng.choice([None, 1, 3])
    )
    told = f"{type(value).__name__}: images {images.dtype} {images.shape}, labels {labels.shape}"
    return partial(take, value, section, folder), told


def tried_on(place: Path, rng: Random, folder: Path) -> Callable[[], object]:
    """One of the ways to read what is there."""
    size = rng.choice([None, None, 1, 28])
    skip = ["--skip-broken"] if rng.random() < 0.3 else []
    tiny = ("generator.hidden=[4]", "discriminator.hidden=[4]", "discriminator.dropout=0.0")
    train = ["train", "sgd", "--quiet", f"--data={place}", f"--out={folder}", "--epochs=1"]
    train += ["--batch-size=2", *(f"--set={each}" for each in tiny), *skip]
    load = partial(
        data.load,
        str(place),
        rng.choice(["train", "test", "validation"]),
        image_size=size,
        skip_broken=bool(skip),
    )
    against = ["evaluate", str(place), "--data=digits", f"--against={place}", "--samples=40", "-q"]
    actions: list[Callable[[], object]] = [
        *[load] * 5,
        partial(cli.main, ["data", str(place), *skip]),
        partial(cli.main, ["data", str(place), f"--preview={folder / 'p.png'}"]),
        partial(cli.main, against + skip),
        partial(cli.main, train),
    ]
    return rng.choice(actions)
