"""Seconds an epoch: plain code, this project, and the floor that matrix products set.

    python benchmarks/train_speed.py [RECIPE ...] [--repeats 5] [--steps 100] [--device cpu]
                                     [--append FILE.jsonl]
    python benchmarks/train_speed.py batchnorm-smoothing --whole --repeats 3

For each recipe, in one process and in turn, so that a noisy machine disturbs all alike:

- plain: what a reader of the article writes (plain.py).
- linear and mm: the update's matrix products alone, each once, on ready tensors, by these two.
- floor: the same by the fastest of the ways that PyTorch has for each; on the CPU it has oneDNN.
- counterfeit: `counterfeit.train` as a user calls it, with its log, snapshots and checkpoints.
- bf16 floor and counterfeit bf16: the same two with `--precision bf16`.

Of convolutional recipes (`dcgan`, `r3gan-small`), whose epochs are long, single updates on a batch
that lies ready are timed instead, of the same mathematics: `--steps` of them in a turn, and medians
of the turns' ratios. Their floor is that of convolution_floor.py.

With `--whole`, processes of 1 and of 7 epochs in turn, and their difference: plain code, the
library, and the command `counterfeit train`, each from its start to its end, with all that it
brings along. Imports, data and the first epoch's preparations cancel.

Prints medians over the repeats with their range, and the ratios of the medians. Seconds mean
nothing on another machine; ratios are what to compare.
"""

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count, islice, pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

import convolution_floor
from counterfeit import data, recipe
from counterfeit.environment import describe, keep_freed_memory
from counterfeit.files import append_row
from counterfeit.game.engines.products import ONEDNN
from counterfeit.game.game import Game
from counterfeit.game.inputs import Batch
from counterfeit.training import loop
from plain import convolutional_update, perceptrons, torchvision_folder, trainer

PLAIN = Path(__file__).with_name("plain.py")


