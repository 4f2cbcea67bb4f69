"""The recipe's optimisers, on PyTorch's fused implementations, and their schedules."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from counterfeit.recipe import AdamW, AnyOptimizer, Sgd
from counterfeit.recipe import Optimizer as Settings


class GraphableSgd(torch.optim.SGD):
    """SGD with momentum whose settings are tensors, so that a CUDA graph may replay its step with
    another learning rate and momentum: PyTorch's fused one would repeat those it was recorded with.
    """

    def __init__(self, parameters: list[nn.Parameter], lr: float, momentum: float) -> None:
        super().__init__(parameters, lr=lr, momentum=momentum)
        (group,) = self.param_groups
        for name in ("lr", "momentum"):
            group[name] = torch.tensor(group[name], device=parameters[0].device)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        (group,) = self.param_groups
        parameters = group["params"]
        gradients = [parameter.grad for parameter in parameters]
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        velocities = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_mul_(velocities, group["momentum"])
        torch._foreach_add_(velocities, gradients)
        torch._foreach_sub_(parameters, torch._foreach_mul(velocities, group["lr"]))


def build(network: nn.Module, spec: Settings, *, graphed: bool = False) -> Optimizer:
    """The optimiser that the recipe names, for the parameters that are trained.

    Args:
        graphed: for a step that a CUDA graph replays: what `schedule` sets are tensors then.
    """
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    fused = all(parameter.is_cuda or parameter.is_cpu for parameter in parameters)
    if isinstance(spec, Sgd):
        if graphed:
            return GraphableSgd(parameters, spec.lr, spec.momentum)
        return torch.optim.SGD(parameters, lr=spec.lr, momentum=spec.momentum, fused=fused)
    lr = torch.tensor(spec.lr, device=parameters[0].device) if graphed else spec.lr
    settings: dict[str, Any] = {
        "betas": spec.betas,
        "eps": spec.eps,
        "fused": fused,
        "capturable": graphed,
    }
    if isinstance(spec, AdamW):
        return torch.optim.AdamW(parameters, lr=lr, weight_decay=spec.weight_decay, **settings)
    return torch.optim.Adam(parameters, lr=lr, **settings)


def schedule(
    optimizer: Optimizer,
    spec: Settings,
    update: int,
    epoch: float,
    share: float = 1.0,
    epochs: float = math.inf,
) -> None:
    """Set the learning rate and momentum for update number `update`, counted from 0, after `epoch`
    of `epochs` epochs.

    The rate is `share` of what `spec` says, in its warm-up and where it falls to the end still
    less. SGD's is max(lr_min, lr / lr_decay^update), and its momentum rises linearly from the
    ramp's first epoch to its last, which are counted from 1.

    Source: pylearn2's `ExponentialDecay` and `MomentumAdjustor`, as mnist.yaml uses them; the
    latter counts once before training, so that its count is the epoch's number from 1. Their
    velocity holds the learning rate and PyTorch's does not: the difference is the decay of one
    update, a factor of 1.000004. Where momentum is 0 PyTorch keeps no velocity, and would start
    from none when it rises: a schedule's 0 is therefore the least positive float.
    """
    group = optimizer.param_groups[0]
    share *= min(1.0, (update + 1) / spec.warmup) if spec.warmup else 1.0
    share *= _left(spec, min(epoch / epochs, 1.0))
    if not isinstance(spec, Sgd):
        _set(group, "lr", share * spec.lr)
        return
    try:
        rate = spec.lr / spec.lr_decay**update
    except OverflowError:  # past the largest float
        rate = 0.0
    _set(group, "lr", share * max(spec.lr_min, rate))
    if spec.final_momentum is not None:
        start, end = spec.momentum_ramp
        progress = min(max((math.floor(epoch) + 1 - start) / (end - start), 0.0), 1.0)
        momentum = spec.momentum + progress * (spec.final_momentum - spec.momentum)
        _set(group, "momentum", max(momentum, math.ulp(0.0)))


def _left(spec: AnyOptimizer, done: float) -> float:
    """The share of the learning rate that its schedule leaves when that share of training is done;
    the cosine is that of Loshchilov and Hutter 2017 (arXiv 1608.03983), without restarts."""
    if spec.schedule == "linear":
        return 1 - done
    return (1 + math.cos(math.pi * done)) / 2 if spec.schedule == "cosine" else 1.0


def clipped(gradients: Sequence[Tensor], length: float) -> Sequence[Tensor]:
    """The gradients, scaled down where all together are longer.

    Source: Pascanu et al. 2013 (arXiv 1211.5063), algorithm 1.
    """
    share = (length / torch.nn.utils.get_total_norm(gradients)).clamp(max=1.0)
    return torch._foreach_mul(list(gradients), share)


def _set(group: dict[str, Any], name: str, value: float) -> None:
    if isinstance(group[name], Tensor):
        group[name].fill_(value)
    else:
        group[name] = value


def is_own(optimizer: Optimizer, parameters: Sequence[Tensor]) -> bool:
    """Whether it is as `build` makes them for these parameters, which are on the CPU and of one
    dtype, so that `step` is its step."""
    kind = type(optimizer)
    if kind not in (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD):
        return False
    *others, group = optimizer.param_groups
    unusual = {"weight_decay", "amsgrad", "maximize", "dampening", "nesterov"}
    if kind is torch.optim.AdamW:
        unusual.remove("weight_decay")
    return (
        not others
        and bool(group["fused"])
        and not any(group.get(option) for option in unusual)
        and not optimizer._optimizer_step_pre_hooks
        and not optimizer._optimizer_step_post_hooks
        and len(parameters) == len(group["params"])
        and all(
            ours is theirs and ours.is_cpu and ours.dtype == parameters[0].dtype
            for ours, theirs in zip(parameters, group["params"], strict=True)
        )
    )


def is_graphable(optimizer: Optimizer) -> bool:
    """Whether a CUDA graph of its step follows its schedule: it is as `build` makes it for one.

    Its settings are tensors then; numbers would stay as they were when the graph was recorded.
    """
    if type(optimizer) is GraphableSgd:
        return True
    return type(optimizer) in (torch.optim.Adam, torch.optim.AdamW) and all(
        isinstance(group["lr"], Tensor) and group["capturable"] for group in optimizer.param_groups
    )


def step(optimizer: Optimizer) -> None:
    """`optimizer.step()` of an optimiser that `build` made, on the CPU, to the bit.

    It calls the same fused update, without the hooks, checks and grouping around it, which take
    as long as the update itself where networks are small.
    """
    (group,) = optimizer.param_groups
    adam = isinstance(optimizer, torch.optim.Adam)
    parameters = group["params"]
    gradients = [parameter.grad for parameter in parameters]
    states = [optimizer.state[parameter] for parameter in parameters]
    if not states[0] and (adam or group["momentum"]):  # PyTorch makes it in its first step
        with torch.inference_mode(False):  # whose tensors no other code could change
            optimizer.step()
        return
    if adam:
        counts = [state["step"] for state in states]
        torch._foreach_add_(counts, 1)
        decoupled = isinstance(optimizer, torch.optim.AdamW)
        update = torch._fused_adamw_ if decoupled else torch._fused_adam_
        update(
            parameters,
            gradients,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            counts,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
    else:
        torch._fused_sgd_(
            parameters,
            gradients,
            [state["momentum_buffer"] for state in states] if group["momentum"] else [],
            weight_decay=0,
            momentum=group["momentum"],
            lr=group["lr"],
            dampening=0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
        )


def tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """The optimiser's state by name: `optimizer.<number of the parameter>.<name>`."""
    return {
        f"optimizer.{number}.{name}": value
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
        if isinstance(value, Tensor)
    }


