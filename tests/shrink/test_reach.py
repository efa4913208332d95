"""`shrink.voices.reach`: what is computed from a graph is what is seen when a frame of its input is changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import onnx
from lowvox.onnx.session import Session
from lowvox.onnx.windows import Reach, Whole, run
from lowvox.shrink.voices.reach import NotLocalError, View, follow
from onnx import helper, numpy_helper
from replicas.graphs import _Graph

SHORT, LONG = 83, 120
EXAMPLES = 25
Layer = tuple[str, int, int, int, tuple[int, int]]
_ALL = 2**63 - 1
FRAMES: list[int | str] = [1, 1, "T"]


class Stack(_Graph):
    """A graph over one channel, whose weights add and never cancel out; every layer has a bias."""

    def kernel(self, size: int) -> list[str]:
        for shape in ((1, 1, size), (1,)):
            values = self.random.uniform(0.5, 1, shape).astype(np.float32) / size
            self.weights.append(numpy_helper.from_array(values, f"w{len(self.weights)}"))
        return [f"w{len(self.weights) - 2}", f"w{len(self.weights) - 1}"]

    def layer(self, x: str, kind: str, size: int, dilation: int, up: int, pads: tuple[int, int]) -> str:
        if kind == "Conv":
            return self.add("Conv", [x, *self.kernel(size)], dilations=[dilation], pads=pads, kernel_shape=[size])
        if kind == "ConvTranspose":
            told: dict[str, Any] = {"dilations": [dilation], "strides": [up], "kernel_shape": [size + up], "pads": pads}
            return self.add("ConvTranspose", [x, *self.kernel(size + up)], **told)
        if kind == "Slice":
            return self.add("Slice", [x, *(self.constant([value]) for value in (pads[0], -pads[1] or _ALL, 2))])
        return self.add("Pad", [x, self.constant([0, 0, pads[0], 0, 0, pads[1]])])

    def built(self, last: str) -> bytes:
        self.add("Identity", [last], "y")
        return self.model({"x": FRAMES}, {"y": [1, 1, "N"]})


def every(data: bytes, frames: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Return every value of a run."""
    model = onnx.load_from_string(data)
    del model.graph.output[:]
    names = [name for node in model.graph.node for name in node.output]
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    made = Session(bytes(model.SerializeToString())).run({"x": frames})
    return {
        **{one.name: numpy_helper.to_array(one) for one in model.graph.initializer},
        "x": frames,
        **dict(zip(names, made, strict=True)),
    }


def followed(data: bytes, dims: int = 3) -> View:
    short, long = (every(data, np.ones((1,) * (dims - 1) + (length,), np.float32)) for length in (SHORT, LONG))
    return follow(onnx.load_from_string(data).graph.node, {"x": View.of_frames(dims - 1)}, short, long)["y"]


def noise(length: int) -> NDArray[np.float32]:
    return np.random.default_rng(length).uniform(1, 2, (1, 1, length)).astype(np.float32)


def looked(data: bytes, hop: int) -> tuple[int, int]:
    """Change a frame in the middle and see how far before and behind it the sound changes, in frames."""
    session, at = Session(data), LONG // 2
    frames = noise(LONG)
    (before,) = session.run({"x": frames})
    frames[..., at] += 8
    (after,) = session.run({"x": frames})
    changed = np.flatnonzero((before != after).ravel()) // hop
    return max(0, int(changed.max()) - at), max(0, at - int(changed.min()))


def windowed(data: bytes, length: int, window: int, reach: Reach) -> float:
    """Return how far windows are from the whole; they must be as long."""
    session = Session(data)
    frames = noise(length)
    (whole,) = session.run({"x": frames})

    def network(feeds: Any) -> NDArray[Any]:
        return session.run(feeds)[0]

    made = np.concatenate(list(run(network, {"x": Whole(frames, 2)}, {}, length, window, reach)), -1)
    assert made.shape == whole.shape
    return float(np.abs(made - whole).max() / np.abs(whole).max())


