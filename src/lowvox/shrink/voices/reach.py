"""How far a network looks: the exact receptive field of an ONNX graph along time, from its operators.

Each value is followed from the graph's input to its output: sample i of a value depends on frames from
`i * step + low` to `i * step + high`. Convolutions widen that, strides and upsampling change the step. An operator that
looks at all of time (attention, a recurrent layer, a norm over time) is refused with its name. Which axis of a value is
time is not guessed from names but taken from two runs of different length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor, prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    import onnx

    # The value of each name in a run.
    Run = Mapping[str, NDArray[Any]]


class NotLocalError(Exception):
    """An operator looks at all of time, or at it in a way that is not known here."""


@dataclass(frozen=True, slots=True)
class View:
    """What sample i of a value sees: frames [i * step + low, i * step + high]; `axis` is that of time.

    A value that is the same all along, such as zeros, sees nothing: `low` is above `high`.
    """

    axis: int
    step: Fraction
    low: Fraction
    high: Fraction

    @classmethod
    def of_frames(cls, axis: int) -> View:
        """Return the view of the frames themselves."""
        return cls(axis, Fraction(1), Fraction(0), Fraction(0))

    @property
    def blind(self) -> bool:
        """Whether it depends on no frame."""
        return self.low > self.high

    @property
    def left(self) -> int:
        """Frames before its own that a sample may need."""
        return max(0, floor(-self.low))

    @property
    def right(self) -> int:
        """Frames behind its own that a sample may need: the last sample of a frame lies a step before the next."""
        return max(0, floor(self.high + 1 - self.step))


_BLIND = (Fraction(1), Fraction(0))

_POINTWISE = frozenset(
    [
        *[
            "Abs",
            "Add",
            "And",
            "BatchNormalization",
            "Cast",
            "Clip",
            "Cos",
            "DequantizeLinear",
            "Div",
            "Dropout",
            "Elu",
        ],
        *["Equal", "Erf", "Exp", "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity"],
        *["LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Mean", "Min", "Mod", "Mul", "Neg", "Not", "Or", "PRelu"],
        *["Pow", "QuantizeLinear", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softplus"],
        *["Softsign", "Sqrt", "Sub", "Sum", "Tan", "Tanh", "Where", "Xor"],
    ]
)
# Operators whose other inputs say how, which may follow the length: their rules look at them.
_SAID = frozenset(["Expand", "Pad", "Reshape", "Resize", "Slice", "Tile", "Unsqueeze", "Squeeze"])
_MOVES = frozenset(["Expand", "Flatten", "Reshape", "Squeeze", "Tile", "Transpose", "Unsqueeze"])


@dataclass(frozen=True, slots=True)
class _Step:
    """One node with what it is given and gives, in both runs."""

    node: onnx.NodeProto
    short: Run
    long: Run
    views: Mapping[str, View]
    frames: tuple[int, int]
    counted: Collection[str]  # what is made of lengths

    def attribute(self, name: str, usual: Any) -> Any:
        from onnx import helper

        return next((helper.get_attribute_value(a) for a in self.node.attribute if a.name == name), usual)

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.long[name].shape)

    def lengths(self, name: str, axis: int) -> tuple[int, int]:
        return self.short[name].shape[axis], self.long[name].shape[axis]

    def axis(self, name: str) -> int | None:
        """Return the axis of a value whose length follows time, None where there is none."""
        short, long = self.short[name].shape, self.long[name].shape
        differ = [at for at, (one, other) in enumerate(zip(short, long, strict=True)) if one != other]
        if len(differ) > 1:
            raise NotLocalError(f"{self.node.op_type} compares all frames with each other")
        return differ[0] if differ else None

    def differs(self, name: str) -> bool:
        """Whether a value is made of lengths, has no frames, and is another where there are more frames."""
        if name not in self.counted or name not in self.long:
            return False
        short, long = self.short[name], self.long[name]
        return short.shape == long.shape and bool((short != long).any())

    @property
    def seen(self) -> list[View]:
        return [self.views[name] for name in self.node.input if name in self.views]

    @property
    def first(self) -> View:
        view = self.views.get(self.node.input[0])
        if view is None:
            raise NotLocalError(f"{self.node.op_type} takes its frames in an unusual way")
        return view

    def constant(self, at: int) -> NDArray[Any] | None:
        """Return an input that says how, which must be the same in both runs; None where it is left out."""
        if at >= len(self.node.input) or not self.node.input[at]:
            return None
        short, long = self.short[self.node.input[at]], self.long[self.node.input[at]]
        if short.shape != long.shape or (short != long).any():
            raise NotLocalError(f"{self.node.op_type} depends on the length")
        return long


def follow(nodes: Sequence[onnx.NodeProto], views: Mapping[str, View], short: Run, long: Run) -> dict[str, View]:
    """Return how every value of a graph with a time axis sees the frames of the inputs, given the views of those.

    `nodes` are in the order in which they run; `short` and `long` hold every value in two runs of different length.
    Raises NotLocalError where an operator looks at all of time.
    """
    known = dict(views)
    frames = next((short[name].shape[view.axis], long[name].shape[view.axis]) for name, view in views.items())
    counted: set[str] = set()
    for node in nodes:
        step = _Step(node, short, long, known, frames, counted)
        found = _follow(step)
        if found is None and (node.op_type in ("Shape", "Size") or counted & set(node.input)):
            counted |= {*node.output}
        for name in filter(None, node.output):
            axis = step.axis(name) if name in long else None
            if found is not None and axis is not None:
                known[name] = _there(step, name, replace(found, axis=axis))
            elif axis is not None or (found is not None and not found.blind and name in long and long[name].size > 1):
                raise NotLocalError(f"{node.op_type} makes time from nothing, or nothing of it")
    return known


def _follow(step: _Step) -> View | None:
    """Return what a node's output sees; its axis is set by who asks."""
    kind = step.node.op_type
    if kind in ("If", "Loop", "Scan") and set(step.views) & _inner(step.node):
        raise NotLocalError(f"{kind} may look at all of time")
    if kind == "Shape" or not step.seen:
        return _made(step)
    if kind not in _SAID and any(map(step.differs, step.node.input)):
        raise NotLocalError(f"{kind} depends on the length")
    if kind in _POINTWISE:
        return _together(step.seen, kind)
    if kind in _MOVES:
        return _scaled(step, _together(step.seen, kind))
    if kind in _RULES:
        return _RULES[kind](step)
    raise NotLocalError(f"{kind} may look at all of time")


