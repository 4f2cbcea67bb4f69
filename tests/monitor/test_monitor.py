"""A loop that is not ours: its run, and that nothing of it is disturbed."""

import json
import pickle
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import foreign
import numpy as np
import pytest
import torch
from foreign import Z, digits, networks, play
from torch import distributed, nn
from torch.optim import Optimizer

import counterfeit
from counterfeit import data
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.monitor import Monitor
from counterfeit.run import Run

optimizer = sys.modules[Optimizer.__module__]


def seed(number: int = 3) -> None:
    torch.manual_seed(number)
    np.random.seed(number)  # noqa: NPY002
    random.seed(number)


def watch(G: nn.Module, D: nn.Module, out: Path, **more: Any) -> Monitor:
    given = {"data": "digits", "latents": torch.zeros(10, Z), "d_outputs": "logits", "quiet": True}
    return Monitor(G, D, out=out, **(given | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A loop of two epochs, watched and closed."""
    seed()
    G, D = networks()
    latents = torch.randn(30, Z)
    with watch(G, D, tmp_path_factory.mktemp("runs"), latents=latents, save=True) as monitor:
        play(G, D, update=monitor.update, epoch=monitor.epoch)
    return Run.open(monitor.run.path)


@pytest.mark.parametrize(
    "latents",
    [torch.ones(20, Z), lambda n: torch.randn(n, Z) * np.random.rand()],  # noqa: NPY002
    ids=["tensor", "function"],
)
def test_nothing_of_the_training_changes(tmp_path: Path, latents: Any) -> None:
    digits()  # what it imports draws from Python's random state
    seed()
    alone = play(*networks())
    seed()
    G, D = networks()
    with watch(G, D, tmp_path, latents=latents, save=True) as monitor:
        watched = play(G, D, update=monitor.update, epoch=monitor.epoch)
    for key in ("state", "gradients"):
        for one, other in zip(alone[key], watched[key], strict=True):
            assert torch.equal(one, other)
    assert torch.equal(alone["torch"], watched["torch"])
    assert np.array_equal(alone["numpy"], watched["numpy"])
    assert (alone["python"], alone["modes"]) == (watched["python"], watched["modes"])


def test_modes_are_each_modules_own(tmp_path: Path) -> None:
    G, D = networks()
    G.main[1].eval()  # frozen statistics, as in fine-tuning
    before = [module.training for module in (*G.modules(), *D.modules())]
    with watch(G, D, tmp_path) as monitor:
        monitor.epoch()
        assert [module.training for module in (*G.modules(), *D.modules())] == before


def test_a_closed_monitor_leaves_no_hook(tmp_path: Path) -> None:
    G, D = networks()
    watch(G, D, tmp_path).close()
    assert not G._forward_hooks
    assert not D._forward_pre_hooks
    assert not optimizer._global_optimizer_pre_hooks


def test_networks_can_be_copied_and_pickled_meanwhile(tmp_path: Path) -> None:
    G, D = networks()
    with watch(G, D, tmp_path) as monitor:
        average = deepcopy(G)
        again = pickle.loads(pickle.dumps(G))  # noqa: S301 - as torch.save of a module does
        for copy in (average, again):
            copy(torch.randn(4, Z))
        assert monitor._eyes.trained == 0  # not G's


def test_it_is_a_run(run: Run) -> None:
    assert run.recipe.generator.name == run.recipe.loss.name == "custom"
    assert run.recipe.discriminator.normalises
    assert (run.recipe.training.batch_size, run.recipe.training.epochs) == (foreign.BATCH, 2)
    assert run.recipe.value_range == (-1, 1)
    assert run.image_shape == (1, 8, 8)
    assert [(row["step"], row["epoch"]) for row in run.log] == [(5, 1), (10, 2)]
    for row in run.log:
        assert 0 < row["d_real_q05"] < row["d_real_q50"] < row["d_real_q95"] < 1
        assert min(row["d_grad_norm"], row["g_grad_norm"], row["images_per_second"]) > 0
    assert run.snapshot_epochs == [0, 1, 2]
    assert run.snapshot(2).shape == (30, 1, 8, 8)
    assert [row["step"] for row in run.vitals] == [0, 5, 10]


def test_what_is_not_known_stays_unsaid(run: Run) -> None:
    text = (run.path / "recipe.toml").read_text()
    for unknown in ("optimizer", "discriminator_steps", "generator_latents", "real_labels"):
        assert unknown not in text


def test_rows_are_the_losses_and_answers(tmp_path: Path) -> None:
    G, D = networks()
    answers = torch.tensor([[0.0], [2.0]])
    with watch(G, D, tmp_path) as monitor:
        for loss in (1.0, 2.0):
            monitor.update(
                d_loss=torch.tensor(loss),
                g_loss=3 * loss,
                d_real=answers,
                d_fake=-answers.squeeze(),
            )
        monitor.epoch()
    (row,) = monitor.run.log
    expected = answers.sigmoid().mean().item()
    assert (row["d_loss"], row["d_loss_last"], row["g_loss_last"]) == (1.5, 2.0, 6.0)
    assert row["d_real_mean"] == pytest.approx(expected)
    assert row["d_fake_mean"] == pytest.approx(1 - expected)
    assert row["d_real_q50"] == pytest.approx(answers.sigmoid().quantile(0.5).item(), abs=0.2)


@pytest.mark.parametrize(
    ("outputs", "column", "value"),
    [("probabilities", "d_real_mean", 0.25), ("scores", "score_real_mean", 0.25)],
)
def test_answers_of_every_kind(tmp_path: Path, outputs: str, column: str, value: float) -> None:
    with watch(*networks(), tmp_path, d_outputs=outputs) as monitor:
        monitor.update(d_real=torch.full((4, 1), 0.25), d_fake=torch.zeros(4, 1))
        monitor.epoch()
    (row,) = monitor.run.log
    assert row[column] == value
    assert ("score_gap" in row) == (outputs == "scores")


def test_means_are_enough_for_a_part(tmp_path: Path) -> None:
    with watch(*networks(), tmp_path) as monitor:
        monitor.update(d_loss=0.5, d_real=1.5, d_fake=torch.tensor(-1.0))
        monitor.epoch()
    (row,) = monitor.run.log
    assert row["d_real_mean"] == pytest.approx(torch.tensor(1.5).sigmoid().item())
    assert "d_real_q50" not in row
    assert "g_loss" not in row


def test_memory_that_is_written_into_again_is_copied(tmp_path: Path) -> None:
    """As a captured CUDA graph does."""
    buffer = torch.zeros(())
    with watch(*networks(), tmp_path) as monitor:
        for value in (1.0, 2.0, 3.0, 4.0):
            buffer.fill_(value)
            monitor.update(d_loss=buffer)
        buffer.fill_(100.0)
        monitor.epoch()
    (row,) = monitor.run.log
    assert (row["d_loss"], row["d_loss_last"]) == (3.0, 4.0)  # of 2, 3 and 4: the first is lost


def test_a_row_every_hundred_updates(tmp_path: Path) -> None:
    with watch(*networks(), tmp_path) as monitor:
        for _ in range(250):
            monitor.update(d_loss=1.0, d_real=torch.zeros(64))
        monitor.epoch()
        for _ in range(125):
            monitor.update(d_loss=1.0)
        epochs = [row["epoch"] for row in monitor.run.log]
    assert [row["step"] for row in monitor.run.log] == [100, 200, 250, 350, 375]
    assert epochs == [0.99, 0.99, 1, 1.4]  # of 22 batches at first, then as the last epoch was
    assert monitor.run.log[-1]["epoch"] == 1.5


def test_gradients_are_those_that_the_optimisers_take(tmp_path: Path) -> None:
    """When update is called, D's hold those of G's loss as well."""
    seed()
    G, D = networks()
    norms = []
    with watch(G, D, tmp_path) as monitor:
        hook = optimizer.register_optimizer_step_pre_hook(
            lambda stepping, *_: norms.append(
                nn.utils.get_total_norm([p.grad for p in stepping.param_groups[0]["params"]]).item()
            )
        )
        play(G, D, epochs=1, updates=1, update=monitor.update, epoch=monitor.epoch)
        hook.remove()
    (row,) = monitor.run.log
    assert [row["d_grad_norm"], row["g_grad_norm"]] == pytest.approx(norms)


@pytest.mark.parametrize("shape", [(64,), (8, 8), (1, 8, 8), (8, 8, 1)])
def test_images_of_every_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    seed()
    G, D = networks(*shape)
    with watch(G, D, tmp_path) as monitor:
        play(G, D, epochs=1, updates=2, update=monitor.update, epoch=monitor.epoch)
        G.eval()
        with torch.no_grad():
            expected = G(torch.zeros(10, Z)).view(-1, 1, 8, 8)
    wanted = data.as_uint8(expected, -1, 1).numpy()
    assert np.array_equal(monitor.run.snapshot(1), wanted)


@pytest.mark.parametrize(
    ("last", "found"),
    [(nn.Tanh(), (-1, 1)), (nn.Sigmoid(), (0, 1)), (nn.Hardtanh(), (-1, 1)), (nn.ReLU(), (0, 1))],
)
def test_the_range_is_found(tmp_path: Path, last: nn.Module, found: tuple[int, int]) -> None:
    with watch(*networks(last=last), tmp_path, latents=torch.randn(50, Z)) as monitor:
        assert monitor.run.recipe.value_range == found


class Pairs(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """Digits as torchvision's data sets hand them out."""

    def __init__(self) -> None:
        self.images, self.labels = digits(), data.load("digits").labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        assert self.labels is not None
        return self.images[index], int(self.labels[index])


@pytest.mark.parametrize(
    "kind", ["tensor", "array", "flat", "bytes", "dataset", "loader", "channels last"]
)
def test_data_without_a_name_are_kept(tmp_path: Path, kind: str) -> None:
    images = data.load("digits").images
    given = {
        "tensor": images.float() / 127.5 - 1,
        "array": images.numpy() / 255,
        "flat": images.flatten(1).float() / 255,
        "bytes": images.numpy(),
        "dataset": (pairs := Pairs()),
        "loader": torch.utils.data.DataLoader(pairs, batch_size=7),
        "channels last": images.permute(0, 2, 3, 1),
    }[kind]
    with watch(*networks(), tmp_path, data=given) as monitor:
        monitor.epoch()
    run = Run.open(monitor.run.path)
    train, test = run.load_split("train"), run.load_split("test")
    assert len(train) + len(test) == len(images)
    assert (train.labels is not None) == (kind in ("dataset", "loader"))
    known = {image.tobytes() for image in images.numpy()}
    assert {image.tobytes() for image in torch.cat([train.images, test.images]).numpy()} == known
    assert "spread" in run.vitals[-1]


def test_without_data_there_is_a_log_and_no_error(tmp_path: Path) -> None:
    seed()
    G, D = networks()
    with watch(G, D, tmp_path, data=None) as monitor:
        play(G, D, update=monitor.update, epoch=monitor.epoch)
    run = Run.open(monitor.run.path)
    assert len(run.log) == 2
    assert "spread" not in run.vitals[-1]
    with pytest.raises(CounterfeitError, match="given no data"):
        run.load_split("train")


def test_samples_come_of_the_loops_own_latents(run: Run) -> None:
    stored = run.stored_samples
    assert stored is not None
    assert (stored.step, stored.epoch) == (10, 2)
    assert len(stored.images) == 10 * foreign.BATCH
    assert torch.equal(run.sample(5), stored.images[:5])
    assert len({image.numpy().tobytes() for image in stored.images}) == len(stored.images)
    with pytest.raises(UsageError, match=r"ask for 640 at most"):
        run.sample(641)
    assert torch.equal(run.sample(5, step=10), stored.images[:5])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"labels": 3}, "not conditional"),
        ({"codes": 3}, "no categorical code"),
        ({"step": 9}, "of step 10 only"),
    ],
)
def test_what_kept_samples_cannot_be_is_refused(
    run: Run, asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        run.sample(5, **asked)


def test_its_step_is_known_without_its_images_and_its_log(run: Run, tmp_path: Path) -> None:
    copy = Run(shutil.copytree(run.path, tmp_path / "copy"))
    (copy.path / "log.jsonl").write_text("damaged")
    with pytest.raises(UsageError, match="keeps its last samples only"):
        copy.step_at(1)
    path = copy.path / "samples.npz"
    with np.load(path) as arrays:
        np.savez(path, images=np.zeros(3), step=arrays["step"], epoch=arrays["epoch"])
    assert copy.sampled_steps == [10]
    with pytest.raises(CounterfeitError, match="not hold this run's images"):
        copy.sample(1)
    np.savez(path, step=np.zeros(2))
    with pytest.raises(CounterfeitError, match="does not say its step"):
        _ = copy.sampled_steps


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize("samples", [0, 1, 2])
def test_few_samples_or_none(
    tmp_path: Path, samples: int, drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfeit.insight.vitals.EXAMINE_IMAGES", 1)
    seed()
    G, D = networks()
    latents = (lambda n: torch.randn(n, Z)) if drawn else torch.randn(10, Z)
    with watch(G, D, tmp_path, latents=latents, samples=samples) as monitor:
        play(G, D, update=monitor.update, epoch=monitor.epoch)
    kept = monitor.run.stored_samples
    assert (0 if kept is None else len(kept.images)) == samples
    assert "d_training" in monitor.run.vitals[-1]  # it was examined all the same
    assert monitor.run.snapshot(2).shape[1:] == (1, 8, 8)


def test_weights_are_kept_if_asked_for(run: Run) -> None:
    G, _ = networks()
    G.load_state_dict(run.checkpoint().part("generator"))
    assert run.checkpoint_steps == [10]
    with pytest.raises(CounterfeitError, match="network of the user's own"):
        run.generator()


class Conditional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.of_class = nn.Embedding(10, Z)
        self.main = nn.Sequential(nn.Linear(2 * Z, 64), nn.Sigmoid())

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        images: torch.Tensor = self.main(torch.cat([z, self.of_class(labels)], 1))
        return images


@pytest.mark.parametrize("named", [False, True])
def test_a_generator_of_classes(tmp_path: Path, named: bool) -> None:
    G, D = Conditional(), networks()[1]
    fixed = torch.randn(20, Z), torch.arange(20) % 10
    with watch(G, D, tmp_path, latents=fixed) as monitor:
        z, labels = torch.randn(64, Z), torch.randint(10, (64,))
        fake = G(z=z, labels=labels) if named else G(z, labels)
        monitor.update(d_fake=D(fake).detach())
        monitor.epoch()
    assert monitor.run.snapshot(1).shape == (20, 1, 8, 8)
    stored = monitor.run.stored_samples
    assert stored is not None
    assert torch.equal(stored.images, data.as_uint8(fake.detach().view(-1, 1, 8, 8), 0, 1))


def test_a_loop_goes_on_until_it_is_closed(tmp_path: Path) -> None:
    with watch(*networks(), tmp_path) as monitor, watch(*networks(), tmp_path, epochs=9) as other:
        for each in (monitor, other):
            each.update(d_loss=1.0)
            each.epoch()
        assert Run(monitor.run.path).recipe.training.epochs == 2  # one more, at least
    assert Run(monitor.run.path).recipe.training.epochs == 1
    assert Run(other.run.path).recipe.training.epochs == 9


def test_findings_are_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    G, D = networks()
    with watch(G, D, tmp_path, quiet=False) as monitor:
        for epoch in range(3):
            for _ in range(100):
                monitor.update(
                    d_loss=0.0,
                    g_loss=9.0,
                    d_real=torch.full((64,), 9.0),
                    d_fake=torch.full((64,), -9.0),
                )
            names = [finding.name for finding in monitor.epoch()]
            assert ("discriminator-overpowering" in names) == (epoch == 1)
    said = capsys.readouterr().err
    assert said.count("critical: discriminator-overpowering") == 1
    assert "Failing" in said  # the verdict


def test_pixels_that_are_no_numbers_are_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    G, D = networks()
    with watch(
        G, D, tmp_path, quiet=False, latents=lambda n: torch.randn(n, Z), epochs=3
    ) as monitor:
        monitor.update(d_loss=1.0)
        with torch.no_grad():
            G.main[0].bias.fill_(float("nan"))
        assert [finding.name for finding in monitor.epoch()] == ["non-finite"]
        assert monitor.epoch() == []
        monitor.update(d_loss=1.0)
    assert "Failing" in capsys.readouterr().err  # the verdict, though no samples can be kept


def test_a_full_disk_ends_no_training(tmp_path: Path) -> None:
    G, D = networks()
    with watch(G, D, tmp_path) as monitor:
        monitor.run.path.rename(tmp_path / "gone")
        with pytest.warns(UserWarning, match="your training goes on"):
            monitor.epoch()
        monitor.update(d_loss=1.0)
        assert monitor.epoch() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"d_outputs": "sigmoid"}, "d_outputs must be"),
        ({"latents": 5}, "latents must be"),
        ({"value_range": (0, 255)}, "value_range must be"),
        ({"value_range": np.zeros((2, 2))}, "value_range must be"),
        ({"data": 5}, "data must be"),
        ({"data": torch.zeros(9, 3, 8, 8)}, "3 x 8 x 8"),
        ({"label": "a/b"}, "label must be"),
        ({"epochs": 0}, "epochs must be"),
        ({"data": "no-such-place"}, "no-such-place"),
    ],
)
def test_wrong_arguments_write_nothing(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    G, D = networks()
    with pytest.raises(CounterfeitError, match=said) as error:
        watch(G, D, tmp_path, **wrong)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())
    assert not G._forward_hooks