LAYERS = st.tuples(
    st.sampled_from(["Conv", "ConvTranspose", "Slice", "Pad"]),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 3),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
)


@st.composite
def keeping(draw: st.DrawFn) -> Layer:
    """A convolution whose padding makes up for its kernel, so that sound is as long as its frames say."""
    kind, size, dilation, up, _ = draw(LAYERS.filter(lambda layer: layer[0].startswith("Conv")))
    dilation = 1 if kind == "ConvTranspose" else dilation
    whole = size if kind == "ConvTranspose" else dilation * (size - 1)
    before = draw(st.integers(0, whole))
    return kind, size, dilation, up, (before, whole - before)


KEEPING = keeping()


def stacked(layers: list[Layer]) -> bytes:
    stack = Stack()
    x = "x"
    for layer in layers:
        x = stack.layer(x, *layer)
    return stack.built(x)


@settings(max_examples=EXAMPLES)
@given(layers=st.lists(LAYERS, min_size=1, max_size=5), window=st.integers(1, 9), more=st.integers(0, 25))
def test_windows_of_any_stack_give_the_whole(layers: list[Layer], window: int, more: int) -> None:
    data = stacked(layers)
    view = followed(data)
    reach = Reach(view.left, view.right, view.step.denominator)
    least = view.left + view.right + 1  # a shorter one is never cut
    for length in (least + more, least + window + more, LONG):
        assert windowed(data, length, window, reach) < 1e-5


@settings(max_examples=EXAMPLES)
@given(layers=st.lists(KEEPING, min_size=1, max_size=4))
def test_what_is_computed_is_what_is_seen_to_a_frame(
    layers: list[Layer],
) -> None:
    data = stacked(layers)
    view = followed(data)
    seen = looked(data, view.step.denominator)
    assert 0 <= view.left - seen[0] <= 1
    assert 0 <= view.right - seen[1] <= 1
    assert windowed(data, LONG, 3, Reach(view.left, view.right, view.step.denominator)) < 1e-5


@pytest.mark.parametrize(
    ("layers", "left", "right"),
    [
        ([("Conv", 7, 1, 1, (3, 3))], 3, 3),
        ([("Conv", 7, 12, 1, (36, 36))], 36, 36),
        ([("Conv", 3, 1, 1, (2, 0))], 2, 0),
        ([("Conv", 3, 1, 1, (0, 0))], 0, 2),
        ([("Conv", 3, 1, 1, (1, 1)), ("Conv", 5, 2, 1, (4, 4))], 5, 5),
        ([("ConvTranspose", 8, 1, 8, (4, 4))], 1, 1),
        ([("ConvTranspose", 0, 1, 8, (0, 0))], 0, 0),
        ([("ConvTranspose", 8, 1, 8, (4, 4)), ("Conv", 3, 1, 1, (1, 1))], 1, 1),
        ([("Pad", 1, 1, 1, (4, 0)), ("Conv", 5, 1, 1, (0, 0))], 4, 0),
        ([("Slice", 1, 1, 1, (3, 0))], 0, 3),
        ([("Pad", 1, 1, 1, (2, 2)), ("Slice", 1, 1, 1, (2, 2))], 0, 0),
    ],
)
def test_small_ones_by_heart(layers: list[Layer], left: int, right: int) -> None:
    data = stacked(layers)
    view = followed(data)
    assert (view.left, view.right) == (left, right)
    hop = view.step.denominator
    assert windowed(data, LONG, 4, Reach(left, right, hop)) < 1e-5


@pytest.mark.parametrize(
    ("layers", "reach"),
    [
        ([("Conv", 7, 1, 1, (3, 3))], (2, 3)),
        ([("Conv", 7, 1, 1, (3, 3))], (3, 2)),
        ([("ConvTranspose", 8, 1, 8, (4, 4))], (0, 1)),
        ([("ConvTranspose", 8, 1, 8, (4, 4))], (1, 0)),
        ([("Slice", 1, 1, 1, (0, 2)), ("Conv", 3, 1, 1, (1, 1))], (1, 2)),
    ],
)
def test_a_frame_less_would_not_do(layers: list[Layer], reach: tuple[int, int]) -> None:
    """What the tests above can see at all."""
    data = stacked(layers)
    hop = followed(data).step.denominator
    try:
        off = windowed(data, LONG, 4, Reach(*reach, hop))
    except AssertionError:
        return
    assert off > 1e-3