def _inner(node: onnx.NodeProto) -> set[str]:
    """Return all names that stand in a node's branches."""
    graphs = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    inside = [one for graph in graphs for one in graph.node]
    return {name for one in inside for name in (*one.input, *_inner(one))} | {
        one.name for graph in graphs for one in graph.output
    }


def _there(step: _Step, name: str, view: View) -> View:
    """Return a view that sees as well whether a sample is there at all.

    What lies before the first and behind the last sample of a piece is made up by who pads it, though it may be there
    in the whole: a slice has taken it away, or a convolution did not go as far.
    """
    if view.step.numerator != 1:
        raise NotLocalError(f"{step.node.op_type} takes several frames at a time")
    short, long = (
        length - frames / view.step for length, frames in zip(step.lengths(name, view.axis), step.frames, strict=True)
    )
    if view.blind:
        return view
    if short != long:
        raise NotLocalError(f"{step.node.op_type} depends on the length")
    # Bounds are rounded inwards to whole frames; all samples of a frame but the first lie behind its number.
    return replace(view, low=min(view.low, view.step - 1), high=max(view.high, -long * view.step))


def _made(step: _Step) -> View | None:
    """Return the view of what depends on no frame but may be as long as time."""
    kind = step.node.op_type
    axes = [axis for name in step.node.output if name in step.long and (axis := step.axis(name)) is not None]
    if not axes:
        return None
    if kind not in ("ConstantOfShape", "Expand", "Tile"):
        raise NotLocalError(f"{kind} makes something that changes along time")
    short, long = next(step.lengths(name, axes[0]) for name in step.node.output if name in step.long)
    return View(axes[0], Fraction(step.frames[1] - step.frames[0], long - short), *_BLIND)


