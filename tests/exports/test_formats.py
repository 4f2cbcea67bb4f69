"""Files that are written, and what becomes of them without counterfeit."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from foreign import Z, networks, play
from safetensors import safe_open
from safetensors.torch import save_file
from small_runs import KINDS, trained

import counterfeit
from counterfeit.errors import UsageError
from counterfeit.exports import portable
from counterfeit.exports.code import to_python
from counterfeit.exports.folder import to_weights
from counterfeit.exports.formats import Format
from counterfeit.exports.program import to_program
from own_networks import pair, small

FEW = [
    "acgan", "batchnorm-smoothing", "infogan", "r3gan-small", "dcgan, class norm and planes",
    "dcgan, embedding", "dcgan, nearest", "dcgan, pixel-shuffle",
]  # fmt: skip
"""Of each family, of each form of inputs, and with layers that see the batch."""


def imported(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_plain_pytorch_rebuilds_every_kind_of_network(kind: str, tmp_path) -> None:
    run = trained(kind, tmp_path)
    for player in ("generator", "discriminator"):
        ready = portable(run, player)
        (tmp_path / f"{player}.py").write_text(to_python(ready, player, "w.safetensors"))
        (tmp_path / "w.safetensors").write_bytes(to_weights(ready))
        module = imported(tmp_path / f"{player}.py")
        with torch.inference_mode():
            answers = module.load()(*ready.inputs)
        assert (answers - ready.answers).abs().max() <= 1e-5 * max(1, ready.answers.abs().max())
    latents = imported(tmp_path / "generator.py").latents(5000)
    drawn = portable(run).inputs[0]
    assert latents.shape == (5000, drawn.shape[1])
    assert torch.allclose(latents.mean(0), drawn.mean(0), atol=0.2)
    assert torch.allclose(latents.std(0), drawn.std(0), atol=0.2)


ALONE = """
import sys
sys.modules["counterfeit"] = None  # which makes an import of it fail
sys.path[0] = sys.argv[1]
import torch
from generator import load
from safetensors.torch import load_file
given = load_file(sys.argv[2])
with torch.inference_mode():
    images = load()(*(given[name] for name in ("latents", "labels") if name in given))