def refused(stack: Stack, last: str) -> str:
    with pytest.raises(NotLocalError) as error:
        followed(stack.built(last))
    return str(error.value)


def test_what_sees_all_of_time_is_refused_with_its_name() -> None:
    for kind, attributes in (
        ("Softmax", {"axis": -1}),
        ("CumSum", {}),
        ("ReduceMean", {"axes": [2], "keepdims": 1}),
        ("InstanceNormalization", {}),
    ):
        stack = Stack()
        inputs = {"CumSum": ["x", stack.constant(2)], "InstanceNormalization": ["x", *[stack.weight((1,), 1)] * 2]}
        last = stack.add(kind, inputs.get(kind, ["x"]), **attributes)
        if kind == "ReduceMean":
            last = stack.add("Sub", ["x", last])
        assert kind in refused(stack, last)


def test_time_that_is_thinned_out_would_depend_on_where_a_window_begins() -> None:
    stack = Stack()
    thin = stack.add("Conv", ["x", *stack.kernel(2)], strides=[2], kernel_shape=[2], pads=[0, 1])
    wide = stack.add("ConvTranspose", [thin, *stack.kernel(2)], strides=[2], kernel_shape=[2])
    assert "several frames at a time" in refused(stack, wide)


def test_time_that_is_repeated_or_folded_is_refused() -> None:
    stack = Stack()
    assert "Tile repeats time" in refused(stack, stack.add("Tile", ["x", stack.constant([1, 1, 2])]))
    stack = Stack()
    two = stack.add("Concat", ["x", stack.leaky("x")], axis=1)
    assert "Reshape mixes time" in refused(stack, stack.add("Reshape", [two, stack.constant([1, 1, -1])]))
    stack = Stack()
    assert "backwards" in refused(stack, stack.cut("x", 2, -1, -_ALL, -1))


def test_a_value_that_follows_the_length_is_refused() -> None:
    stack = Stack()
    length = stack.add("Cast", [stack.cut(stack.add("Shape", ["x"]), 0, 2, 3)], to=1)
    assert "Div depends on the length" in refused(stack, stack.add("Div", ["x", length]))


def test_zeros_as_long_as_time_see_nothing_until_something_is_made_of_their_ends() -> None:
    def shaped(*, conv: bool) -> bytes:
        stack = Stack()
        ones = stack.add(
            "ConstantOfShape", [stack.add("Shape", ["x"])], value=numpy_helper.from_array(np.ones(1, np.float32))
        )
        if conv:
            ones = stack.layer(ones, "Conv", 5, 1, 1, (2, 2))
        return stack.built(stack.add("Add", ["x", ones]))

    plain, widened = followed(shaped(conv=False)), followed(shaped(conv=True))
    assert (plain.left, plain.right) == (0, 0)
    assert (widened.left, widened.right) == (2, 2)
    for data, view in ((shaped(conv=False), plain), (shaped(conv=True), widened)):
        assert windowed(data, LONG, 4, Reach(view.left, view.right)) < 1e-6


def test_time_may_take_in_the_axis_behind_it() -> None:
    stack = Stack()
    wide = stack.add("Expand", [stack.add("Unsqueeze", ["x", stack.constant([3])]), stack.constant([1, 1, 1, 3])])
    data = stack.built(stack.layer(stack.add("Reshape", [wide, stack.constant([1, 1, -1])]), "Conv", 3, 1, 1, (1, 1)))
    view = followed(data)
    assert (view.left, view.right, view.step.denominator) == (1, 1, 3)
    assert windowed(data, LONG, 4, Reach(1, 1, 3)) < 1e-6
