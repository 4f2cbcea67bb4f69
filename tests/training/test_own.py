"""Networks and losses of the user's own: trained in place, resumed to the bit, never half begun."""

import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import softplus

import counterfeit
from counterfeit import data, recipe
from counterfeit.errors import CounterfeitError, Interrupted, UsageError
from counterfeit.game import losses
from counterfeit.run import Run
from counterfeit.training import loop
from counterfeit.training.fork import fork
from own_networks import Discriminator, Generator, pair, small


def tensors(run: Run) -> dict[str, Tensor]:
    return dict(run.checkpoint().tensors)


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


class Legacy(nn.Module):
    """D with the weight_norm and spectral_norm of old, whose weights each pass makes anew."""

    def __init__(self) -> None:
        super().__init__()
        with pytest.warns(FutureWarning):
            first = nn.utils.weight_norm(nn.Linear(64, 16))
        self.main = nn.Sequential(
            nn.Flatten(), first, nn.ReLU(), nn.utils.spectral_norm(nn.Linear(16, 1))
        )

    def forward(self, images: Tensor) -> Tensor:
        said: Tensor = self.main(images)
        return said


class Tied(nn.Module):
    """G with one weight under two names, a frozen one, and a buffer that counts its passes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(100, 64)
        self.one, self.other = nn.Linear(64, 64), nn.Linear(64, 64)
        self.other.weight = self.one.weight
        self.first.weight.requires_grad_(False)
        self.register_buffer("passes", torch.tensor(0))

    def forward(self, z: Tensor) -> Tensor:
        if self.training:
            self.passes += 1
        hidden = self.one(self.first(z).relu()).relu()
        return torch.tanh(self.other(hidden)).view(-1, 8, 8)


class Numpys(Generator):
    """With draws of NumPy's and Python's global generators."""

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return super().forward(z * (0.9 + 0.1 * np.random.rand() + 0.1 * random.random()))  # noqa: NPY002


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "both": (pair, {}),
    "G alone": (lambda: {"generator": Generator()}, {}),
    "D alone": (lambda: {"discriminator": Discriminator()}, {}),
    "D of old norms": (lambda: {"discriminator": Legacy()}, {}),
    "tied and frozen": (lambda: {"generator": Tied()}, {"generator.ema_decay": 0.9}),
    "other generators": (lambda: {"generator": Numpys()}, {}),
    "a penalty and two steps": (
        pair,
        {"penalties.gradient.weight": 1.0, "training.discriminator_steps": 2},
    ),
    "bf16": (pair, {"training.precision": "bf16"}),
    "compiled": (
        lambda: {k: torch.compile(each, backend="eager") for k, each in pair().items()},
        {},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_is_resumed_to_the_bit_by_fresh_modules(case: str, tmp_path: Path) -> None:
    make, values = CASES[case]
    spec = small(**values)
    data.load("digits")  # what it imports draws from Python's random state
    torch.manual_seed(0)
    modules = make()
    torch.manual_seed(0)
    twins = make()
    states = torch.get_rng_state(), np.random.get_state()[1], random.getstate()  # noqa: NPY002
    whole = loop.train(spec, **modules, epochs=3, out=tmp_path / "whole", device="cpu")
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    assert random.getstate() == states[2]

    part = loop.train(spec, **twins, epochs=1, out=tmp_path / "part", device="cpu")
    torch.manual_seed(1)
    fresh = make()  # other weights
    again = loop.resume(part.path, **fresh, epochs=3, device="cpu")
    assert_same(tensors(whole), tensors(again))
    for epoch in whole.snapshot_epochs:
        assert np.array_equal(whole.snapshot(epoch), again.snapshot(epoch))
    for player, module in fresh.items():  # trained in place, as the first ones were
        saved = whole.checkpoint().part(player)
        for name, tensor in getattr(module, "_orig_mod", module).state_dict().items():
            assert torch.equal(tensor, saved[name]), name


def test_a_fork_goes_on_with_the_users_modules_as_its_parent_would(tmp_path: Path) -> None:
    modules = pair()
    whole = loop.train(small(), **deepcopy(modules), epochs=3, out=tmp_path / "whole", device="cpu")
    parent = loop.train(small(), **modules, epochs=1, out=tmp_path / "part", device="cpu")
    child = fork(parent, parent.recipe.with_values({"training.epochs": 3}), **pair())
    again = loop.resume(child, **pair(), device="cpu")
    assert_same(tensors(whole), tensors(again))
    slower = parent.recipe.with_values({"generator.optimizer.lr": 1e-5, "training.epochs": 2})
    assert loop.resume(fork(parent, slower, **pair()), **pair()).log[-1]["epoch"] == 2


class Batched(Discriminator):
    def __init__(self) -> None:
        super().__init__()
        self.main.insert(2, nn.BatchNorm1d(32))


@pytest.mark.parametrize(
    ("values", "modules", "why"),
    [
        ({}, {}, r"fork\(…, generator=Generator\(…\), discriminator=Batched\(…\)\) takes them"),
        ({}, {"generator": Generator()}, r"fork\(…, discriminator=Batched"),
        ({}, {"generator": Generator(latents=9), "discriminator": Batched()}, "the generator, on"),
        ({}, {"generator": Generator(), "discriminator": Discriminator()}, "Discriminator is not"),
        ({"latent.dim": 9}, {"generator": Generator(), "discriminator": Batched()}, r"\(2, 9\)"),
        (
            {"penalties.gradient.weight": 1.0},
            {"generator": Generator(), "discriminator": Batched()},
            "D with BatchNorm mixes",
        ),
        (
            {"data.image_size": 16},
            {"generator": Generator(), "discriminator": Batched()},
            r"the generator must make images \(2, 1, 16, 16\)",
        ),
    ],
)
def test_a_fork_that_the_users_modules_cannot_go_on_with_is_refused(
    tmp_path: Path, values: dict[str, object], modules: dict[str, Any], why: str
) -> None:
    own = {"generator": Generator(), "discriminator": Batched()}
    parent = loop.train(small(), **own, epochs=1, out=tmp_path, device="cpu")
    before = list(tmp_path.iterdir())
    with pytest.raises(UsageError, match=why):
        fork(parent, parent.recipe.with_values(values), **modules)
    assert list(tmp_path.iterdir()) == before


def test_a_run_that_was_stopped_before_its_first_epoch_goes_on_from_the_users_weights(
    tmp_path: Path,
) -> None:
    """Fresh modules have other ones; a killed process leaves the same files as this signal."""
    torch.manual_seed(0)
    modules = pair()
    twins = {player: deepcopy(module) for player, module in modules.items()}
    whole = loop.train(small(), **modules, epochs=1, out=tmp_path / "whole")

    def die(run: Run, epoch: int, generator: nn.Module) -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        loop.train(small(), **twins, epochs=1, out=tmp_path / "part", on_epoch=[die])
    (path,) = (tmp_path / "part").iterdir()
    (checkpoint, *newer) = Run.open(path).checkpoint_steps
    assert checkpoint == 0
    for step in newer:
        Run.open(path).remove_checkpoint(step)
    assert_same(tensors(whole), tensors(loop.resume(path, **pair())))


def test_frozen_weights_and_modes_stay(tmp_path: Path) -> None:
    module = Generator()
    module.main[0].requires_grad_(False)
    module.main[1].eval()
    before = deepcopy(module.state_dict())
    loop.train(small(), generator=module, epochs=1, out=tmp_path)
    after = module.state_dict()
    assert torch.equal(before["main.0.weight"], after["main.0.weight"])
    assert torch.equal(before["main.1.running_mean"], after["main.1.running_mean"])
    assert not torch.equal(before["main.4.weight"], after["main.4.weight"])
    assert module.main[3].training


def test_a_module_in_eval_mode_is_put_into_training_mode(tmp_path: Path) -> None:
    module = Generator().eval()
    loop.train(small(), generator=module, epochs=1, out=tmp_path)
    assert module.main[1].training
    assert int(module.main[1].num_batches_tracked) > 0


def test_the_recipe_says_what_is_known_and_no_code(tmp_path: Path) -> None:
    run = Run.open(loop.train(small(), **pair(), epochs=1, out=tmp_path).path)
    G, D = run.recipe.generator, run.recipe.discriminator
    assert isinstance(G, recipe.CustomGenerator)
    assert (G.name, G.label, G.batch_norm, G.output) == ("custom", "Generator", True, "tanh")
    assert G.shapes["main.0.weight"] == (32, 100)
    assert (D.name, D.optimizer) == ("custom", recipe.load("adam").discriminator.optimizer)
    assert run.recipe.value_range == (-1, 1)
    assert run.recipe.training == small(**{"training.epochs": 1}).training


def test_a_run_opened_later_has_its_stored_samples_and_takes_its_modules(tmp_path: Path) -> None:
    run = loop.train(small(), **pair(), epochs=2, out=tmp_path)
    images = run.sample(2_000)
    later = Run.open(run.path)
    assert torch.equal(later.sample(2_000), images)
    with pytest.raises(UsageError, match="keeps 2,000 samples"):
        later.sample(2_001)
    with pytest.raises(CounterfeitError, match="only the code that made it"):
        later.generator()
    later.attach(**pair())
    assert torch.equal(later.sample(2_000), images)
    assert len(later.sample(2_001)) == 2_001
    assert not torch.equal(later.sample(9, seed=1), later.sample(9))
    images_of_d = torch.zeros(3, 1, 8, 8)
    assert torch.equal(
        later.discriminator().forward(images_of_d), run.discriminator().forward(images_of_d)
    )
    with pytest.raises(UsageError, match="is not the generator that"):
        Run.open(run.path).attach(generator=Tied())


def test_conditional_recipes_tell_their_modules_classes(tmp_path: Path) -> None:
    spec = small("conditional", **{"latent.dim": 100})
    modules = pair(classes=10)
    run = loop.train(spec, **modules, epochs=2, out=tmp_path / "a")
    later = Run.open(run.path)
    labels = run.labels(50)
    assert labels is not None
    assert torch.equal(later.labels(50), labels[:50]) or len(set(labels.tolist())) > 1
    assert torch.equal(later.sample(50), run.sample(2_000)[:50])
    with pytest.raises(UsageError, match="attach"):
        later.sample(5, labels=7)
    later.attach(generator=Generator(classes=10))
    assert len(later.sample(5, labels=7)) == 5
    with pytest.raises(UsageError, match="on latents"):
        loop.train(spec, generator=nn.Linear(100, 64), out=tmp_path / "b")  # takes no labels
    with pytest.raises(UsageError, match="leave discriminator= out"):
        loop.train(small("acgan"), discriminator=Discriminator(), out=tmp_path / "b")
    assert not (tmp_path / "b").exists()


def least_squares(real: Tensor, fake: Tensor) -> Tensor:
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def generators_part(fake: Tensor) -> Tensor:
    return (fake - 1).square().mean() / 2


class Relativistic:
    """The package's own, as a user writes it."""

    relative = True

    def discriminator(self, real: Any, fake: Any) -> Tensor:
        return softplus(fake.logits - real.logits).mean()

    def generator(self, fake: Any, real: Any) -> Tensor:
        return softplus(real.logits - fake.logits).mean()


