"""Matrix products, by the faster of the two libraries that PyTorch carries.

oneDNN takes large x W^T and g W, MKL takes g^T x and what is small. Their bits do not depend on the
number of threads.
"""

import torch
from torch import Tensor, nn


def _onednn_dtypes() -> set[torch.dtype]:
    """What oneDNN multiplies on this processor; nothing where PyTorch lacks it."""
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return set()
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return {torch.float32}
    return {torch.float32, torch.bfloat16}


ONEDNN = _onednn_dtypes()


SMALL = 2**22
"""Multiplications of a float32 product below which oneDNN's preparations cost more than it saves;
measured on shapes of the recipes."""


def times_transposed(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x weight^T + bias, by oneDNN where it can and where it pays.

    With one row of weights MKL would split a sum among the threads, see `transposed_times`.
    """
    if len(weight) == 1 and x.dtype == torch.float32:
        y = torch.sum(x * weight, 1, keepdim=True)
        return y if bias is None else y.add_(bias)
    small = x.dtype == torch.float32 and len(x) * weight.numel() < SMALL
    if small or x.dtype not in ONEDNN:
        return nn.functional.linear(x, weight, bias)
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return out


def times(g: Tensor, weight: Tensor) -> Tensor:
    """g weight, by what is fastest."""
    return (
        torch.mm(g, weight) if g.dtype == torch.bfloat16 else times_transposed(g, weight.t(), None)
    )


def transposed_times(g: Tensor, x: Tensor, out: Tensor) -> None:
    """g^T x. A product with a vector is a sum that MKL splits among the threads, so that its bits
    depend on their number; with a matrix of that column twice it is not.
    """
    if g.shape[1] == 1:
        out.copy_(torch.mm(g.expand(-1, 2).t(), x)[:1])
    else:
        torch.mm(g.t(), x, out=out)