def wait_for(device: torch.device) -> None:
    """Until what was asked of it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def plain(
    spec: recipe.Recipe, folder: Path, steps: int, device: torch.device
) -> Callable[[], float]:
    """Seconds a step of the plain code."""
    loader, update = trainer(spec, folder, device)
    steps = min(steps, len(loader) - 1)

    def run() -> float:
        batches = iter(loader)
        next(batches)
        started = time.perf_counter()
        for _ in range(steps):
            update(next(batches)[0])
        return (time.perf_counter() - started) / steps

    return run


def products(spec: recipe.Recipe) -> list[tuple[int, int, int, str]]:
    """The update's matrix products: rows, inputs, outputs, and which of the three it is.

    `forward` is x W^T, `weights` is g^T x, `inputs` is g W. D judges real and fake images in one
    pass; G runs once; an alternating update runs D on the fakes a second time.
    """
    batch = spec.training.batch_size
    G, D = perceptrons(spec)
    pieces = D.pieces if D.activation == "maxout" else 1
    g_sizes = [spec.latent.dim, *G.hidden, 784]
    g_layers = list(pairwise(g_sizes))
    d_inputs = [784, *D.hidden]
    d_outputs = [*(units * pieces for units in D.hidden), 1]
    d_layers = list(zip(d_inputs, d_outputs, strict=True))

    needed = [(batch, i, o, kind) for i, o in g_layers for kind in ("forward", "weights")]
    needed += [(batch, i, o, "inputs") for i, o in g_layers[1:]]
    needed += [(2 * batch, i, o, kind) for i, o in d_layers for kind in ("forward", "weights")]
    needed += [(2 * batch, i, o, "inputs") for i, o in d_layers[1:]]
    if spec.training.update == "simultaneous":
        needed.append((batch, *d_layers[0], "inputs"))
    else:
        needed += [(batch, i, o, kind) for i, o in d_layers for kind in ("forward", "inputs")]
    return needed


def ways_to_multiply(x: Tensor, g: Tensor, w: Tensor, kind: str) -> list[Callable[[], Tensor]]:
    """Of one product; g^T x has but one that is fast."""
    onednn = x.device.type == "cpu" and x.dtype in ONEDNN
    by_onednn = torch.ops.mkldnn._linear_pointwise if onednn else None
    if kind == "weights":
        return [lambda: torch.mm(g.t(), x)]
    if kind == "forward":
        ways: list[Callable[[], Tensor]] = [lambda: nn.functional.linear(x, w)]
        left, right = x, w
    else:
        ways = [lambda: torch.mm(g, w)]
        left, right = g, w.t()
    return [*ways, lambda: by_onednn(left, right, None, "none", [], "")] if by_onednn else ways


def seconds_of(call: Callable[[], object]) -> float:
    """Median of 30 calls, after 10 that are not timed."""
    times = []
    with torch.inference_mode():
        for _ in range(40):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
    return statistics.median(times[10:])


def floor(
    spec: recipe.Recipe,
    steps: int,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    *,
    fastest: bool = True,
) -> Callable[[], float]:
    """Seconds that the products of one step take, by the fastest way or by F.linear and mm."""
    calls: list[Callable[[], Tensor]] = []
    for rows, inputs, outputs, kind in products(spec):
        shapes = ((rows, inputs), (rows, outputs), (outputs, inputs))
        x, g, w = (torch.rand(shape, device=device).to(dtype) for shape in shapes)
        ways = ways_to_multiply(x, g, w, kind)
        calls.append(min(ways, key=seconds_of) if fastest and len(ways) > 1 else ways[0])

    def run() -> float:
        wait_for(device)
        started = time.perf_counter()
        with torch.inference_mode():
            for _ in range(steps):
                for call in calls:
                    call()
            wait_for(device)
        return (time.perf_counter() - started) / steps

    return run


def floor_of_convolutions(
    spec: recipe.Recipe, steps: int, dtype: torch.dtype = torch.float32
) -> Callable[[], float]:
    """The same of convolutional networks on the CPU, by the fastest way of each."""
    fastest: dict[tuple[nn.Module, str], convolution_floor.Call] = {}
    calls = []
    for layer, x, kind in convolution_floor.passes(spec, (1, 28, 28)):
        if (layer, kind) not in fastest:
            found = convolution_floor.ways(layer, x, kind, dtype)
            fastest[layer, kind] = min(found, key=seconds_of) if len(found) > 1 else found[0]
        calls.append(fastest[layer, kind])

    def run() -> float:
        started = time.perf_counter()
        with torch.inference_mode():
            for _ in range(steps):
                for call in calls:
                    call()
        return (time.perf_counter() - started) / steps

    return run


def updates(
    spec: recipe.Recipe, steps: int, precision: str, *, compiled: bool = False
) -> Callable[[], float]:
    """Seconds of an update alone on the CPU, of a batch that lies ready."""
    cpu = torch.device("cpu")
    spec = spec.with_values({"training.precision": precision})
    game = Game.from_recipe(spec, torch.full((1, 28, 28), 0.1), seed=0, device=cpu)
    if compiled:
        for network in (game.G, game.D):
            network.forward = torch.compile(network.forward, dynamic=False)
    batches = [Batch(a_batch(spec))] * spec.training.discriminator_steps
    numbers = count()

    def run() -> float:
        started = time.perf_counter()
        for number in islice(numbers, steps):
            game.update(number, 0, batches)
        return (time.perf_counter() - started) / steps

    return run


def plain_updates(spec: recipe.Recipe, steps: int) -> Callable[[], float]:
    """The same of the plain code."""
    update = convolutional_update(spec, (1, 28, 28))
    images = a_batch(spec)

    def run() -> float:
        started = time.perf_counter()
        for _ in range(steps):
            update(images)
        return (time.perf_counter() - started) / steps

    return run


def a_batch(spec: recipe.Recipe) -> Tensor:
    return torch.rand(spec.training.batch_size, 1, 28, 28) * 2 - 1


def update_by_update(
    name: str, steps: int, repeats: int, *, compiled: bool
) -> dict[str, float | str]:
    """Times of single updates of a convolutional recipe, in turn, and the medians of their ratios.

    In turn, and a few updates at a time, so that neighbours on the machine disturb all alike.
    """
    spec = recipe.load(name)
    contenders = {
        "plain": plain_updates(spec, steps),
        "floor": floor_of_convolutions(spec, steps),
        "counterfeit": updates(spec, steps, "float32"),
        "bf16 floor": floor_of_convolutions(spec, steps, torch.bfloat16),
        "counterfeit bf16": updates(spec, steps, "bf16"),
    }
    if compiled:
        contenders["compiled"] = updates(spec, steps, "float32", compiled=True)
    for run in contenders.values():
        run()  # its first updates make optimisers' state
    rounds = [{each: run() for each, run in contenders.items()} for _ in range(repeats)]
    row: dict[str, float | str] = {"recipe": name}
    for contender in contenders:
        times = [1000 * seconds[contender] for seconds in rounds]
        row[f"{contender.replace(' ', '_')}_update_ms"] = statistics.median(times)
        print(f"{name:20} {contender:16} {statistics.median(times):7.1f} ms an update "
              f" [{min(times):.1f}, {max(times):.1f}]", flush=True)  # fmt: skip
    for key, above, below in (
        ("times_plain", "plain", "counterfeit"),
        ("times_floor", "counterfeit", "floor"),
        ("bf16_times_plain", "plain", "counterfeit bf16"),
        ("bf16_times_floor", "counterfeit bf16", "bf16 floor"),
        *([("compiled_times_ours", "counterfeit", "compiled")] if compiled else []),
    ):
        ratios = [seconds[above] / seconds[below] for seconds in rounds]
        row[key] = statistics.median(ratios)
        print(f"{name:20} {key:16} {row[key]:7.2f}  [{min(ratios):.2f}, {max(ratios):.2f}]")
    return row


def ours(spec: recipe.Recipe, device: torch.device, precision: str) -> Callable[[], float]:
    """Seconds of a whole second epoch, files and all."""
    spec = spec.with_values({"training.epochs": 2, "training.precision": precision})

    def run() -> float:
        ends: list[float] = []

        def note(*_: object) -> None:
            wait_for(device)
            ends.append(time.perf_counter())

        with tempfile.TemporaryDirectory() as out:
            loop.train(spec, out=out, device=device.type, on_epoch=[note])
        return ends[1] - ends[0]

    return run


LIBRARY = """
import sys, counterfeit
spec = counterfeit.load_recipe(sys.argv[1]).with_values({"data.name": sys.argv[2]})
counterfeit.train(spec, epochs=int(sys.argv[3]), out=sys.argv[4], device="cpu")
"""


def process(contender: str, name: str, images: str, epochs: int) -> float:
    """Seconds of a whole process that trains so many epochs, from its start to its end."""
    with tempfile.TemporaryDirectory() as out:
        command = {
            "plain": [str(PLAIN), name, f"--data={images}", f"--epochs={epochs}"],
            "library": ["-c", LIBRARY, name, images, str(epochs), out],
            "command": ["-m", "counterfeit", "train", name, f"--data={images}", "--device=cpu",
                        f"--epochs={epochs}", f"--out={out}", "--quiet"],
        }[contender]  # fmt: skip
        started = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        return time.perf_counter() - started


def whole_processes(
    name: str, images: str, epochs: tuple[int, int], repeats: int
) -> dict[str, list[float]]:
    """Seconds an epoch of each contender: two processes' difference over that of their epochs."""
    few, many = epochs
    seconds: dict[str, list[float]] = {"plain": [], "library": [], "command": []}
    for _ in range(repeats):
        for contender, values in seconds.items():
            short, long = (process(contender, name, images, count) for count in (few, many))
            values.append((long - short) / (many - few))
    return seconds


