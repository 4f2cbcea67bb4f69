"""The cases of fuzz.py: each kind spoils one sort of input, then uses it as a user would.

A kind takes a world (small sound inputs), a source of chance and an empty folder. It puts a spoiled
input there, and returns what to do with it and a line that says what was done.
"""

import gzip
import json
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import get_args

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load, save

import counterfeit
from counterfeit import cli, data, recipe
from counterfeit.data.catalogue import PUBLISHED
from counterfeit.data.idx import IDX_FILES
from counterfeit.data.sources import Source
from counterfeit.files import write_rows
from counterfeit.insight import charts
from counterfeit.insight.diagnose import Watch
from counterfeit.measure.train_classifier import classifier_for
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import LOG
from fuzz_bytes import JUNK, a_pickle, bomb, put, spoiled
from fuzz_own import archive, array_file, given
from fuzz_published import published_files

Action = Callable[[], object]


@dataclass(frozen=True)
class World:
    """Sound inputs, made once."""

    run: Path
    """A finished run of two epochs on 8x8 digits, diagnosed, and evaluated twice."""
    data_dir: Path
    """Where that run's data are looked for; holds its classifier, and nothing of MNIST."""


Kind = Callable[[World, Random, Path], tuple[Action, str]]


def make_world(folder: Path) -> World:
    """Train, evaluate, and shut the doors to the network."""
    data_dir = folder / "data"
    os.environ["COUNTERFEIT_DATA_DIR"] = str(data_dir)

    def offline(_: Path) -> None:
        raise OSError("no network")

    for name in PUBLISHED:
        PUBLISHED[name] = replace(
            PUBLISHED[name], sources=(Source("nowhere", "connect to the internet", offline),)
        )
    classifier_for(data.load("digits"), data_dir / "classifiers", updates=2)
    spec = recipe.load("batchnorm-smoothing").with_overrides(TINY)
    watch = Watch(lambda finding: None, stop_on_critical=False)
    run = counterfeit.train(spec, out=folder / "runs", data_dir=data_dir, on_epoch=[watch])
    run.append_finding(FINDING.as_row(44, 2.0))
    # Digits of a measured speed would be more or fewer, and what is spoiled another each time.
    write_rows(run.path / LOG, [row | {"images_per_second": 1000.0} for row in run.log])
    for epoch in ("1", "2"):
        cli.main(["evaluate", str(run.path), "--samples=40", f"--epoch={epoch}", "--quiet"])
    return World(run.path, data_dir)


TINY = [
    *("data.name=digits", "generator.hidden=[16, 16]", "discriminator.hidden=[16, 8]"),
    *("training.batch_size=64", "training.epochs=2"),
]

FINDING = Finding(
    name="mode-collapse",
    severity="critical",
    first_step=22,
    last_step=44,
    first_epoch=1.0,
    last_epoch=2.0,
    evidence={"diversity": 0.1, "figure": "history"},
    meaning="All samples look alike.",
    advice="Lower the learning rate.",
    source="Goodfellow et al. 2014, section 6",
)

# Recipes

