"""Networks of plain layers as ONNX graphs, layer by layer.

torch.onnx traces any module, and takes seconds for that; these few layers are written at once, and
the graph stays as small as the network.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from counterfeit.exports import plain

if TYPE_CHECKING:
    import onnx

OPSET = 18
"""Every onnxruntime-web since 1.15 reads it."""

IR_VERSION = 8
"""Of the file's form, the first that this opset goes with."""


class Value:
    """A tensor on its way through the graph: its name, and what it is for the inputs tried."""

    def __init__(self, name: str, tried: Tensor) -> None:
        self.name = name
        self.tried = tried

    @property
    def sizes(self) -> list[int]:
        """Of one row."""
        return list(self.tried.shape[1:])


class Graph:
    """Nodes and constants of a graph that is being written."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        """A node of that operator; returns the name of its output."""
        from onnx import helper

        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: Tensor | list[int] | float) -> str:
        """A tensor, whole numbers or one number, as a name for inputs."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        tensor = torch.as_tensor(values).detach().contiguous()
        self.constants.append(numpy_helper.from_array(tensor.numpy(), name))
        return name

    def layer(self, layer: nn.Module, x: Value, labels: Value | None = None) -> Value:
        """A layer, or several in a row, of x.

        Raises:
            KeyError: it is none of `LAYERS`.
        """
        if isinstance(layer, nn.Sequential):
            for each in layer:
                x = self.layer(each, x, labels)
            return x
        if isinstance(layer, plain.ClassNorm):
            assert labels is not None
            return Value(_class_norm(self, layer, x, labels), layer(x.tried, labels.tried))
        return Value(LAYERS[type(layer)](self, layer, x), layer(x.tried))

    def concat(self, *parts: Value) -> Value:
        """Along the second axis."""
        name = self.node("Concat", *(part.name for part in parts), axis=1)
        return Value(name, torch.cat([part.tried for part in parts], 1))


