"""A TorchScript module to an ONNX graph, its 8-bit layers included, which PyTorch's exporter does not know.

The module is frozen into one graph. Each 8-bit layer in it is unpacked into its integers and becomes an operator of our
own, and that is written as ONNX operators that do the arithmetic of PyTorch's: the input of a product is rounded to 128
steps between its smallest and its largest value, and the product is one of integers. Knows no model.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

from lowvox.errors import DamagedError
from lowvox.shrink.export.torchscript import quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OPSET = 17
_STEPS, _FLOAT, _BYTE = {True: 127.0, False: 255.0}, 1, 2
_LINEAR = ("quantized::linear_dynamic", "quantized::linear_relu_dynamic")
_TABLE = "quantized::embedding_byte"


def frozen(module: Any) -> Any:
    """Return the graph of a module's `forward`, weights inside; what it wants of a graphics card the processor does."""
    import torch

    with quiet(), torch.no_grad():
        graph = torch.jit.freeze(module, optimize_numerics=False).graph.copy()
    for node in graph.findAllNodes("prim::Constant"):
        if node.hasAttribute("value") and node.kindOf("value") == "s" and node.s("value").startswith("cuda"):
            node.s_("value", "cpu")
    return graph


def unpacked(graph: Any) -> int:
    """Replace the 8-bit layers of a frozen graph by operators of our own; return how many there were."""
    _operators()
    found = [node for kind in (*_LINEAR, _TABLE) for node in graph.findAllNodes(kind)]
    for node in found:
        (_open_table if node.kind() == _TABLE else _open_linear)(graph, node)
    return len(found)


def function(graph: Any) -> Any:
    """Make a graph callable in PyTorch; our own operators round nothing there, so that this is the exact network."""
    import torch

    own = graph.copy()
    if next(iter(own.inputs())).type().kind() == "ClassType":  # the module itself, of which nothing is used any more
        own.eraseInput(0)
    return torch._C._create_function_from_graph("forward", own)


def exported(
    graph: Any,
    example: Sequence[Any],
    inputs: Sequence[str],
    outputs: Sequence[str],
    growing: Mapping[str, Mapping[int, str]],
    *,
    rounding: bool = True,
) -> bytes:
    """Return the ONNX model of a graph; without `rounding` the inputs of its integer products keep all their digits.

    DamagedError names the operator that cannot be exported.
    """
    import torch

    _symbols(rounding=rounding)
    written = io.BytesIO()
    try:
        with quiet(), torch.no_grad():
            torch.onnx.export(
                function(graph), tuple(example), written, dynamo=False, opset_version=OPSET, input_names=list(inputs),
                output_names=list(outputs), dynamic_axes={name: dict(axes) for name, axes in growing.items()},
            )  # fmt: skip
    except Exception as error:  # torch has several classes for this, and raises RuntimeError too
        raise DamagedError(f"The network cannot be exported: {_operator(error)}.") from error
    return written.getvalue()


def _open_linear(graph: Any, node: Any) -> None:
    import torch

    x, packed, *rest = node.inputs()
    weight, bias = torch.ops.quantized.linear_unpack(packed.toIValue())
    scale, zero = _affine(weight)
    if bias is None:
        bias = torch.zeros(weight.shape[0])
    steps = torch.tensor(_STEPS[bool(rest and rest[0].toIValue())])
    whole = weight.int_repr().t().contiguous()
    bends = "relu" in node.kind()
    new = _replace(graph, node, "lowvox::linear", x, (whole, scale, zero, bias.detach().float(), steps))
    if bends:
        bent = graph.create("aten::relu", [new.output()], 1)
        bent.insertAfter(new)
        new.output().replaceAllUsesAfterNodeWith(bent, bent.output())


def _open_table(graph: Any, node: Any) -> None:
    import torch

    packed, x, *_ = node.inputs()
    weight = torch.ops.quantized.embedding_bag_unpack(packed.toIValue())
    if weight.dtype != torch.quint8:
        raise DamagedError(f"The network has a table of {weight.dtype}, which lowvox does not convert.")
    scale = weight.q_per_channel_scales().float()[:, None]
    least = -weight.q_per_channel_zero_points().float()[:, None] * scale
    _replace(graph, node, "lowvox::table", x, (weight.int_repr(), scale, least))


