"""The recipe's optimisers, on PyTorch's fused implementations, and their schedules."""

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from counterfeit.recipe import Adam, Sgd


def build(network: nn.Module, spec: Sgd | Adam) -> Optimizer:
    """The optimiser that the recipe names, for the parameters that are trained."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in parameters)
    if isinstance(spec, Adam):
        return torch.optim.Adam(parameters, lr=spec.lr, betas=spec.betas, eps=spec.eps, fused=fused)
    return torch.optim.SGD(parameters, lr=spec.lr, momentum=spec.momentum, fused=fused)


def schedule(optimizer: Optimizer, spec: Sgd | Adam, update: int, epoch: int) -> None:
    """Set the learning rate and momentum for update number `update`, in epoch number `epoch`.

    Both are counted from 0. lr = max(lr_min, lr / lr_decay^update); momentum rises linearly from
    the ramp's first epoch to its last, which are counted from 1.

    Source: pylearn2's `ExponentialDecay` and `MomentumAdjustor`, as mnist.yaml uses them; the
    latter counts once before training, so that its count is the epoch's number from 1. Their
    velocity holds the learning rate and PyTorch's does not: the difference is the decay of one
    update, a factor of 1.000004.
    """
    if isinstance(spec, Adam):
        return
    group = optimizer.param_groups[0]
    try:
        group["lr"] = max(spec.lr_min, spec.lr / spec.lr_decay**update)
    except OverflowError:  # past the largest float
        group["lr"] = spec.lr_min
    if spec.final_momentum is not None:
        start, end = spec.momentum_ramp
        progress = min(max((epoch + 1 - start) / (end - start), 0.0), 1.0)
        group["momentum"] = spec.momentum + progress * (spec.final_momentum - spec.momentum)


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
            state.setdefault(int(number), {})[name] = tensor
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
    if not state.keys() <= numbers or (adam and state and state.keys() != numbers):
        raise ValueError("state of other parameters")
    for number, of_one in state.items():
        if of_one.keys() != names:
            raise ValueError("state of another optimiser")
        for name, tensor in of_one.items():
            shape = torch.Size([]) if name == "step" else parameters[number].shape
            if tensor.shape != shape or tensor.dtype != torch.float32:
                raise ValueError("state of another shape or type")