def say(name: str, contender: str, values: list[float]) -> float:
    """Print the median with its range; return the median."""
    median = statistics.median(values)
    spread = f"[{min(values):.2f}, {max(values):.2f}]"
    print(f"{name:20} {contender:16} {median:7.2f} s an epoch  {spread}", flush=True)
    return median


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "recipes", nargs="*", default=["sgd", "adam", "batchnorm-smoothing", "paper"]
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100, help="steps of plain and floor a repeat")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--data", default="mnist", help="or a folder of IDX files of 28x28 images")
    parser.add_argument("--whole", action="store_true", help="whole processes, and nothing else")
    parser.add_argument("--epochs", type=int, nargs=2, default=[1, 7], help="of whole processes")
    parser.add_argument("--append", type=Path, help="add a JSON row for each recipe to this file")
    parser.add_argument("--compile", action="store_true", help="try torch.compile on convolutions")
    parser.add_argument("--keep-memory", action="store_true", help="as the command's process does")
    options = parser.parse_args()
    if options.keep_memory:
        keep_freed_memory()

    device = torch.device(options.device)
    facts = describe(device)
    print(
        f"{facts['device_name'] or facts['processor']}, {facts['threads']} threads,"
        f" torch {facts['torch']},"
        f" Python {platform.python_version()}; n = {options.repeats}, medians [min, max]"
    )
    if options.whole:
        for name in options.recipes:
            few, many = options.epochs
            measured = whole_processes(name, options.data, (few, many), options.repeats)
            medians = {each: say(name, each, values) for each, values in measured.items()}
            row = {"recipe": name, "n": options.repeats, "epochs": options.epochs, **facts}
            row |= {f"whole_{contender}_seconds": median for contender, median in medians.items()}
            row["whole_times_plain"] = medians["plain"] / medians["command"]
            row["whole_times_library"] = medians["command"] / medians["library"]
            cells = (f"{statistics.median(v):.2f} [{min(v):.2f}, {max(v):.2f}]"
                     for v in measured.values())  # fmt: skip
            print("| recipe | plain code, s an epoch | library | the command | times plain"
                  " | times the library's time |\n|---|---|---|---|---|---|")  # fmt: skip
            print(f"| {name} | {' | '.join(cells)} | {row['whole_times_plain']:.2f}"
                  f" | {row['whole_times_library']:.2f} |")  # fmt: skip
            if options.append:
                append_row(options.append, row)
        return
    convolutional = [each for each in options.recipes if recipe.load(each).generator.name != "mlp"]
    for name in convolutional:
        row = update_by_update(name, options.steps, options.repeats, compiled=options.compile)
        if options.append:
            append_row(options.append, row | {"n": options.repeats, **facts})
    folder = torchvision_folder(options.data)
    for name in [each for each in options.recipes if each not in convolutional]:
        spec = recipe.load(name).with_values({"data.name": options.data})
        images = spec.data.train_images or len(data.load(options.data))
        steps = images // spec.training.batch_size
        contenders = {
            "plain": plain(spec, folder, options.steps, device),
            "linear and mm": floor(spec, options.steps, device, fastest=False),
            "floor": floor(spec, options.steps, device),
            "counterfeit": ours(spec, device, "float32"),
            "bf16 floor": floor(spec, options.steps, device, torch.bfloat16),
            "counterfeit bf16": ours(spec, device, "bf16"),
        }
        for run in contenders.values() if device.type == "cuda" else ():
            run()  # its libraries start
        seconds: dict[str, list[float]] = {contender: [] for contender in contenders}
        for _ in range(options.repeats):
            for contender, run in contenders.items():
                scale = 1 if contender.startswith("counterfeit") else steps
                seconds[contender].append(run() * scale)
        row = {"recipe": name, "n": options.repeats, **facts}
        for contender, values in seconds.items():
            row[f"{contender.replace(' ', '_')}_seconds"] = say(name, contender, values)
        for bf16 in ("", "bf16_"):
            mine = row[f"counterfeit{'_bf16' if bf16 else ''}_seconds"]
            row[f"{bf16}times_plain"] = row["plain_seconds"] / mine
            row[f"{bf16}times_floor"] = mine / row[f"{bf16}floor_seconds"]
            if not bf16:
                row["times_linear_and_mm"] = mine / row["linear_and_mm_seconds"]
                print(f"{name:20} {row['times_linear_and_mm']:.2f} times F.linear and mm")
            print(
                f"{name:20} {'bf16' if bf16 else 'float32'}:"
                f" {row[f'{bf16}times_plain']:.2f} times as fast as plain code,"
                f" {row[f'{bf16}times_floor']:.2f} times its floor"
            )
        if options.append:
            append_row(options.append, row)


if __name__ == "__main__":
    main()
