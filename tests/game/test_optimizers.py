"""Schedules, as mnist.yaml's callbacks compute them; and state by name."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.game import optimizers


def paper_optimizer() -> tuple[torch.optim.Optimizer, recipe.Sgd]:
    spec = recipe.load("paper").generator.optimizer
    assert isinstance(spec, recipe.Sgd)
    return optimizers.build(torch.nn.Linear(2, 2), spec), spec


@pytest.mark.parametrize(
    ("update", "lr"), [(0, 0.1), (1, 0.1 / 1.000004), (500, 0.1 / 1.000004**500), (10**7, 1e-6)]
)
def test_the_learning_rate_is_divided_at_every_update(update: int, lr: float) -> None:
    optimizer, spec = paper_optimizer()
    optimizers.schedule(optimizer, spec, update, 0)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(lr, rel=1e-12)


@pytest.mark.parametrize(
    ("number", "momentum"),
    [(1, 0.5), (2, 0.5 + 0.2 / 249), (125, 0.5 + 0.2 * 124 / 249), (250, 0.7), (999, 0.7)],
)
def test_momentum_rises_from_the_1st_epoch_to_the_250th(number: int, momentum: float) -> None:
    optimizer, spec = paper_optimizer()
    optimizers.schedule(optimizer, spec, 0, number - 1)
    assert optimizer.param_groups[0]["momentum"] == pytest.approx(momentum, rel=1e-12)


def test_a_constant_schedule_stays() -> None:
    spec = recipe.Sgd(lr=0.01, momentum=0.9)
    optimizer = optimizers.build(torch.nn.Linear(2, 2), spec)
    optimizers.schedule(optimizer, spec, 10**6, 1000)
    assert optimizer.param_groups[0]["lr"] == 0.01
    assert optimizer.param_groups[0]["momentum"] == 0.9


@pytest.mark.parametrize(
    "spec", [recipe.Sgd(lr=0.1, momentum=0.9), recipe.Adam(lr=0.1), recipe.AdamW(lr=0.1)]
)
def test_state_survives_a_round_trip(spec: recipe.Optimizer) -> None:
    def trained(network: torch.nn.Linear, optimizer: torch.optim.Optimizer) -> None:
        network(torch.ones(3, 2)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    first, second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    one, two = optimizers.build(first, spec), optimizers.build(second, spec)
    trained(first, one)
    second.load_state_dict(first.state_dict())
    kept = {name: tensor.clone() for name, tensor in optimizers.tensors(one).items()}
    others = optimizers.load(two, kept | {"weight": torch.zeros(1)})
    assert list(others) == ["weight"]
    trained(first, one)
    trained(second, two)
    assert torch.equal(first.weight, second.weight)


def test_sgd_for_graphs_is_pytorchs_under_a_schedule() -> None:
    spec = recipe.Sgd(
        lr=0.1, lr_decay=1.5, momentum=0.5, final_momentum=0.9, momentum_ramp=(1.0, 4.0)
    )
    networks = [torch.nn.Linear(20, 30), torch.nn.Linear(20, 30)]
    networks[1].load_state_dict(networks[0].state_dict())
    own = optimizers.build(networks[0], spec)
    graphable = optimizers.GraphableSgd(list(networks[1].parameters()), spec.lr, spec.momentum)
    settings = [graphable.param_groups[0][name] for name in ("lr", "momentum")]
    rng = torch.Generator().manual_seed(0)
    for step in range(4):
        for one, other in zip(*(network.parameters() for network in networks), strict=True):
            one.grad = torch.randn(one.shape, generator=rng)
            other.grad = one.grad.clone()
        for optimizer in (own, graphable):
            optimizers.schedule(optimizer, spec, step, step)
            optimizer.step()
    for one, other in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(one, other)
    assert [setting.item() for setting in settings] == pytest.approx([0.1 / 1.5**3, 0.9])


PROBABILITIES = st.one_of(st.just(0.0), st.floats(0, 0.99))


@given(
    momentum=PROBABILITIES,
    final=PROBABILITIES,
    start=st.floats(0, 4),
    epochs=st.floats(0.5, 4),
    resumed=st.integers(0, 5),
)
def test_each_way_follows_momentums_schedule_and_resumes_to_the_bit(
    momentum: float, final: float, start: float, epochs: float, resumed: int
) -> None:
    spec = recipe.Sgd(
        lr=0.1, momentum=momentum, final_momentum=final, momentum_ramp=(start, start + epochs)
    )
    gradients = torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(0))

    def started(kind: str) -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
        network = torch.nn.Linear(3, 4, bias=False)
        torch.nn.init.zeros_(network.weight)
        if kind == "graphable":
            return network, optimizers.GraphableSgd([network.weight], spec.lr, spec.momentum)
        return network, optimizers.build(network, spec)

    def trained(kind: str, resumed: int | None = None) -> torch.Tensor:
        network, optimizer = started(kind)
        for epoch, gradient in enumerate(gradients):
            if epoch == resumed:
                weights, state = network.state_dict(), optimizers.tensors(optimizer)
                network, optimizer = started(kind)
                network.load_state_dict(weights)
                optimizers.load(optimizer, state)
            network.weight.grad = gradient.clone()
            optimizers.schedule(optimizer, spec, epoch, epoch)
            if kind == "short":
                optimizers.step(optimizer)
            else:
                optimizer.step()
        return network.weight.detach()

    weight = velocity = torch.zeros(4, 3, dtype=torch.float64)
    for epoch, gradient in enumerate(gradients):
        progress = min(max((epoch + 1 - start) / epochs, 0), 1)
        velocity = (momentum + progress * (final - momentum)) * velocity + gradient
        weight = weight - spec.lr * velocity

    for kind in ("plain", "short", "graphable"):
        whole = trained(kind)
        torch.testing.assert_close(whole.double(), weight, rtol=1e-5, atol=1e-6)
        assert torch.equal(trained(kind, resumed), whole)
    assert torch.equal(trained("short"), trained("plain"))


def test_momentum_may_start_after_updates_that_kept_no_velocity() -> None:
    spec = recipe.Sgd(lr=0.5)
    network = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    optimizer = optimizers.build(network, spec)
    network.weight.grad = torch.ones(1, 2)
    optimizers.step(optimizer)
    assert optimizers.tensors(optimizer) == {}
    optimizer.param_groups[0]["momentum"] = 0.5
    for _ in range(2):
        optimizers.step(optimizer)
    assert network.weight.tolist() == [[-0.5 * (1 + 1 + 1.5)] * 2]


@pytest.mark.parametrize(
    "spec",
    [
        recipe.Sgd(lr=0.1),
        recipe.Sgd(lr=0.1, momentum=0.9),
        recipe.Adam(lr=0.1, betas=(0.5, 0.9)),
        recipe.AdamW(lr=0.1, weight_decay=0.3),
    ],
)
@pytest.mark.parametrize("turns", [1, 2])
def test_the_short_way_is_pytorchs_own_step_to_the_bit(spec: recipe.Optimizer, turns: int) -> None:
    """Also where PyTorch's own follows it."""
    networks = [torch.nn.Linear(20, 30), torch.nn.Linear(20, 30)]
    networks[1].load_state_dict(networks[0].state_dict())
    own, short = (optimizers.build(network, spec) for network in networks)
    rng = torch.Generator().manual_seed(0)
    for number in range(5):
        for one, other in zip(*(network.parameters() for network in networks), strict=True):
            one.grad = torch.randn(one.shape, generator=rng)
            other.grad = one.grad.clone()
        own.step()
        if number % turns:
            short.step()
        else:
            optimizers.step(short)
    for one, other in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.equal(one, other)
    for name, tensor in optimizers.tensors(own).items():
        assert torch.equal(tensor, optimizers.tensors(short)[name])