def _affine(weight: Any) -> tuple[Any, Any]:
    """Return the scale and the zero point of an 8-bit weight, as one number or as one for each row."""
    import torch

    if weight.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        return torch.tensor(weight.q_scale()), torch.tensor(weight.q_zero_point(), dtype=torch.int8)
    return weight.q_per_channel_scales().float(), weight.q_per_channel_zero_points().to(torch.int8)


def _replace(graph: Any, node: Any, kind: str, x: Any, constants: Sequence[Any]) -> Any:
    """Put an operator of our own where a node is, and return it."""
    graph.setInsertPoint(node)
    new = graph.create(kind, [x, *(graph.insertConstant(constant) for constant in constants)], 1)
    new.insertBefore(node)
    new.output().setType(node.output().type())
    node.output().replaceAllUsesWith(new.output())
    node.destroy()
    return new


@cache
def _operators() -> Any:
    """Make our operators known to PyTorch, which runs a graph before it exports it; in floats, with nothing rounded."""
    import torch

    known = torch.library.Library("lowvox", "DEF")
    known.define("linear(Tensor x, Tensor whole, Tensor scale, Tensor zero, Tensor bias, Tensor steps) -> Tensor")
    known.define("table(Tensor x, Tensor whole, Tensor scale, Tensor least) -> Tensor")
    known.impl(
        "linear",
        lambda x, whole, scale, zero, bias, _: x @ ((whole.float() - zero.float()) * scale) + bias,
        "CompositeExplicitAutograd",
    )
    known.impl(
        "table", lambda x, whole, scale, least: whole[x].float() * scale[x] + least[x], "CompositeExplicitAutograd"
    )
    return known


def _symbols(*, rounding: bool) -> None:
    """Tell the exporter how our operators are written in ONNX."""
    import torch

    product = _rounded if rounding else _exact
    torch.onnx.register_custom_op_symbolic("lowvox::linear", product, OPSET)
    torch.onnx.register_custom_op_symbolic("lowvox::table", _table, OPSET)


def _rounded(g: Any, x: Any, whole: Any, scale: Any, zero: Any, bias: Any, steps: Any) -> Any:
    """Write PyTorch's product: the input in steps of (largest - smallest) / 127, both at least as far out as 0.

    The factors stand in an order in which ONNX Runtime takes the product and its scale for one operator.
    """
    none = _constant(g, 0.0)
    least = g.op("Min", g.op("ReduceMin", x, keepdims_i=0), none)
    most = g.op("Max", g.op("ReduceMax", x, keepdims_i=0), none)
    step = g.op("Div", g.op("Sub", most, least), steps)
    # PyTorch's own limit: an input of nothing but zeros has a step too.
    step = g.op("Max", step, _constant(g, 6.1e-5))
    shift = g.op("Round", g.op("Neg", g.op("Div", least, step)))
    moved = g.op("Add", g.op("Round", g.op("Mul", x, g.op("Reciprocal", step))), shift)
    small = g.op("Cast", g.op("Clip", moved, none, _constant(g, 255.0)), to_i=_BYTE)
    product = g.op("MatMulInteger", small, whole, g.op("Cast", shift, to_i=_BYTE), zero)
    return g.op("Add", g.op("Mul", g.op("Cast", product, to_i=_FLOAT), g.op("Mul", step, scale)), bias)


def _exact(g: Any, x: Any, whole: Any, scale: Any, zero: Any, bias: Any, _: Any) -> Any:
    """Write the product of the same integers with an input that is not rounded."""
    centred = g.op("Sub", g.op("Cast", whole, to_i=_FLOAT), g.op("Cast", zero, to_i=_FLOAT))
    return g.op("Add", g.op("MatMul", x, g.op("Mul", centred, scale)), bias)


def _table(g: Any, x: Any, whole: Any, scale: Any, least: Any) -> Any:
    """Write a table's rows: only those that are asked for become floats."""
    rows = g.op("Cast", g.op("Gather", whole, x, axis_i=0), to_i=_FLOAT)
    return g.op("Add", g.op("Mul", rows, g.op("Gather", scale, x, axis_i=0)), g.op("Gather", least, x, axis_i=0))


def _constant(g: Any, value: float) -> Any:
    import torch

    return g.op("Constant", value_t=torch.tensor(value))


def _operator(error: Exception) -> str:
    """Say what the exporter stumbled over: its messages begin with the operator and go on for long."""
    first = (str(error).splitlines() or [""])[0].partition(". Please")[0]
    return first[:200].rstrip(". ") or type(error).__name__