def _together(views: Sequence[View], kind: str) -> View:
    """Return what sees all that these see."""
    seeing = [view for view in views if not view.blind] or list(views[:1])
    if len({view.step for view in seeing}) > 1:
        raise NotLocalError(f"{kind} mixes values of different rates")
    return View(0, seeing[0].step, min(view.low for view in seeing), max(view.high for view in seeing))


def _scaled(step: _Step, view: View) -> View:
    """Follow what only moves values: time may take in a neighbouring axis, or give one away."""
    name, source = step.node.output[0], next(name for name in step.node.input if name in step.views)
    out, into = step.axis(name), step.views[source].axis
    if out is None:
        raise NotLocalError(f"{step.node.op_type} folds time away")
    factor = Fraction(step.shape(name)[out], step.shape(source)[into])
    if factor != Fraction(step.short[name].shape[out], step.short[source].shape[into]):
        raise NotLocalError(f"{step.node.op_type} depends on the length")
    before = prod(step.shape(source)[:into]) == prod(step.shape(name)[:out])
    if step.node.op_type in ("Flatten", "Reshape") and not before:
        raise NotLocalError(f"{step.node.op_type} mixes time with what stands before it")
    if step.node.op_type not in ("Flatten", "Reshape") and factor != 1:
        raise NotLocalError(f"{step.node.op_type} repeats time")
    return _stretched(view, factor)


def _stretched(view: View, factor: Fraction) -> View:
    """Return a view of time in which each sample becomes `factor` samples, or 1 / factor samples become one."""
    step = view.step / factor
    return View(
        view.axis, step, view.low - max(Fraction(0), view.step - step), view.high + max(Fraction(0), step - view.step)
    )


def _window(view: View, step: Fraction, before: Fraction, after: Fraction) -> View:
    """Return what a sample sees that is made of samples from `before` to `after`, in samples of the input."""
    # Something that is the same all along is so only as far as it goes.
    low, high = (Fraction(0), Fraction(0)) if view.blind else (view.low, view.high)
    return View(view.axis, step, low + view.step * before, high + view.step * after)


def _conv(step: _Step, weight: int = 1) -> View:
    """Follow a convolution; time is one of its axes."""
    size, stride, dilation, before = _kernel(step, weight)
    return _window(step.first, step.first.step * stride, Fraction(-before), Fraction(dilation * (size - 1) - before))


def _conv_transpose(step: _Step) -> View:
    size, stride, dilation, before = _kernel(step, 1)
    return _window(
        step.first,
        step.first.step / stride,
        Fraction(before - dilation * (size - 1), stride),
        Fraction(before, stride),
    )