def load(optimizer: Optimizer, named: dict[str, Tensor]) -> dict[str, Tensor]:
    """Restore what `tensors` returned, and return the tensors that are not the optimiser's.

    Raises:
        ValueError: they belong to other parameters, or to another optimiser.
    """
    state: dict[int, dict[str, Tensor]] = {}
    others: dict[str, Tensor] = {}
    for key, tensor in named.items():
        if key.startswith("optimizer."):
            _, number, name = key.split(".")
            state.setdefault(int(number), {})[name] = tensor.clone()  # a step changes it in place
        else:
            others[key] = tensor
    _require_fit(optimizer, state)
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    return others


def _require_fit(optimizer: Optimizer, state: dict[int, dict[str, Tensor]]) -> None:
    """Fused updates trust the shapes of their state: a wrong one corrupts the memory."""
    adam = isinstance(optimizer, torch.optim.Adam)
    names = {"step", "exp_avg", "exp_avg_sq"} if adam else {"momentum_buffer"}
    parameters = optimizer.param_groups[0]["params"]
    numbers = set(range(len(parameters)))
    if state and state.keys() != numbers:
        raise ValueError("state of other parameters")
    for number, of_one in state.items():
        if of_one.keys() != names:
            raise ValueError("state of another optimiser")
        for name, tensor in of_one.items():
            shape = torch.Size([]) if name == "step" else parameters[number].shape
            if tensor.shape != shape or tensor.dtype != torch.float32:
                raise ValueError("state of another shape or type")
    if adam and len({of_one["step"].item() for of_one in state.values()}) > 1:
        raise ValueError("state of several steps")