def test_a_decay_past_the_largest_float_ends_at_the_least_rate() -> None:
    spec = recipe.Sgd(lr=0.1, lr_decay=2.0, lr_min=1e-6)
    optimizer = optimizers.build(torch.nn.Linear(2, 2), spec)
    optimizers.schedule(optimizer, spec, 5000, 0)
    assert optimizer.param_groups[0]["lr"] == 1e-6


@pytest.mark.parametrize(
    "spec", [recipe.Sgd(lr=0.1, momentum=0.9), recipe.Adam(lr=0.1), recipe.AdamW(lr=0.1)]
)
def test_a_state_that_does_not_fit_is_refused_before_it_can_do_harm(
    spec: recipe.Optimizer,
) -> None:
    network = torch.nn.Linear(2, 3)
    optimizer = optimizers.build(network, spec)
    network(torch.ones(3, 2)).square().sum().backward()
    optimizer.step()
    kept = dict(optimizers.tensors(optimizer))
    name = next(key for key in kept if not key.endswith("step"))
    for damage in (
        {name: kept[name][:1]},
        {name: kept[name].double()},
        {"optimizer.2." + name.split(".")[-1]: kept[name]},
        {"optimizer.0.max_exp_avg_sq": kept[name]},
        {"optimizer.x.y": kept[name]},
        {"optimizer.0.step": torch.zeros(3)},
        {"optimizer.0.step": torch.tensor(7.0)},
    ):
        with pytest.raises(ValueError, match=r"state of|invalid literal"):
            optimizers.load(optimizer, kept | damage)
    with pytest.raises(ValueError, match="state of other parameters"):
        optimizers.load(optimizer, {key: kept[key] for key in kept if ".0." in key})
    optimizers.load(optimizer, {})
    optimizers.load(optimizer, kept)