@pytest.mark.parametrize(
    ("own", "name"),
    [
        ((least_squares, generators_part), "least-squares"),
        (Relativistic(), "relativistic"),
        (Relativistic, "relativistic"),
    ],
)
def test_a_loss_of_ones_own_is_the_recipes_where_it_computes_the_same(
    own: Any, name: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    module = Generator()
    mine = loop.train(
        small(), generator=deepcopy(module), loss=own, epochs=2, out=tmp_path / "mine"
    )
    theirs = loop.train(
        small(), generator=deepcopy(module), loss=name, epochs=2, out=tmp_path / "theirs"
    )
    assert_same(tensors(mine), tensors(theirs))
    assert (mine.recipe.loss.name, theirs.recipe.loss.name) == ("custom", name)
    assert "score_gap" in mine.log[-1]
    with pytest.raises(UsageError, match="loss="):
        loop.resume(mine.path, generator=Generator(), epochs=3)
    assert loop.resume(mine.path, generator=Generator(), loss=own, epochs=3).checkpoint().epoch == 3


class Doubted(Discriminator):
    """Ends in a sigmoid that is no module."""

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return torch.sigmoid(super().forward(images, labels))


class Silent(Discriminator):
    """Begins with the same logit for all images."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        nn.init.zeros_(self.main[-1].weight)
        nn.init.constant_(self.main[-1].bias, logit)


@pytest.mark.parametrize(
    ("D", "values", "doubted"),
    [
        (Doubted, {}, True),
        (Doubted, {"loss.name": "least-squares"}, False),
        (Discriminator, {}, False),
        (lambda: Silent(0.0), {}, False),
        (lambda: Silent(0.5), {}, False),
    ],
)
def test_a_sigmoid_that_is_no_module_is_doubted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, D: Any, values: dict[str, Any], doubted: bool
) -> None:
    for seed in range(3):  # some of which have only answers between 0 and 1
        torch.manual_seed(seed)
        caplog.clear()
        loop.train(small(**values), discriminator=D(), epochs=1, out=tmp_path, device="cpu")
        assert ("leave out the sigmoid" in caplog.text) == doubted


def test_parallel_modules_are_kept_under_their_own_names(tmp_path: Path) -> None:
    modules = pair()
    plain = loop.train(small(), **deepcopy(modules), epochs=2, out=tmp_path / "one", device="cpu")
    parallel = {player: nn.DataParallel(module) for player, module in modules.items()}
    begun = loop.train(small(), **parallel, epochs=1, out=tmp_path / "other", device="cpu")
    assert begun.recipe.generator.label == "Generator"
    again = loop.resume(begun.path, **pair(), epochs=2, device="cpu")
    assert_same(tensors(plain), tensors(again))


def test_the_name_of_losses_of_ones_own_is_no_loss(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"hand over the loss itself, as in loss=\(d_loss, g_loss"):
        loop.train(small(), loss="custom", out=tmp_path)


def test_a_loss_of_ones_own_may_be_of_probabilities(tmp_path: Path) -> None:
    class Mine(losses.NonSaturating):
        pass

    run = loop.train(small(), loss=Mine(), epochs=1, out=tmp_path)
    assert "d_real_mean" in run.log[-1]


def test_our_losses_are_said_in_the_recipe(tmp_path: Path) -> None:
    run = loop.train(small(), loss=losses.Hinge(), epochs=1, out=tmp_path / "a")
    assert run.recipe.loss.name == "hinge"
    run = loop.train(small(), loss=losses.Minimax(0.9), epochs=1, out=tmp_path / "b")
    assert run.recipe.loss == recipe.CrossEntropy(name="minimax", real_labels=(0.9, 0.9))
    with pytest.raises(UsageError, match=r"loss\.real_labels"):
        loop.train(small(), loss=losses.Minimax(torch.ones(50)), out=tmp_path / "c")


def test_resuming_asks_for_what_is_missing_and_refuses_others(tmp_path: Path) -> None:
    run = loop.train(small(), **pair(), epochs=1, out=tmp_path)
    files = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    other, G = Tied(), Generator()
    before = deepcopy(other.state_dict())
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, r"counterfeit\.resume\(.*generator=Generator\(…\), discriminator=Discriminator"),
        ({"generator": G}, r"discriminator=Discriminator\(…\)"),
        ({"generator": other, "discriminator": Discriminator()}, "passes was absent"),
        ({"generator": G, "discriminator": nn.Linear(64, 1)}, "weight was absent"),
        (pair() | {"loss": Relativistic()}, "leave loss= out"),
        (pair() | {"generator": G.main}, "generator"),
    ]
    for modules, said in wrong:
        with pytest.raises(UsageError, match=said):
            loop.resume(run.path, **modules, epochs=2)
    assert all(torch.equal(before[name], each) for name, each in other.state_dict().items())
    assert files == {path: path.read_bytes() for path in files}
    theirs = loop.train(small(), epochs=1, out=tmp_path)
    with pytest.raises(UsageError, match="leave generator= out"):
        loop.resume(theirs.path, generator=G, epochs=2)


def test_training_goes_back_to_the_users_own_weights(tmp_path: Path) -> None:
    """Where numbers go wrong before the first epoch ends, those are the newest sound ones."""

    class Explodes(Discriminator):
        calls = 0

        def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
            said = super().forward(images)
            if len(images) == 50:
                type(self).calls += 1
            return said * (float("nan") if type(self).calls == 4 else 1)

    run = loop.train(small(), discriminator=Explodes(), epochs=2, out=tmp_path, on_nan="rollback")
    assert run.rollbacks == [0]
    assert run.checkpoint().epoch == 2


class Raises(nn.Module):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.error = error

    def forward(self, *given: Any) -> Tensor:
        raise self.error


class Answers(nn.Module):
    """Answers with numbers of a shape and a kind, whatever it is asked."""

    def __init__(self, shape: tuple[int, ...], value: float, kind: str) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.shape, self.value, self.kind = shape, value, kind

    def forward(self, x: Tensor, *labels: Tensor) -> Any:
        made = torch.full((len(x), *self.shape), self.value) * self.weight
        match self.kind:
            case "detached":
                return made.detach()
            case "whole":
                return made.long()
            case "double":
                return made.double()
            case "pair":
                return made, made
            case "none":
                return None
            case "fewer":
                return made[1:]
        return made


class Frozen(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


shapes = st.lists(st.sampled_from([1, 2, 8, 64]), max_size=4).map(tuple)
values = st.sampled_from([0.0, 0.5, -1.0, 3.0, float("nan"), float("inf")])
kinds = st.sampled_from(["plain", "plain", "detached", "whole", "double", "pair", "none", "fewer"])
modules = st.one_of(
    st.builds(Answers, shapes, values, kinds),
    st.sampled_from(
        [RuntimeError("no\nway"), KeyError("x"), AssertionError(), CounterfeitError("c")]
    ).map(Raises),
    st.builds(nn.Linear, st.sampled_from([8, 64, 100]), st.sampled_from([1, 2, 64])),
    st.sampled_from(["dcgan", 7, nn.Linear, nn.Module(), Frozen(), b"", [nn.Linear(1, 1)], object]),
    st.builds(lambda: nn.LazyLinear(64)),
    st.builds(lambda: nn.Linear(100, 64, device="meta")),
    st.builds(lambda: nn.Linear(100, 64).double()),
    st.builds(lambda: nn.Linear(64, 1).bfloat16()),
    st.none(),
)
losses_ = st.one_of(
    st.none(),
    st.sampled_from(
        ["hinge", "no-such", 3, (), (len, len), (abs,), nn.Linear, nn.BCELoss(), object]
    ),
    st.sampled_from(
        [
            (least_squares, lambda fake: fake),
            (lambda real, fake: 1.0, generators_part),
            (lambda real, fake: real.sum() * float("nan"), generators_part),
            (lambda real: real.mean(), generators_part),
            (least_squares, lambda fake: fake.detach().mean()),
        ]
    ),
)


@settings(max_examples=100)
@given(modules, modules, losses_, st.sampled_from(["adam", "conditional", "acgan", "wgan-gp"]))
def test_whatever_is_handed_over_is_trained_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, G: Any, D: Any, loss: Any, name: str
) -> None:
    """Never a traceback of ours; and what is refused leaves no run."""
    out = tmp_path_factory.getbasetemp() / "any"
    before = set(out.iterdir()) if out.exists() else set()
    spec = TINY[name]
    message, run = "", None
    try:
        run = loop.train(spec, generator=G, discriminator=D, loss=loss, out=out, device="cpu")
    except CounterfeitError as error:
        message = str(error)
    if run is not None:
        assert run.checkpoint().epoch == 1
        return
    assert "\n" not in message
    assert 0 < len(message) < 600
    if set(out.iterdir() if out.exists() else ()) != before:  # begun, and diverged
        assert "NaN or infinite" in message


TINY = {
    name: small(
        name, **{"data.train_images": 20, "training.batch_size": 2, "training.epochs": 1}
    ).with_values({"training.batch_size": 4})
    for name in ("adam", "conditional", "acgan", "wgan-gp")
}


def test_an_interrupted_run_says_how_it_goes_on(tmp_path: Path) -> None:
    import os
    import signal

    def stop(row: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted) as caught:
        loop.train(small(), **pair(), epochs=5, out=tmp_path, on_row=[stop])
    assert "counterfeit.resume(" in str(caught.value)
    assert "generator=Generator(…)" in str(caught.value)
    run = Run.open(caught.value.run.path)
    assert run.stored_step == run.checkpoint_steps[-1]
    assert counterfeit.resume(run.path, **pair(), epochs=2).checkpoint().epoch == 2