VALUES = [
    *("0", "-1", "1", "2", "3", "7", "1000", "100000", "1000000000", "10000000000"),
    *("2147483648", "9223372036854775807", "9223372036854775808", "1" + "0" * 40, "9" * 5000),
    *("0x" + "f" * 5000, "0b1", "1_000", "nan", "inf", "-inf", "-0.0", "0.0", "5e-324", "1e-308"),
    *("1e308", "-1e308", "1e39", "1e400", "1e999999999", "0.5", "0.999999999999", "1.0", "1.5"),
    *(
        '""',
        "''",
        '"\\u0000"',
        '"x"',
        f'"{"x" * 5000}"',
        '"쥐\\u202e💣"',
        '"a\\nb"',
        '"\\u001b[2J"',
    ),
    *('"/dev/zero"', '"~nobody-here"', '"/nonexistent/folder"', '"mnist"', '"digits"', '"adam"'),
    *('"sgd"', '"maxout"', '"relu"', '"tanh"', '"simultaneous"', '"fresh"', '"minimax"', "true"),
    *("false", "[]", "[0]", "[1]", "[1, 2]", "[1000000000]", "[100000, 100000]", "[-5, 5]"),
    "[[1]]",
    *("[0.5, 0.9]", "[0.0, 0.0]", "[nan, 1.0]", '["a"]', "[1, 'a', 2.0]", f"[{'1,' * 5000}]"),
    *("{}", '{name = "sgd"}', '{name = "adam", lr = 0.1}', '{name = "sgd", lr = 1e308}', "[{}]"),
    *("1979-05-27", "07:32:00", "1979-13-45", "[" * 3000, "{a=" * 2000, "1 2", "=", "#", "", "\\"),
    *("\0", "\ud800", "\u2028", "ｘ", "\t", "1\n[training]\nepochs = 5", '"""', "+1e+1", "1e-5"),
]


