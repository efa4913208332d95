"""`shrink.rounding.samples`: inputs from disk, what does not fit, and what may not be in both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError, LowvoxError, NotFoundError, UsageError
from lowvox.shrink.rounding import samples
from onnx import TensorProto, helper


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    """A graph that takes `x` [1, 3, n] and `count` [1]."""
    given = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "n"]),
        helper.make_tensor_value_info("count", TensorProto.INT64, [1]),
    ]
    made = helper.make_graph([], "g", given, [])
    return helper.make_model(made)


def sample(seed: int, length: int = 5) -> dict[str, Any]:
    x = np.random.default_rng(seed).standard_normal((1, 3, length), np.float32)
    return {"x": x, "count": np.array([length])}


def folder(path: Path, *given: dict[str, Any]) -> Path:
    path.mkdir(exist_ok=True)
    for at, values in enumerate(given):
        np.savez(path / f"{at}.npz", **values)
    return path


def test_a_folder_holds_one_in_each_file(tmp_path: Path, model: onnx.ModelProto) -> None:
    given = [sample(at, 4 + at) for at in range(3)]
    given[1]["other"] = np.ones(3)  # what the graph does not take is left out
    found = samples.read(folder(tmp_path / "s", *given), model)
    assert len(found) == 3
    for _ in range(2):
        for one, expected in zip(found, given, strict=True):
            assert set(one) == {"x", "count"}
            np.testing.assert_array_equal(one["x"], expected["x"])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
def test_one_file_has_them_along_the_first_axis(
    tmp_path: Path, model: onnx.ModelProto, packed: bool, order: Any
) -> None:
    given = [sample(at) for at in range(4)]
    together = {name: np.asarray(np.stack([one[name] for one in given]), order=order) for name in given[0]}
    save = np.savez_compressed if packed else np.savez
    save(tmp_path / "all.npz", x=together["x"], count=together["count"])
    found = samples.read(tmp_path / "all.npz", model)
    assert len(found) == 4
    for one, expected in zip(found, given, strict=True):
        np.testing.assert_array_equal(one["x"], expected["x"])
        np.testing.assert_array_equal(one["count"], expected["count"])
    assert found.hashes == samples.read(folder(tmp_path / "s", *given), model).hashes


def refused(path: Path, model: onnx.ModelProto) -> LowvoxError:
    with pytest.raises(LowvoxError) as found:
        samples.read(path, model)
    assert "\n" not in str(found.value)
    return found.value


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": np.zeros((1, 3, 5))}, "'x' is of float64, and the graph takes float32"),
        ({"x": np.zeros((1, 4, 5), np.float32)}, "'x' has the shape [1, 4, 5], not [1, 3, any]"),
        ({"x": np.zeros((3, 5), np.float32)}, "'x' has the shape [3, 5], not [1, 3, any]"),
        ({"x": np.zeros((1, 3, 0), np.float32)}, "'x' has the shape [1, 3, 0]"),
        ({"x": np.full((1, 3, 5), np.nan, np.float32)}, "'x' has values that are no numbers"),
        ({"x": np.full((1, 3, 5), np.inf, np.float32)}, "'x' has values that are no numbers"),
        ({"count": None}, "has no array 'count', which the graph takes; it takes x, count."),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, model: onnx.ModelProto, change: Any, says: str) -> None:
    bad = {name: value for name, value in (sample(1) | change).items() if value is not None}
    found = refused(folder(tmp_path / "s", sample(0), bad), model)
    assert isinstance(found, UsageError)
    assert says in str(found)
    assert "1.npz" in str(found)


def test_a_sample_of_one_file_is_named(tmp_path: Path, model: onnx.ModelProto) -> None:
    x = np.zeros((3, 1, 3, 5), np.float32)
    x[1] = np.nan
    np.savez(tmp_path / "all.npz", x=x, count=np.ones((3, 1), np.int64))
    assert "all.npz, sample 2: 'x' has values" in str(refused(tmp_path / "all.npz", model))
    np.savez(tmp_path / "all.npz", x=np.zeros((3, 1, 3, 5), np.float32), count=np.ones((2, 1), np.int64))
    assert "has less of 'count' than of its other inputs" in str(refused(tmp_path / "all.npz", model))
    np.savez(tmp_path / "all.npz", x=np.zeros((3, 1, 3, 5), np.float32))
    assert "has no array 'count'" in str(refused(tmp_path / "all.npz", model))


def test_what_is_no_file_of_arrays(tmp_path: Path, model: onnx.ModelProto) -> None:
    assert isinstance(refused(tmp_path / "nothing", model), NotFoundError)
    assert "no samples in" in str(refused(folder(tmp_path / "empty"), model))
    (tmp_path / "s").mkdir()
    np.savez(tmp_path / "good.npz", **sample(0))
    whole = (tmp_path / "good.npz").read_bytes()
    objects = tmp_path / "objects.npz"
    np.savez(objects, x=np.array([None, 1], object), count=np.ones((2, 1), np.int64))
    np.savez_compressed(tmp_path / "packed.npz", **sample(0))
    packed = bytearray((tmp_path / "packed.npz").read_bytes())
    packed[60:120] = bytes(60)
    for data in (b"", b"text", whole[:100], whole[:-30], objects.read_bytes(), packed):
        for path in (tmp_path / "s" / "bad.npz", tmp_path / "bad.npz"):
            path.write_bytes(data)
            found = refused(path.parent if path.parent.name == "s" else path, model)
            assert isinstance(found, DamagedError)
            assert "bad.npz" in str(found)


def test_scalars_are_no_rows(tmp_path: Path, model: onnx.ModelProto) -> None:
    np.savez(tmp_path / "all.npz", x=np.float32(1), count=np.ones((2, 1), np.int64))
    assert isinstance(refused(tmp_path / "all.npz", model), DamagedError)


def test_no_sample_may_be_in_both(tmp_path: Path, model: onnx.ModelProto) -> None:
    one = samples.read(folder(tmp_path / "a", sample(0), sample(1)), model)
    other = samples.read(folder(tmp_path / "b", sample(2), sample(1)), model)
    with pytest.raises(UsageError, match="1 of the samples"):
        samples.apart(one, other)
    samples.apart(one, samples.read(folder(tmp_path / "c", sample(3)), model))


def test_every_fifth_is_kept_back(tmp_path: Path, model: onnx.ModelProto) -> None:
    given = [sample(at) for at in (0, 1, 2, 3, 1, 4, 5, 6, 7)]
    rest, back = samples.parted(samples.read(folder(tmp_path / "s", *given), model))
    samples.apart(rest, back)
    assert len(list(back)) == len(back) == 3  # one of the two that are alike would give the other away
    assert len(list(rest)) == len(rest) == 6
    alike = samples.read(folder(tmp_path / "t", sample(0), sample(0)), model)
    with pytest.raises(UsageError, match="has one sample"):
        samples.parted(alike)