def test_what_is_told_must_be_a_number(tmp_path: Path) -> None:
    with watch(*networks(), tmp_path) as monitor, pytest.raises(UsageError, match="d_loss must be"):
        monitor.update(d_loss="low")  # type: ignore[arg-type]


KILLED = """
import sys, torch, os, signal
from foreign import networks, play, Z
from counterfeit.monitor import Monitor
G, D = networks()
latents = torch.randn(9, Z)
monitor = Monitor(G, D, data="digits", latents=latents, d_outputs="logits", out=sys.argv[1])
play(G, D, update=monitor.update, epoch=monitor.epoch)
for _ in range(120):
    monitor.update(d_loss=1.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_loop_leaves_a_whole_run(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    (path,) = tmp_path.iterdir()
    run = Run.open(path)
    assert [row["step"] for row in run.log] == [5, 10, 110]
    assert run.snapshot_epochs == [0, 1, 2]
    assert run.stored_samples is not None
    json.loads((path / "environment.json").read_text())
    seed()
    with watch(*networks(), tmp_path) as monitor:
        assert monitor.run.path != path


def test_it_is_public() -> None:
    assert counterfeit.Monitor is Monitor


def test_a_buffer_of_latents_that_is_filled_again_gives_many_samples(tmp_path: Path) -> None:
    """As loops of 2017 do, without a trace that autograd keeps."""
    G, D = networks()
    noise = torch.empty(64, Z)
    with watch(G, D, tmp_path) as monitor:
        for _ in range(5):
            noise.data.normal_()
            monitor.update(d_fake=D(G(noise)))
        monitor.epoch()
    stored = monitor.run.stored_samples
    assert stored is not None
    assert len({image.numpy().tobytes() for image in stored.images}) >= 4 * 64


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    distributed.init_process_group("gloo", f"file://{tmp_path}/together", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("one_process")
def test_networks_spread_over_processes(tmp_path: Path) -> None:
    G, D = networks()
    with watch(*map(nn.parallel.DistributedDataParallel, (G, D)), tmp_path / "runs") as monitor:
        play(G, D, epochs=1, update=monitor.update, epoch=monitor.epoch)
    assert "main.0.weight" in monitor.run.recipe.generator.shapes
    assert monitor.run.log[-1]["g_grad_norm"] > 0


@pytest.mark.usefixtures("one_process")
def test_the_other_processes_watch_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    G, D = networks()
    with watch(G, D, tmp_path / "runs") as monitor:
        play(G, D, epochs=1, updates=1, update=monitor.update)
        assert monitor.epoch() == []
    assert not (tmp_path / "runs").exists()


def test_data_are_resized_to_what_the_loop_trains_on(tmp_path: Path) -> None:
    G = nn.Sequential(nn.Linear(Z, 3 * 16 * 16), nn.Tanh(), nn.Unflatten(1, (3, 16, 16)))
    with Monitor(
        G, data="digits", latents=torch.randn(9, Z), d_outputs="logits", out=tmp_path, quiet=True
    ) as monitor:
        monitor.update(d_loss=1.0)
        monitor.epoch()
    run = Run.open(monitor.run.path)
    assert (run.recipe.data.image_size, run.recipe.data.channels) == (16, 3)
    assert run.load_split("train").shape == run.image_shape == (3, 16, 16)
    assert "spread" in run.vitals[-1]