def known_keys(section: type[recipe.Section] = recipe.Recipe, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a recipe."""
    for name, field in section.model_fields.items():
        yield prefix + name
        for kind in get_args(field.annotation) or [field.annotation]:  # of a union, or the only one
            if isinstance(kind, type) and issubclass(kind, recipe.Section):
                yield from known_keys(kind, f"{prefix}{name}.")


KEYS = sorted(set(known_keys()))
ODD_KEYS = ["", ".", "..", "a.b.c.d", "training", "training.", ".epochs", "training.epohcs", "ключ"]


COUNTS = ["1", "2", "3", "5", "50", "65537", "1000000", "1000000000", "9223372036854775808"]
RATES = [
    *("5e-324", "1e-45", "1e-8", "1e-3", "0.5", "0.999999999", "1.0", "3.0", "1e20", "1e39"),
    "1e308",
]
PLAUSIBLE = {
    "hidden": [
        *("[1]", "[5, 3]", "[2, 2, 2, 2, 2, 2, 2]", "[70000]", "[1000000000]", "[100000, 100000]"),
        *("[30000, 30000, 30000]", f"[{'1,' * 5000}]", f"[{'1,' * 60}]"),
    ],
    **dict.fromkeys(["dim", "train_images", "pieces", "epochs", "batch_size"], COUNTS),
    **dict.fromkeys(["channels", "blocks", "expansion", "group_channels", "patch"], COUNTS),
    "discriminator_steps": COUNTS,
    **dict.fromkeys(["lr", "std", "eps", "lr_min", "lr_decay", "init_range"], RATES),
    **dict.fromkeys(
        ["ema_decay", "momentum", "final_momentum", "input_dropout", "dropout", "slope"],
        RATES[:6],
    ),
    "momentum_ramp": ["[0.0, 1e-9]", "[0.0, 1e308]", "[1e307, 1e308]", "[1.0, 2.0]"],
    "betas": ["[0.0, 0.0]", "[0.999999999999, 0.5]", "[0.5, 0.9999999999999999]"],
    "real_labels": ["[5e-324, 1.0]", "[1e-40, 1e-39]", "[0.9, 1.0]"],
    "batch_norm": ["true", "false"],
    "train_shared_maxout": ["true", "false"],
    "distribution": ['"normal"', '"uniform"'],
    "activation": ['"shared-maxout"', '"maxout"', '"relu"', '"leaky-relu"', '"elu"', '"silu"'],
    "norm": ['"none"', '"batch"', '"layer"', '"group"', '"spectral"'],
    "init": ['"default"', '"normal-0.02"', '"orthogonal"'],
    "upsample": ['"transposed"', '"nearest"', '"pixel-shuffle"'],
    "downsample": ['"strided"', '"average"'],
    "minibatch": ['"none"', '"discrimination"', '"stddev"'],
    "sampling_dropout": ["true", "false"],
    "output": ['"sigmoid"', '"tanh"'],
    "output_bias": ['"default"', '"data-mean"'],
    "optimizer": ['{name = "sgd", lr = 0.1}', '{name = "adam", lr = 1e-3}', '{name = "sgd"}'],
    "update": ['"simultaneous"', '"alternating"'],
    "generator_latents": ['"fresh"', '"shared"'],
    "generator": ['"minimax"', '"non-saturating"'],
    "name": [
        '"adam"',
        '"sgd"',
        '"mlp"',
        '"dcgan"',
        '"resnet"',
        '"digits"',
        '"x"',
        f'"{"x" * 300}"',
        '"cafe-1"',
    ],
}
"""Values of the right type, many of them absurd, by the last part of the key."""


def a_value(key: str, rng: Random) -> str:
    plausible = PLAUSIBLE.get(key.split(".")[-1])
    return rng.choice(plausible if plausible and rng.random() < 0.7 else VALUES)


def an_override(rng: Random) -> str:
    if rng.random() < 0.03:
        return a_text(rng)
    key = rng.choice(ODD_KEYS if rng.random() < 0.05 else KEYS)
    return f"{key}={a_value(key, rng)}"


def a_text(rng: Random) -> str:
    pool = "aé漢\0\n\t\r\x1b\u202e💣{}[]=.\"'#\\-09eE "
    return "".join(rng.choice(pool) for _ in range(rng.randrange(1, 30)))


def spoiled_text(text: str, rng: Random) -> bytes:
    """A text with its lines, values or bytes changed in one to three places."""
    for _ in range(rng.randrange(1, 4)):
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        match rng.randrange(7):
            case 0:
                del lines[at]
            case 1:
                lines.insert(rng.randrange(len(lines) + 1), lines[at])
            case 2:
                key = rng.choice(KEYS).split(".")[-1]
                lines.insert(at, f"{key} = {a_value(key, rng)}")
            case 3:
                lines.insert(at, a_text(rng))
            case _:
                assigned = [n for n, line in enumerate(lines) if " = " in line]
                if assigned:
                    at = rng.choice(assigned)
                    key = lines[at].partition(" = ")[0]
                    lines[at] = f"{key} = {a_value(key, rng)}"
        text = "\n".join(lines)
    content = text.encode(errors="surrogatepass")
    return spoiled(content, rng) if rng.random() < 0.15 else content


def recipe_file(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """A recipe's file with changed lines, values or bytes, resolved and printed."""
    name = rng.choice(recipe.names())
    path = folder / "spoiled.toml"
    path.write_bytes(spoiled_text(recipe.load(name).to_toml(), rng))
    arguments = [["recipes", str(path)], ["train", str(path), "--dry-run"]]
    return partial(cli.main, rng.choice(arguments)), f"recipe {name}, spoiled"


def overrides(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """`--set` with absurd keys and values, resolved and printed."""
    given = [an_override(rng) for _ in range(rng.randrange(1, 4))]
    name = rng.choice(recipe.names())
    arguments = ["train", name, "--dry-run", *(f"--set={each}" for each in given)]
    return partial(cli.main, arguments), f"{name} with {shortened(given)}"


def training(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """One epoch with absurd, but often possible, settings."""
    given = [an_override(rng) for _ in range(rng.randrange(1, 3))]
    name = rng.choice(recipe.names())
    small = "data.train_images=300", "discriminator.dropout=0.5"
    settings = [*TINY, *small, *given, "training.epochs=1"]
    arguments = ["train", name, "--quiet", f"--out={folder}", *(f"--set={s}" for s in settings)]
    return partial(cli.main, arguments), f"one epoch of {name} with {shortened(given)}"


# Data


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def idx(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """A folder of IDX files, one of them wrong."""
    noise = np.random.default_rng(rng.randrange(1000))
    counts = {"train": 9, "t10k": 4}
    for name in IDX_FILES:
        count = counts[name.split("-")[0]]
        shape = (count, 6, 5) if "images" in name else (count,)
        (folder / name).write_bytes(idx_bytes(noise.integers(0, 9, shape, np.uint8)))
    path = folder / rng.choice(IDX_FILES)
    content = bytearray(path.read_bytes())
    what = "spoiled"
    if rng.random() < 0.5:
        for _ in range(rng.randrange(1, 3)):
            at = rng.randrange(2, min(16, len(content)))
            content[at] = rng.choice([0, 1, 2, 3, 8, 9, 13, 127, 128, 255])
        what = "header"
    if rng.random() < 0.1:
        side = rng.choice([1, 3_000, 20_000])
        content = bytearray(struct.pack(">4B3I", 0, 0, 8, 3, 1, side, side) + bytes(min(side, 9)))
        what = "huge"
    if rng.random() < 0.4:
        path.unlink()
        path = path.with_name(f"{path.name}.gz")
        packed = gzip.compress(bytes(content))
        if rng.random() < 0.04:
            packed, what = bomb(), "a bomb"
        path.write_bytes(packed)
        if what == "spoiled":
            what = put(path, rng)
    elif what == "spoiled":
        what = put(path, rng)
    else:
        path.write_bytes(content)
    arguments = rng.choice([["data", str(folder)], ["data", str(folder), "--preview=x.png"]])
    actions: list[Action] = [
        partial(cli.main, arguments if rng.random() < 0.1 else arguments[:2]),
        partial(data.load, str(folder), rng.choice(["train", "test"])),
        partial(data.load, str(folder), image_size=rng.choice([1, 28, 300]), channels=3),
    ]
    return rng.choice(actions), f"IDX {path.name}: {what}"


MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"]
FORMATS = ["png", "jpg", "gif", "bmp", "tif", "webp", "ppm", "pgm"]
NAMES = [
    *("a.png", "b.PNG", ".png", "..png", "-n.png", "--set.png", "쥐.png", "new\nline.png", " .png"),
    *("\x1b[2J.png", "$(x).png", "a" * 250 + ".png", "%s{0}.png", "\udcff\udcfe.png", "x.png.txt"),
]
CLASS_NAMES = ["cat", "$x^2$", "쥐", "\udcff", "new\nline", "a" * 200, "\x1b[2J", "{0}", "0"]


def png(width: int, height: int, color: int = 6, depth: int = 8, pixels: bytes = b"") -> bytes:
    """A PNG file that claims a size, whatever it holds."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, color, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def an_image(path: Path, rng: Random) -> str:
    """Write a picture of some mode, format and size, and often spoil it."""
    mode, suffix = rng.choice(MODES), rng.choice(FORMATS)
    size = (rng.choice([1, 2, 9, 64]), rng.choice([1, 3, 28, 500]))
    target = path.with_suffix(f".{suffix}")
    try:
        picture = Image.frombytes("RGB", size, rng.randbytes(3 * size[0] * size[1]))
        if mode in ("I", "F", "I;16"):
            picture = picture.convert("L")
        if mode == "LAB":
            picture = Image.frombytes("LAB", size, picture.tobytes())
        elif mode == "I;16":
            picture = Image.frombytes("I;16", size, rng.randbytes(2 * size[0] * size[1]))
        else:
            picture = picture.convert(mode)
        picture.save(target)
    except (OSError, ValueError, KeyError):  # a format without that mode
        target.unlink(missing_ok=True)
        target = path.with_suffix(".png")
        Image.new("L", size, 77).save(target)
    how = put(target, rng) if rng.random() < 0.6 else "whole"
    return f"{target.suffix} {mode} {size[0]}x{size[1]} {how}"


def image_folder(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """A folder of images as nobody should have."""
    root = folder / "images"
    root.mkdir()
    told = []
    for number in range(rng.choice([0, 1, 1, 3, 8])):
        told.append(an_image(root / f"{number}.png", rng))
    match rng.randrange(8):
        case 0:
            (root / "loop").symlink_to(root)
            (root / "loop.png").symlink_to(root / "loop.png")
            told.append("loops")
        case 1:
            side = rng.choice([(100_000, 100_000), (2**31 - 1, 1), (1, 2**31 - 1), (0, 5)])
            (root / "huge.png").write_bytes(png(*side, rng.choice([0, 2, 3, 4, 6])))
            told.append(f"a PNG that claims {side}")
        case 2 if rng.random() < 0.15:
            rows = (1 + 9000 * 4) * 9000
            (root / "bomb.png").write_bytes(png(9000, 9000, 6, 8, bytes(rows)))
            told.append("a PNG bomb of 9000x9000")
        case 3:
            for name in rng.sample(NAMES, 3):
                Image.new("L", (8, 8), 9).save(root / os.fsdecode(os.fsencode(name)), "png")
            told.append("odd names")
        case 4:
            for name in rng.sample(CLASS_NAMES, 3):
                place = root / os.fsdecode(os.fsencode(name))
                place.mkdir()
                Image.new("RGB", (8, 8), "red").save(place / "1.png")
            told.append("odd classes")
        case 5:
            (root / "pickle.png").write_bytes(a_pickle())
            (root / "folder.png").mkdir()
            told.append("a pickle, a folder")
        case _:
            pass
    deepest = root
    if rng.random() < 0.05:
        for _ in range(60):
            deepest = deepest / "deep"
            deepest.mkdir()
        told.append("deep")
    size = rng.choice([None, None, 1, 28, 64, 1024, 0, -1, 10**9])
    tiny = "generator.hidden=[4]", "discriminator.hidden=[4]", "discriminator.dropout=0.0"
    train = [
        *("train", "sgd", "--quiet", f"--data={root}", f"--out={folder}", "--epochs=1"),
        *("--batch-size=2", *(f"--set={each}" for each in tiny)),
    ]
    load = partial(data.load, str(root), rng.choice(["train", "test"]), image_size=size)
    actions: list[Action] = [
        *[load] * 6,
        partial(cli.main, ["data", str(root)]),
        partial(cli.main, ["data", str(root), f"--preview={folder / 'p.png'}"]),
        partial(cli.main, train),
    ]
    return rng.choice(actions), f"images, size {size}: {', '.join(told) or 'none'}"


def published(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """The cache of MNIST, damaged, where nothing can be fetched."""
    cache = folder / "mnist"
    cache.mkdir()
    told = []
    for name in rng.sample(IDX_FILES, rng.randrange(5)):
        (cache / name).write_bytes(idx_bytes(np.zeros((3, 5, 5), np.uint8)))
        told.append(put(cache / name, rng))
    if rng.random() < 0.1:
        shutil.rmtree(cache)
        cache.write_bytes(b"")
        told = ["a file"]
    arguments = ["data", "mnist", f"--data-dir={folder}"]
    actions: list[Action] = [
        partial(cli.main, arguments),
        partial(data.load, "mnist", "train", folder),
    ]
    return rng.choice(actions), f"cache of mnist: {', '.join(told) or 'empty'}"


def classifier(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """A kept classifier, damaged or of other data."""
    (kept,) = (world.data_dir / "classifiers").iterdir()
    path = folder / kept.name
    shutil.copy(kept, path)
    if rng.random() < 0.5:
        path.write_bytes(other_tensors(path.read_bytes(), rng))
        what = "other tensors"
    else:
        path.write_bytes(spoiled(path.read_bytes(), rng))
        what = "spoiled"
    images = data.load("digits")

    def use() -> None:
        classifier_for(images, folder, updates=1).read(images.images[:8])

    return use, f"classifier: {what}"


# Runs


def other_tensors(content: bytes, rng: Random) -> bytes:
    """A sound safetensors file with one or two tensors of another shape, type, value or name."""
    tensors = load(content)
    for _ in range(rng.randrange(1, 3)):
        name = rng.choice(sorted(tensors))
        tensor = tensors[name]
        match rng.randrange(11):
            case 0:
                del tensors[name]
            case 1:
                tensors[f"{name}.more"] = tensor.clone()
            case 2:
                tensors[name] = tensor.flatten()[: tensor.numel() // 2].clone()
            case 3:
                tensors[name] = torch.zeros(rng.sample(range(5), rng.randrange(4)))
            case 4:
                types = (torch.float64, torch.bfloat16, torch.int8, torch.bool, torch.complex64)
                tensors[name] = tensor.to(rng.choice(types))
            case 5:
                tensors[name] = (
                    torch.full_like(tensor, float("nan")) if tensor.is_floating_point() else tensor
                )
            case 6:
                value = rng.choice([float("inf"), 3e38, -3e38, 1e-45, 1e20])
                tensors[name] = torch.full(tensor.shape, value)
            case 7:
                tensors[name] = tensor.unsqueeze(0)
            case 8:
                other = rng.choice(sorted(tensors))
                tensors[name], tensors[other] = tensors[other].clone(), tensor.clone()
            case 9:
                tensors[a_text(rng)] = tensors.pop(name)
            case _:
                tensors[name] = torch.zeros(0, 10 ** rng.randrange(1, 15))
        if not tensors:
            break
    return save(tensors)


def copied(world: World, folder: Path) -> Path:
    run = folder / "run"
    shutil.copytree(world.run, run)
    return run


OF_NETWORKS = ("samples", "maxout", "nearest", "interpolation")


def readers(run: Path, rng: Random, drawn: Sequence[str]) -> tuple[Action, str]:
    """One way to use a run; `drawn` are the figures to choose from."""
    ways: list[tuple[int, list[str]]] = [
        (8, ["sample", str(run), f"-n={rng.choice([1, 4, 100])}", f"--out={run / 's.npz'}"]),
        (4, ["sample", str(run), "--epoch=1", f"--out={run / 's.png'}", "-n=4"]),
        (2, ["evaluate", str(run), "--samples=40", "--quiet"]),
        (1, ["report", str(run)]),
        (2, ["diagnose", str(run)]),
        (3, ["train", f"--resume={run}", "--quiet"]),
        (3, ["train", f"--resume={run}", "--epochs=3", "--quiet"]),
        (1, ["train", f"--resume={run}", "--epochs=3", "--quiet", "--evaluate-every=1"]),
    ]
    if rng.random() < 0.45:
        name = rng.choice(drawn)
        return lambda: charts.write(Run.open(run), name), f"figure {name}"
    (arguments,) = rng.choices([way for _, way in ways], [weight for weight, _ in ways])
    return partial(cli.main, arguments), " ".join([arguments[0], *arguments[2:3]])


def checkpoint(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """A run whose newest checkpoint is damaged, swapped, or of other tensors."""
    run = copied(world, folder)
    older, newest = sorted((run / "checkpoints").glob("*.json"))
    weights = newest.with_suffix(".safetensors")
    match rng.randrange(6):
        case 0:
            what = f"weights {put(weights, rng)}"
        case 1:
            what = f"index {put(newest, rng)}"
        case 2:
            shutil.copy(older, newest)
            if rng.random() < 0.5:
                shutil.copy(older.with_suffix(".safetensors"), weights)
            what = "swapped"
        case 3:
            newest.write_bytes(other_json(newest.read_bytes(), rng))
            what = "index of other values"
        case _:
            content = other_tensors(weights.read_bytes(), rng)
            weights.write_bytes(content)
            index = json.loads(newest.read_text())
            newest.write_text(json.dumps(index | {"sha256": sha256(content).hexdigest()}))
            what = "other tensors, checksum right"
    action, use = readers(run, rng, OF_NETWORKS)
    return action, f"checkpoint: {what}; {use}"


ODD_JSON = [
    *("null", "true", '""', '"5"', "-1", "0", "1.5", "1e308", "-1e308", "1e999", "NaN", "Infinity"),
    *("-Infinity", "[]", "{}", "[1]", "[[1]]", '{"a": 1}', "9" * 400, "9" * 5000, "1e400"),
    '"\\ud800"',
    *('"/nonexistent"', '"a\\nb"', '"\\u0000"', "[1, 8, 8]", "[3, 8, 8]", "[1, -8, 8]"),
    "[1, 8, 9]",
    *("[0, 0, 0]", "[1, 1000000, 1000000]", '["a", "b", "c"]', "[1.0, 8.0, 8.0]", "[null, null]"),
    *("[1, 2, 3, 4]", "9223372036854775808", "[" * 2000 + "]" * 2000, f'"{"x" * 3000}"'),
]


def other_json(content: bytes, rng: Random) -> bytes:
    """JSON with a value replaced, a key removed, or one added."""
    values = json.loads(content)
    assert isinstance(values, dict)
    flat = values["metrics"] if rng.random() < 0.5 and "metrics" in values else values
    key = rng.choice(sorted(flat))
    match rng.randrange(5):
        case 0:
            del flat[key]
        case 1:
            flat[a_text(rng)] = "@odd@"
        case _:
            flat[key] = "@odd@"
    return json.dumps(values).encode().replace(b'"@odd@"', rng.choice(ODD_JSON).encode())


def other_rows(content: bytes, rng: Random) -> bytes:
    """Rows of JSON, one or all of them changed, in another order, or twice."""
    rows = content.splitlines()
    match rng.randrange(8):
        case 0:
            rng.shuffle(rows)
        case 1:
            rows.append(rng.choice(rows))
        case 2:
            key, odd = (
                rng.choice(sorted(json.loads(rows[0]))),
                json.loads(rng.choice(ODD_JSON[:12])),
            )
            rows = [json.dumps(json.loads(row) | {key: odd}).encode() for row in rows]
        case 3:
            rows = []
        case _:
            at = rng.randrange(len(rows))
            rows[at] = other_json(rows[at], rng)
    return b"".join(row + b"\n" for row in rows)


def other_array(rng: Random) -> bytes:
    """An npz file with something else inside than images."""
    shape = rng.choice([(100, 1, 8, 8), (0, 1, 8, 8), (3, 1, 8, 8), (100, 3, 8, 8), (100, 64), ()])
    kind = rng.choice(["uint8", "float64", "object", "U5", "complex128", ">i2", "V3", "M8[s]"])
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {rng.choice(ODD_SHAPES)}}}"
    path = Path("other.npz")
    with zipfile.ZipFile(path, "w", rng.choice([0, 8, 12, 14])) as archive:
        if rng.random() < 0.3:
            content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
            archive.writestr("images.npy", content + bytes(rng.choice([0, 100, 6400])))
        elif rng.random() < 0.1:
            archive.writestr("images.npy", rng.choice(JUNK))
        else:
            array = np.zeros(shape, kind)
            with archive.open(rng.choice(["images.npy"] * 4 + ["../images.npy"]), "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=True)
    return path.read_bytes()


ODD_SHAPES = [
    *("(100, 1, 8, 8)", "(100000000000, 1, 8, 8)", "(-1, 1, 8, 8)", "(100, 1, 8, 8.0)", "()"),
    "(,)",
    *("(100, 1, 8)", "(1e9,)", "('a',)", "(True, 1, 8, 8)", "(" * 200, f"({'9' * 4000},)"),
    "(0, 1, 8, 8)",
]


def run_directory(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """A run with one file missing, damaged, or of other content."""
    run = copied(world, folder)
    name = rng.choice(
        [
            *["log.jsonl", "metrics.jsonl", "environment.json", "recipe.toml"] * 3,
            *["findings.jsonl", "vitals.jsonl", "real_images.json"] * 2,
            "snapshot",
            "folder",
        ]
    )
    what = ""
    if name == "folder":
        target = run / rng.choice(["checkpoints", "snapshots", "figures"])
        shutil.rmtree(target)
        if rng.random() < 0.5:
            target.write_bytes(b"")
        name = target.name
    elif name == "snapshot":
        target = run / "snapshots" / f"epoch-{rng.randrange(3):04d}.npz"
        odd_names = ["epoch-.npz", "epoch-9999999999999999999999.npz", "epoch-٣.npz", "epoch-5.npz"]
        if rng.random() < 0.15:
            target = target.with_name(rng.choice(odd_names))
            target.write_bytes(b"")
        if rng.random() < 0.6:
            target.write_bytes(other_array(rng))
            what = "other array"
        else:
            what = put(target, rng)
    else:
        target = run / name
        content = target.read_bytes()
        if rng.random() < 0.2:
            what = put(target, rng)
        elif name == "recipe.toml":
            target.write_bytes(spoiled_text(content.decode(), rng))
        elif name.endswith(".json"):
            target.write_bytes(other_json(content, rng))
        else:
            target.write_bytes(other_rows(content, rng))
        what = what or "other values"
    about = {
        "log.jsonl": ("losses", "outputs", "gradients"),
        "metrics.jsonl": ("metrics",),
        "snapshots": ("history", "latents", "animation"),
        "snapshot": ("history", "latents", "animation"),
    }
    action, use = readers(run, rng, about.get(name, sorted(charts.FIGURES)))
    return action, f"run: {name} {what}; {use}"


# Arguments


def arguments(world: World, rng: Random, folder: Path) -> tuple[Action, str]:
    """Commands with options and values that do not belong to them."""
    commands = ["recipes", "data", "train", "evaluate", "sample", "report", "", "trian", "--help"]
    options = [
        *("--epochs", "--seed", "--set", "--device", "--batch-size", "--out", "-n", "--samples"),
        *("--epoch", "--split", "--preview", "--data", "--quiet", "--dry-run", "--nonsense", "--"),
        *("--evaluate-every", "--resume", "-x", "--no-quiet", "--version"),
    ]
    values = [
        *("0", "-1", "1", "5", "x", "", "1e9", "nan", "10**9", "9" * 30, "9" * 5000, "a" * 5000),
        *(str(world.run), "digits", "sgd", "cuda", "cpu", "/nonexistent/x", "/dev/null/x", "쥐"),
        "p.png",
        *("\udcff", "test", ".", "x.npz", "x.toml", "/dev/full", "/proc/1/x", "1000000000"),
    ]
    given = [rng.choice(commands)]
    if rng.random() < 0.7:
        given.append(rng.choice(values))
    for _ in range(rng.randrange(4)):
        given += [rng.choice(options), *rng.choices(values, k=rng.choice([0, 1, 1, 1]))]
    if given[0] == "train":  # a sound recipe would train for its hundred epochs
        given.append("--dry-run")
    if given[0] in ("data", "evaluate", "report", "sample") and rng.random() < 0.5:
        given[1:2] = [str(copied(world, folder))]
    return partial(cli.main, given), shortened(given)


def shortened(words: Sequence[str]) -> str:
    return " ".join(re.sub(r"(.{40}).+", r"\1…", word) for word in words)


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Relative paths lead into the folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


KINDS: dict[str, tuple[int, Kind]] = {
    "recipe files": (18, recipe_file),
    "--set": (16, overrides),
    "trainings": (6, training),
    "IDX files": (14, idx),
    "image folders": (11, image_folder),
    "published files": (8, published_files),
    "archives": (6, archive),
    "arrays": (8, array_file),
    "data in Python": (4, given),
    "data caches": (3, published),
    "classifiers": (3, classifier),
    "checkpoints": (8, checkpoint),
    "run directories": (10, run_directory),
    "arguments": (3, arguments),
}
"""Each kind, and how often it is drawn beside the others."""