def graph_of(network: nn.Module, inputs: dict[str, Tensor], output: str) -> "onnx.ModelProto":
    """A network of plain layers as a model, whose inputs and output may have any number of rows.

    Args:
        inputs: by name, two rows of each.
        output: its name.

    Raises:
        KeyError: it has a layer that is not plain.
    """
    from onnx import helper

    graph = Graph()
    with torch.no_grad():
        result = _whole(graph, network, *(Value(name, each) for name, each in inputs.items()))
    graph.nodes.append(helper.make_node("Identity", [result.name], [output], name=output))
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "network",
            [_described(name, each) for name, each in inputs.items()],
            [_described(output, result.tried)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def _described(name: str, tensor: Tensor) -> Any:
    from onnx import TensorProto, helper

    kind = TensorProto.INT64 if tensor.dtype == torch.int64 else TensorProto.FLOAT
    return helper.make_tensor_value_info(name, kind, ["N", *tensor.shape[1:]])


def _whole(graph: Graph, network: nn.Module, x: Value, labels: Value | None = None) -> Value:
    if labels is None:
        return graph.layer(network, x)
    if isinstance(network, plain.ToldGenerator):
        if network.embed is not None:
            x = graph.concat(x, graph.layer(network.embed, labels))
        return graph.layer(network.layers, x, labels)
    assert isinstance(network, plain.ToldDiscriminator)
    x = graph.layer(network.pixels, x)
    if network.planes is not None:
        plane = graph.layer(network.planes, labels)
        shaped = graph.layer(nn.Unflatten(1, (1, *x.sizes[1:])), plane)
        x = graph.concat(x, shaped)
    features = graph.layer(network.hidden, x)
    logits = graph.layer(network.output, features)
    if network.projection is not None:
        flat = graph.layer(nn.Flatten(), features)
        vector = graph.layer(network.projection, labels)
        product = graph.node("Mul", vector.name, flat.name)
        dot = graph.node("ReduceSum", product, graph.constant([1]))
        logits = Value(graph.node("Add", logits.name, dot), logits.tried)
    return graph.layer(nn.Flatten(0), logits)


def _reshape(graph: Graph, x: str, *sizes: int) -> str:
    """To any number of rows of these sizes."""
    return graph.node("Reshape", x, graph.constant([-1, *sizes]))


def _simple(op: str, *attributes: str, **others: Any) -> Callable[[Graph, Any, Value], str]:
    """An operator of x alone, with attributes of the layer: `theirs=ours`."""
    pairs = [each.split("=") for each in attributes]

    def written(graph: Graph, layer: Any, x: Value) -> str:
        own = {theirs: getattr(layer, ours) for theirs, ours in pairs}
        return graph.node(op, x.name, **own, **others)

    return written


def _scaled(graph: Graph, x: str, scale: Tensor | float, shift: Tensor | float) -> str:
    product = graph.node("Mul", x, graph.constant(scale))
    return graph.node("Add", product, graph.constant(shift))


def _weights(graph: Graph, layer: Any) -> list[str]:
    own = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
    return [graph.constant(each) for each in own]


def _linear(graph: Graph, layer: nn.Linear, x: Value) -> str:
    return graph.node("Gemm", x.name, *_weights(graph, layer), transB=1)


def _convolution(graph: Graph, layer: Any, x: Value) -> str:
    return graph.node(
        "ConvTranspose" if isinstance(layer, nn.ConvTranspose2d) else "Conv",
        x.name,
        *_weights(graph, layer),
        kernel_shape=layer.kernel_size,
        strides=layer.stride,
        pads=[*layer.padding, *layer.padding],
        group=layer.groups,
    )


def _batch_norm(graph: Graph, layer: Any, x: Value) -> str:
    tensors = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
    own = [graph.constant(each) for each in tensors]
    return graph.node("BatchNormalization", x.name, *own, epsilon=layer.eps)


def _class_norm(graph: Graph, layer: plain.ClassNorm, x: Value, labels: Value) -> str:
    ones = torch.ones_like(layer.running_mean)
    tensors = (ones, torch.zeros_like(ones), layer.running_mean, layer.running_var)
    own = [graph.constant(each) for each in tensors]
    normal = graph.node("BatchNormalization", x.name, *own, epsilon=1e-5)
    sizes = (len(ones), *(1 for _ in x.sizes[1:]))
    scale, shift = (
        _reshape(graph, graph.node("Gather", graph.constant(each), labels.name), *sizes)
        for each in (layer.weight, layer.bias)
    )
    return graph.node("Add", graph.node("Mul", normal, scale), shift)


def _layer_norm(graph: Graph, layer: nn.LayerNorm, x: Value) -> str:
    own = _weights(graph, layer)
    return graph.node("LayerNormalization", x.name, *own, axis=-1, epsilon=layer.eps)


def _group_norm(graph: Graph, layer: nn.GroupNorm, x: Value) -> str:
    """As an instance normalisation of groups: opset 18's own takes a scale for each group."""
    groups = layer.num_groups
    ones = torch.ones(groups)
    own = [graph.constant(each) for each in (ones, torch.zeros_like(ones))]
    rows = _reshape(graph, x.name, groups, x.tried[0].numel() // groups)
    normal = graph.node("InstanceNormalization", rows, *own, epsilon=layer.eps)
    scale, shift = (each.view(-1, 1, 1) for each in (layer.weight, layer.bias))
    return _scaled(graph, _reshape(graph, normal, *x.sizes), scale, shift)


def _silu(graph: Graph, layer: nn.SiLU, x: Value) -> str:
    return graph.node("Mul", x.name, graph.node("Sigmoid", x.name))


def _flatten(graph: Graph, layer: nn.Flatten, x: Value) -> str:
    return _reshape(graph, x.name, *([x.tried[0].numel()] if layer.start_dim else []))


def _upsample(graph: Graph, layer: nn.Upsample, x: Value) -> str:
    factor = float(layer.scale_factor)  # type: ignore[arg-type]
    scales = graph.constant(torch.tensor([1.0, 1.0, factor, factor]))
    nearest = layer.mode == "nearest"
    how = (
        {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
        if nearest
        else {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    )
    return graph.node("Resize", x.name, "", scales, **how)


def _pixel_unshuffle(graph: Graph, layer: nn.PixelUnshuffle, x: Value) -> str:
    """As a convolution with ones and zeros: ONNX's SpaceToDepth orders channels otherwise."""
    side, channels = layer.downscale_factor, x.sizes[0]
    squares = torch.eye(channels * side * side).view(-1, channels, side, side)
    return graph.node("Conv", x.name, graph.constant(squares), strides=[side, side])


def _maps(graph: Graph, layer: plain.Maps, x: Value) -> str:
    rows = _reshape(
        graph, x.name, layer.height, layer.width, x.sizes[0] // (layer.height * layer.width)
    )
    return graph.node("Transpose", rows, perm=[0, 3, 1, 2])


def _rows(graph: Graph, layer: plain.Rows, x: Value) -> str:
    last = graph.node("Transpose", x.name, perm=[0, 2, 3, 1])
    return _reshape(graph, last, x.tried[0].numel())


def _highest(graph: Graph, x: str, axis: int) -> str:
    return graph.node("ReduceMax", x, graph.constant([axis]), keepdims=0)


def _shared_maxout(graph: Graph, layer: plain.SharedMaxout, x: Value) -> str:
    wide = graph.node("Unsqueeze", x.name, graph.constant([-1]))
    return _highest(graph, _scaled(graph, wide, layer.weight, layer.bias), -1)


def _maxout(graph: Graph, layer: plain.Maxout, x: Value) -> str:
    pieces = layer.pieces
    return _highest(graph, _reshape(graph, x.name, pieces, x.sizes[0] // pieces), 1)


def _channel_maxout(graph: Graph, layer: plain.ChannelMaxout, x: Value) -> str:
    channels, *sides = x.sizes
    pieces = _reshape(graph, x.name, channels // layer.pieces, layer.pieces, *sides)
    return _highest(graph, pieces, 2)


def _minibatch(graph: Graph, layer: plain.MinibatchDiscrimination, x: Value) -> str:
    products = graph.node("MatMul", x.name, graph.constant(layer.weight.flatten(1)))
    rows = _reshape(graph, products, *layer.weight.shape[1:])
    mine = graph.node("Unsqueeze", rows, graph.constant([1]))
    apart = graph.node("Abs", graph.node("Sub", mine, rows))
    apart = graph.node("ReduceSum", apart, graph.constant([3]), keepdims=0)
    close = graph.node("Exp", graph.node("Neg", apart))
    closeness = graph.node("ReduceSum", close, graph.constant([1]), keepdims=0)
    return graph.node("Concat", x.name, closeness, axis=1)


def _stddev(graph: Graph, layer: plain.MinibatchStddev, x: Value) -> str:
    first = graph.constant([0])
    off = graph.node("Sub", x.name, graph.node("ReduceMean", x.name, first))
    variance = graph.node("ReduceMean", graph.node("Mul", off, off), first)
    deviation = graph.node("Sqrt", graph.node("Add", variance, graph.constant(1e-8)))
    mean = graph.node("ReduceMean", deviation)  # (1, 1, 1, 1)
    count = graph.node("Shape", x.name, start=0, end=1)
    sizes = graph.node("Concat", count, graph.constant([1, *x.sizes[1:]]), axis=0)
    return graph.node("Concat", x.name, graph.node("Expand", mean, sizes), axis=1)


def _spread(graph: Graph, layer: plain.Spread, x: Value) -> str:
    wide = graph.node("Unsqueeze", x.name, graph.constant([1, 2]))
    weighed = graph.node("Mul", wide, graph.constant(layer.maps))
    return graph.node("Transpose", weighed, perm=[0, 3, 1, 2])


def _project(graph: Graph, layer: plain.Project, x: Value) -> str:
    last = graph.node("Transpose", x.name, perm=[0, 2, 3, 1])
    weighed = graph.node("Mul", last, graph.constant(layer.maps))
    return graph.node("ReduceSum", weighed, graph.constant([1, 2]), keepdims=0)


def _block(graph: Graph, layer: plain.Block, x: Value) -> str:
    y = graph.node("LeakyRelu", _convolution(graph, layer.expand, x), alpha=0.2)
    y = graph.node("LeakyRelu", _convolution(graph, layer.mix, Value(y, x.tried)), alpha=0.2)
    return graph.node("Add", x.name, _convolution(graph, layer.reduce, Value(y, x.tried)))


def _one_of(table: Callable[[Any], Tensor]) -> Callable[[Graph, Any, Value], str]:
    """A row of a table for each class."""
    return lambda graph, layer, x: graph.node("Gather", graph.constant(table(layer)), x.name)


LAYERS: dict[type[nn.Module], Callable[[Graph, Any, Value], str]] = {
    nn.Identity: lambda graph, layer, x: x.name,
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _convolution,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.LayerNorm: _layer_norm,
    nn.GroupNorm: _group_norm,
    nn.ReLU: _simple("Relu"),
    nn.LeakyReLU: _simple("LeakyRelu", "alpha=negative_slope"),
    nn.ELU: _simple("Elu", "alpha=alpha"),
    nn.SiLU: _silu,
    nn.Tanh: _simple("Tanh"),
    nn.Sigmoid: _simple("Sigmoid"),
    nn.Flatten: _flatten,
    nn.Unflatten: lambda graph, layer, x: _reshape(graph, x.name, *layer.unflattened_size),
    nn.Upsample: _upsample,
    nn.PixelShuffle: _simple("DepthToSpace", "blocksize=upscale_factor", mode="CRD"),
    nn.PixelUnshuffle: _pixel_unshuffle,
    nn.AvgPool2d: lambda graph, layer, x: graph.node(
        "AveragePool", x.name, kernel_shape=[layer.kernel_size] * 2, strides=[layer.stride] * 2
    ),
    nn.Embedding: _one_of(lambda layer: layer.weight),
    plain.OneHot: _one_of(lambda layer: torch.eye(layer.classes)),
    plain.Rescale: lambda graph, layer, x: _scaled(graph, x.name, layer.scale, layer.shift),
    plain.Maps: _maps,
    plain.Rows: _rows,
    plain.SharedMaxout: _shared_maxout,
    plain.Maxout: _maxout,
    plain.ChannelMaxout: _channel_maxout,
    plain.MinibatchDiscrimination: _minibatch,
    plain.MinibatchStddev: _stddev,
    plain.Spread: _spread,
    plain.Project: _project,
    plain.Block: _block,
}