def _kernel(step: _Step, weight: int) -> tuple[int, int, int, int]:
    """Return size, stride, dilation and padding before of a kernel along time."""
    if step.attribute("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise NotLocalError(f"{step.node.op_type} pads by itself")
    sizes = step.attribute("kernel_shape", None) or step.shape(step.node.input[weight])[2:]
    at, dims = step.first.axis - 2, len(sizes)
    if at < 0:
        raise NotLocalError(f"{step.node.op_type} mixes all frames")
    pads = step.attribute("pads", [0] * 2 * dims)
    stride, dilation = (step.attribute(name, [1] * dims)[at] for name in ("strides", "dilations"))
    return sizes[at], stride, dilation, pads[at]


def _pool(step: _Step) -> View:
    return _conv(step, 0)


def _slice(step: _Step) -> View:
    """Follow a slice: along time only its beginning shifts."""
    view, axes = step.first, step.constant(3)
    starts = step.long[step.node.input[1]]
    dims = len(step.shape(step.node.input[0]))
    chosen = [int(axis) % dims for axis in (range(len(starts)) if axes is None else axes)]
    if view.axis not in chosen:
        return view
    at = chosen.index(view.axis)
    steps, start = step.constant(4), step.long[step.node.input[1]][at]
    if start < 0 or start != step.short[step.node.input[1]][at] or (steps is not None and steps[at] != 1):
        raise NotLocalError("Slice takes time from its end, or backwards")
    return _window(view, view.step, Fraction(int(start)), Fraction(int(start)))


def _pad(step: _Step) -> View:
    """Follow padding: what it makes up lies at the ends of the whole, where a piece begins or ends as well."""
    pads: Any = step.attribute("pads", None)
    if pads is None:
        pads = step.constant(1)
    dims = len(step.shape(step.node.input[0]))
    told = step.constant(3)
    axes = [*range(dims)] if told is None else [int(axis) % dims for axis in told]
    before = Fraction(-int(pads[axes.index(step.first.axis)])) if step.first.axis in axes else Fraction(0)
    return _window(step.first, step.first.step, before, before)


def _resize(step: _Step) -> View:
    view, name = step.first, step.node.output[0]
    axis = step.axis(name)
    assert axis is not None
    factor = Fraction(step.shape(name)[axis], step.shape(step.node.input[0])[view.axis])
    return _window(_stretched(view, factor), view.step / factor, Fraction(-1), Fraction(1))


def _aside(step: _Step, usual: int) -> View:
    """Follow what works along one axis, which must not be time."""
    given = step.attribute("axis", usual)
    if any(given % len(step.shape(name)) == step.views[name].axis for name in step.node.input if name in step.views):
        raise NotLocalError(f"{step.node.op_type} goes along time")
    return _together(step.seen, step.node.op_type)


def _norm(step: _Step) -> View:
    """Follow a norm over the last axes."""
    if step.first.axis >= step.attribute("axis", -1) % len(step.shape(step.node.input[0])):
        raise NotLocalError("LayerNormalization goes along time")
    return step.first


def _reduce(step: _Step) -> View:
    axes: Any = step.attribute("axes", None)
    if axes is None:
        axes = step.constant(1)
    dims = len(step.shape(step.node.input[0]))
    if axes is None or any(int(axis) % dims == step.first.axis for axis in axes):
        raise NotLocalError(f"{step.node.op_type} goes along time")
    return step.first


def _matmul(step: _Step) -> View:
    for at, name in enumerate(step.node.input[:2]):
        dims = len(step.shape(name))
        contracted = dims - 1 if at == 0 else max(0, dims - 2)
        if name in step.views and step.views[name].axis == contracted:
            raise NotLocalError("MatMul mixes all frames")
    return _together(step.seen, "MatMul")


def _gather(step: _Step) -> View:
    axis = step.attribute("axis", 0) % len(step.shape(step.node.input[0]))
    if step.node.input[1] in step.views or axis == step.first.axis:
        raise NotLocalError("Gather picks frames")
    return step.first


_RULES: dict[str, Callable[[_Step], View]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "AveragePool": _pool,
    "MaxPool": _pool,
    "Slice": _slice,
    "Pad": _pad,
    "Resize": _resize,
    "Concat": lambda step: _aside(step, 0),
    "Split": lambda step: _aside(step, 0),
    "Softmax": lambda step: _aside(step, -1),
    "LogSoftmax": lambda step: _aside(step, -1),
    "LayerNormalization": _norm,
    "ReduceMean": _reduce,
    "ReduceSum": _reduce,
    "ReduceMax": _reduce,
    "ReduceMin": _reduce,
    "ReduceL2": _reduce,
    "MatMul": _matmul,
    "Gather": _gather,
}
