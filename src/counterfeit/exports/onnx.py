"""Networks as ONNX, for onnxruntime in any language, and onnxruntime-web in browsers."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from counterfeit.exports.optional import needing
from counterfeit.exports.portable import Portable

if TYPE_CHECKING:
    import onnx

OPSET = 18
"""What PyTorch writes without a conversion, and every onnxruntime-web since 1.15 reads."""


def to_onnx(ready: Portable) -> bytes:
    """A network as an ONNX model, compared with the run's own by onnxruntime.

    Its inputs are `latents` (N, z), or `images` (N, C, H, W) in [0, 1], float32, and `labels` (N,),
    int64, where it is told classes; its output is `images` or `logits` (N,). N is any. Its metadata
    are the facts, those that are no text as JSON.

    Raises:
        UsageError: onnx, onnxscript or onnxruntime is not installed.
        CounterfeitError: it answers otherwise than the run's own network.
    """
    with needing("export"):
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401 - what torch.onnx writes with
    model = _model(ready)
    for name, fact in ready.facts.items():
        value = fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False)
        model.metadata_props.add(key=name, value=value)
    model.producer_name = "counterfeit"
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    given = {
        name: tensor.numpy() for name, tensor in zip(ready.input_names, ready.inputs, strict=True)
    }
    (answers,) = session.run([ready.output_name], given)
    ready.require_same(torch.from_numpy(answers), "the ONNX model")
    return content


def _model(ready: Portable) -> "onnx.ModelProto":
    several = torch.export.Dim("N", min=1)
    with _quiet():
        program = torch.onnx.export(
            ready.network,
            tuple(each[:2] for each in ready.inputs),
            dynamo=True,
            opset_version=OPSET,
            input_names=ready.input_names,
            output_names=[ready.output_name],
            dynamic_shapes=tuple({0: several} for _ in ready.inputs),
            verbose=False,
        )
    assert program is not None
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what PyTorch tells its own developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
