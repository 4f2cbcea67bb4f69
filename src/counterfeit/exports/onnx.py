"""Networks as ONNX, for onnxruntime in any language, and onnxruntime-web in browsers."""

import torch

from counterfeit.exports.facts import as_text
from counterfeit.exports.graph import graph_of
from counterfeit.exports.portable import Portable
from counterfeit.optional import needing


def to_onnx(ready: Portable) -> bytes:
    """A network as an ONNX model, compared with the run's own by onnxruntime.

    Its inputs are `latents` (N, z), or `images` (N, C, H, W) in [0, 1], float32, and `labels` (N,),
    int64, where it is told classes; its output is `images` or `logits` (N,). N is any. Its metadata
    are the facts, those that are no text as JSON.

    Raises:
        UsageError: it is a module of the user's own, or onnx or onnxruntime is not installed.
        CounterfeitError: it answers otherwise than the run's own network.
    """
    ready.require_plain()
    with needing("onnx", "onnxruntime"):
        import onnx
        import onnxruntime
    given = dict(zip(ready.input_names, ready.inputs, strict=True))
    two = {name: tensor[:2] for name, tensor in given.items()}
    model = graph_of(ready.network, two, ready.output_name)
    for name, fact in as_text(ready.facts).items():
        model.metadata_props.add(key=name, value=fact)
    model.producer_name = "counterfeit"
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    arrays = {name: tensor.numpy() for name, tensor in given.items()}
    (answers,) = session.run([ready.output_name], arrays)
    ready.require_same(torch.from_numpy(answers), "the ONNX model")
    return content
