"""`shrink.rounding.calibrate`: the ranges that values have, in memory that does not grow with the samples."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import onnx
from lowvox.errors import UsageError
from lowvox.onnx.session import Session
from lowvox.shrink import graph
from lowvox.shrink.rounding import calibrate, qdq
from onnx import TensorProto, helper
from replicas import graphs


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    return graph.ordered(onnx.load_from_string(graphs.decoder(8, 1)), "it")


@pytest.fixture(scope="module")
def names(model: onnx.ModelProto) -> list[str]:
    return qdq.needed(model, graph.roundable(model))


def samples(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(0)
    return [{"z": random.standard_normal((1, graphs.LATENT, 5 + at), np.float32)} for at in range(count)]


def values(model: onnx.ModelProto, name: str, given: list[dict[str, Any]]) -> Any:
    """Return all that a value ever is."""
    asking = onnx.ModelProto()
    asking.CopyFrom(model)
    asking.graph.output.append(helper.make_empty_tensor_value_info(name))
    session = Session(asking.SerializeToString())
    return np.concatenate([session.run(sample, [name])[0].ravel() for sample in given])


def test_minmax_is_the_smallest_and_the_largest(model: onnx.ModelProto, names: list[str]) -> None:
    given = samples(4)
    found = calibrate.ranges(model, given, names)
    assert list(found) == names
    for name in names[1:6]:
        all_of_them = values(model, name, given)
        assert found[name] == pytest.approx((all_of_them.min(), all_of_them.max()))
    assert found["z"] == (min(one["z"].min() for one in given), max(one["z"].max() for one in given))


def test_percentile_cuts_so_many_at_each_end(model: onnx.ModelProto, names: list[str]) -> None:
    given = samples(4)
    found = calibrate.ranges(model, given, names[:6], "percentile", 98)
    for name in names[1:6]:
        all_of_them = values(model, name, given)
        low, high = found[name]
        few = 2 / len(all_of_them)
        assert ((all_of_them < low).mean(), (all_of_them > high).mean()) == pytest.approx((0.01, 0.01), abs=few)


@pytest.mark.parametrize("method", ["percentile", "entropy"])
def test_groups_change_nothing(
    model: onnx.ModelProto, names: list[str], method: calibrate.Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = samples(3)
    whole = calibrate.ranges(model, given, names, method)
    monkeypatch.setattr(calibrate, "GROUP", 4000)
    assert calibrate.ranges(model, given, names, method) == whole
    widest = calibrate.ranges(model, given, names)
    assert all(widest[name][0] <= low <= high <= widest[name][1] for name, (low, high) in whole.items())


class Watched(np.ndarray[Any, Any]):
    """An array that can be watched."""


@pytest.mark.parametrize("method", calibrate.METHODS)
def test_one_sample_is_held_at_a_time(model: onnx.ModelProto, names: list[str], method: calibrate.Method) -> None:
    seen: list[weakref.ref[Any]] = []
    most = 0

    class Stream:
        def __iter__(self) -> Iterator[dict[str, Any]]:
            nonlocal most
            for sample in samples(6):
                made = sample["z"].view(Watched)
                seen.append(weakref.ref(made))
                yield {"z": made}
                del made
                most = max(most, sum(each() is not None for each in seen))

    calibrate.ranges(model, Stream(), names, method)
    assert len(seen) >= 6
    assert most <= 2


def test_a_value_that_is_always_the_same() -> None:
    nodes = [helper.make_node("Mul", ["x", "none"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("x", "y")]
    none = onnx.numpy_helper.from_array(np.zeros(1, np.float32), "none")
    made = helper.make_model(helper.make_graph(nodes, "g", told[:1], told[1:], [none]), ir_version=8)
    made.opset_import[0].version = 17
    for method in calibrate.METHODS:
        (found,) = calibrate.ranges(made, [{"x": np.ones(9, np.float32)}], ["h"], method).values()
        assert found[0] <= 0 <= found[1] < 1


def test_what_the_graph_draws_is_drawn_the_same_each_time() -> None:
    nodes = [helper.make_node("RandomNormalLike", ["x"], ["h"]), helper.make_node("Add", ["x", "h"], ["y"])]
    told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("x", "y")]
    made = helper.make_model(helper.make_graph(nodes, "g", told[:1], told[1:]), ir_version=8)
    made.opset_import[0].version = 17
    given = [{"x": np.zeros(100, np.float32)}]
    first, again = (calibrate.ranges(made, given, ["h", "y"]) for _ in range(2))
    assert first == again


def test_no_samples_and_no_numbers(model: onnx.ModelProto, names: list[str]) -> None:
    with pytest.raises(UsageError, match="no samples"):
        calibrate.ranges(model, [], names)
    good, bad = samples(2)
    bad["z"][0, 0, 0] = np.nan
    with pytest.raises(UsageError, match="sample 2 what is no number"):
        calibrate.ranges(model, [good, bad], names)
    assert calibrate.ranges(model, [], []) == {}