@pytest.mark.parametrize(
    "spec",
    [
        recipe.Adam(lr=0.1),
        recipe.AdamW(lr=0.1),
        recipe.Sgd(lr=0.1, lr_decay=1.5),
        recipe.Sgd(lr=0.1, momentum=0.5, final_momentum=0.9, momentum_ramp=(1.0, 4.0)),
    ],
)
def test_what_a_schedule_sets_is_no_number_where_a_graph_would_freeze_it(
    spec: recipe.Optimizer,
) -> None:
    """The kind: a setting in Python that a replayed step does not read again."""
    network = torch.nn.Linear(2, 2)
    optimizer = optimizers.build(network, spec, graphed=True)
    group = optimizer.param_groups[0]
    before = {name: value for name, value in group.items() if isinstance(value, torch.Tensor)}
    numbers = {name: value for name, value in group.items() if type(value) is float}
    optimizers.schedule(optimizer, spec, 3, 2, share=0.5)
    assert before["lr"] is group["lr"]
    assert group["lr"].item() == pytest.approx(0.05 / getattr(spec, "lr_decay", 1.0) ** 3)
    assert numbers == {name: value for name, value in group.items() if type(value) is float}


@pytest.mark.parametrize(
    ("settings", "shares"),
    [
        ({}, [1, 1, 1, 1, 1]),
        ({"schedule": "linear"}, [1, 0.75, 0.5, 0.25, 0]),
        ({"schedule": "cosine"}, [1, 0.8536, 0.5, 0.1464, 0]),
        ({"warmup": 20}, [0.05, 0.55, 1, 1, 1]),
        ({"warmup": 40, "schedule": "linear"}, [0.025, 0.75 * 11 / 40, 0.5 * 21 / 40, 31 / 160, 0]),
    ],
)
@pytest.mark.parametrize("kind", [recipe.Sgd, recipe.Adam, recipe.AdamW])
def test_rates_rise_and_fall_as_they_are_asked_to(kind, settings, shares: list[float]) -> None:
    """Over 8 epochs of 5 updates each, with half the rates that the recipe has."""
    spec = kind(lr=0.2, **settings)
    optimizer = optimizers.build(torch.nn.Linear(2, 2), spec)
    for epoch, share in zip(range(0, 10, 2), shares, strict=True):
        optimizers.schedule(optimizer, spec, 5 * epoch, epoch, 0.5, epochs=8)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * share, abs=1e-5)
    optimizers.schedule(optimizer, spec, 50, 9, 0.5, epochs=8)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * shares[-1])


def test_weights_decay_beside_adams_step() -> None:
    network = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.ones_(network.weight)
    optimizer = optimizers.build(network, recipe.AdamW(lr=0.1, weight_decay=0.5))
    network.weight.grad = torch.zeros(1, 2)
    optimizers.step(optimizer)
    optimizers.step(optimizer)
    assert network.weight.tolist() == [[pytest.approx(0.95**2)] * 2]


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=6), st.floats(0.01, 1e3))
def test_gradients_are_clipped_all_together(values: list[float], limit: float) -> None:
    gradients = [torch.tensor(values[:1]), torch.tensor(values[1:])]
    length = torch.tensor(values).norm().item()
    clipped = optimizers.clipped(gradients, limit)
    if length <= limit * (1 - 1e-6):
        assert all(torch.equal(a, b) for a, b in zip(gradients, clipped, strict=True))
    else:
        assert torch.cat(list(clipped)).norm().item() == pytest.approx(min(limit, length), rel=1e-4)
        shares = torch.tensor(values) * (min(limit, length) / length)
        torch.testing.assert_close(torch.cat(list(clipped)), shares, rtol=1e-4, atol=1e-6)