assert (images - given["images"]).abs().max() <= 1e-6, (images - given["images"]).abs().max()
print(len(images), any(name.startswith("counterfeit.") for name in sys.modules))
"""


def test_where_there_is_no_counterfeit(tmp_path) -> None:
    run = trained("dcgan, class norm and planes", tmp_path)
    path = counterfeit.export(run, "python")
    assert path == run.path / "exports" / "generator.py"
    ready = portable(run)
    given = dict(zip(ready.input_names, ready.inputs, strict=True)) | {"images": ready.answers}
    save_file({name: each.clone() for name, each in given.items()}, tmp_path / "given.safetensors")
    told = [sys.executable, "-c", ALONE, str(path.parent), str(tmp_path / "given.safetensors")]
    assert subprocess.run(told, capture_output=True, text=True, check=True).stdout == "1000 False\n"


@pytest.mark.parametrize("kind", FEW)
def test_programs_take_any_number_of_rows(kind: str, tmp_path) -> None:
    run = trained(kind, tmp_path)
    for player in ("generator", "discriminator"):
        ready = portable(run, player)
        path = tmp_path / "program.pt2"
        path.write_bytes(to_program(ready))
        facts: dict[str, str] = {"run": ""}
        program = torch.export.load(path, extra_files=facts).module()
        for count in (1, 3):
            given = [each[:count] for each in ready.inputs]
            assert torch.allclose(program(*given), ready.network(*given), atol=1e-5)
        assert facts["run"] == run.path.name


def test_a_folder_explains_itself(tmp_path) -> None:
    run = trained("conditional", tmp_path)
    folder = counterfeit.export(run.path, "safetensors", out=tmp_path / "model")
    names = {each.name for each in folder.iterdir()}
    assert names == {
        "README.md", "config.json", "generator.py", "model.safetensors", "samples.png",
    }  # fmt: skip
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: counterfeit\n")
    assert "Too early to judge, after 1 epoch" in card
    assert "CC BY 4.0" in card
    code = card.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(tuple(images.shape))"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "(16, 1, 8, 8)\n"
    config = json.loads((folder / "config.json").read_text())
    assert config["classes"] == list(map(str, range(10)))
    with safe_open(folder / "model.safetensors", "pt") as weights:
        assert weights.metadata()["run"] == run.path.name


def test_the_card_has_the_metrics_of_the_state_that_is_exported(tmp_path) -> None:
    run = trained("adam", tmp_path)
    step = run.checkpoint_steps[-1]
    metrics = {"fid_digits-v1-0_test_1k": (12.3456, 0.5), "share_1_1k": (0.1, 0.01)}
    run.append_metrics({"step": step, "epoch": 1.0, "metrics": metrics})  # type: ignore[typeddict-item]
    evidence = {"rolled_back_to": 0}
    run.append_finding({"step": step, "epoch": 1, "name": "nan", "evidence": evidence})
    run.add_real_scores({"fid_digits-v1-0_test_1k": (1.25, 0.1)})
    folder = counterfeit.export(run, "safetensors")
    card = (folder / "README.md").read_text()
    row = "| FID | 12.35 ± 0.50 | 1.25 ± 0.10 | lower is better | `fid_digits-v1-0_test_1k` |"
    assert row in card
    assert "share" not in card
    assert "- **nan** (warning, in epoch 1): " in card


def test_places_of_the_users_own_images_stay_at_home(tmp_path, digits28: Path) -> None:
    run = trained("adam", tmp_path)
    away = run.recipe.with_values({"data.name": str(digits28), "data.train_images": 100})
    run.change_recipe(away)
    facts = portable(run).facts
    assert facts["data"] == digits28.name
    assert str(digits28.parent) not in json.dumps(facts)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"format": "jpeg"}, "format must be 'onnx' or 'safetensors' or"),
        ({"network": "both"}, "network must be 'generator' or 'discriminator'"),
        ({"format": "onnx", "out": "x.pt"}, r"its name must end in \.onnx"),
        ({"format": "safetensors", "network": "discriminator"}, "is of a generator"),
        ({"epoch": 7}, "keeps no checkpoint of epoch 7"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(given: dict[str, Any], words: str, one_run) -> None:
    with pytest.raises(UsageError, match=words):
        counterfeit.export(one_run, **given)


@pytest.fixture(scope="module")
def one_run(tmp_path_factory):
    return trained("sgd", tmp_path_factory.mktemp("runs"))


def test_an_earlier_epoch(tmp_path) -> None:
    run = counterfeit.train(small(), out=tmp_path, epochs=2)
    facts = []
    for epoch in (1, 2):
        path = counterfeit.export(run, "python", epoch=epoch, out=tmp_path / "x.py")
        with safe_open(path.with_suffix(".safetensors"), "pt") as weights:
            facts.append(weights.metadata()["epoch"])
    assert facts == ["1.0", "2.0"]
    said = []
    for epoch in (1, 2):
        folder = counterfeit.export(run, "safetensors", epoch=epoch, out=tmp_path / "model")
        said.append("Of the run at its end, epoch 2: " in (folder / "README.md").read_text())
    assert said == [True, False]


def test_modules_of_ones_own_are_programs_and_nothing_else(tmp_path) -> None:
    torch.manual_seed(0)
    networks = pair()
    quiet = {**networks, "generator": _still(networks["generator"])}
    run = counterfeit.train(small(), **quiet, out=tmp_path, epochs=1)
    with pytest.raises(counterfeit.CounterfeitError, match="only the code that made it"):
        counterfeit.export(run.path, "torch")
    run.attach(**quiet)
    for player in ("generator", "discriminator"):
        path = counterfeit.export(run, "torch", network=player)
        ready = portable(run, player)
        answer = torch.export.load(path).module()(ready.inputs[0][:3])
        assert torch.allclose(answer, ready.answers[:3], atol=1e-5)
        with pytest.raises(UsageError, match="take the format torch"):
            counterfeit.export(run, "onnx", network=player)


def test_a_loop_that_only_reports_to_us_keeps_its_generator(tmp_path) -> None:
    generator, discriminator = networks()
    with counterfeit.Monitor(
        generator, discriminator, latents=torch.randn(10, Z), d_outputs="logits", out=tmp_path,
        save=True, quiet=True,
    ) as monitor:  # fmt: skip
        play(generator, discriminator, update=monitor.update, epoch=monitor.epoch)
    for name in get_args(Format):
        with pytest.raises(counterfeit.CounterfeitError, match="a training loop of your own"):
            counterfeit.export(monitor.run, name)


class _Still(torch.nn.Module):
    """The part of the user's generator that draws no noise."""

    def __init__(self, main: torch.nn.Module) -> None:
        super().__init__()
        self.main = main

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        images: torch.Tensor = self.main(z)
        return images.view(-1, 1, 8, 8)


def _still(generator: torch.nn.Module) -> torch.nn.Module:
    return _Still(generator.main)  # type: ignore[arg-type]


def test_a_module_that_draws_noise_cannot_be_exported(tmp_path) -> None:
    networks = pair()
    run = counterfeit.train(small(), **networks, out=tmp_path, epochs=1)
    run.attach(**networks)
    with pytest.raises(counterfeit.CounterfeitError, match="draws random numbers"):
        counterfeit.export(run, "torch")
