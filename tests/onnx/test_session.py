"""Sessions: shared, permitted, closed; and errors that people can read."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lowvox.errors import DamagedError, EngineError, NotFoundError, UsageError
from lowvox.memory.exercise import exercise
from lowvox.onnx import session as sessions
from lowvox.onnx.session import PROFILES, Session, write_mapped
from lowvox.types import Model, Profile
from replicas import graphs

ONES = np.ones((3, 64), np.float32)
MB = 2**20


@pytest.fixture(scope="module")
def stack() -> bytes:
    return graphs.stack()


def test_a_graph_runs_the_same_from_bytes_and_from_a_file_in_every_profile(stack: bytes, tmp_path: Path) -> None:
    (tmp_path / "stack.onnx").write_bytes(stack)
    expected = Session(stack).run({"x": ONES})[0]
    assert expected.shape == (3, 64)
    assert expected.std() > 0
    for name in PROFILES:
        session = Session(tmp_path / "stack.onnx", Profile(name, threads=2))
        assert (session.inputs, session.outputs) == (("x",), ("y",))
        assert session.run({"x": ONES}, ["y"])[0] == pytest.approx(expected, abs=1e-5)


def test_the_decoder_makes_sound_of_any_length() -> None:
    session = Session(graphs.decoder(channels=32))
    for frames in (1, 7, 40):
        noise = np.random.default_rng(0).standard_normal((1, graphs.LATENT, frames), np.float32)
        (sound,) = session.run({"z": noise})
        assert sound.shape == (1, 1, 256 * frames)
        assert 0 < np.abs(sound).max() <= 1


def test_the_full_decoder_is_as_large_as_the_real_one() -> None:
    assert 13e6 < len(graphs.decoder()) / 4 < 15e6


def test_the_same_model_and_profile_are_loaded_once(stack: bytes, tmp_path: Path) -> None:
    path = tmp_path / "stack.onnx"
    path.write_bytes(stack)
    first, second, other = Session(path), Session(str(path), permits=3), Session(path, Profile("no-arena"))
    assert first._session is second._session
    assert first._session is not other._session
    first.close()
    assert second.run({"x": ONES})[0].shape == (3, 64)
    loaded = len(sessions._shared)
    second.close()
    second.close()
    assert len(sessions._shared) == loaded - 1


def test_a_file_that_was_replaced_is_another_model(stack: bytes, tmp_path: Path) -> None:
    path = tmp_path / "stack.onnx"
    path.write_bytes(stack)
    old = Session(path)
    (tmp_path / "new").write_bytes(graphs.stack(width=32))
    (tmp_path / "new").replace(path)
    assert Session(path)._session is not old._session


def test_a_closed_session_says_so(stack: bytes) -> None:
    session = Session(stack)
    session.close()
    for use in (lambda: session.run({"x": ONES}), lambda: session.inputs, lambda: session.outputs):
        with pytest.raises(EngineError, match="closed; open another"):
            use()


class Counting:
    """Stands in for the graph: its runs meet in pairs, and it counts how many are inside."""

    def __init__(self) -> None:
        self.pairs = threading.Barrier(2, timeout=30)
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def run(self, outputs: Sequence[str] | None, feeds: Mapping[str, Any], options: object) -> list[NDArray[Any]]:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.pairs.wait()
        with self.lock:
            self.inside -= 1
        return []


def test_as_many_run_at_once_as_are_permitted_and_no_more(stack: bytes) -> None:
    session = Session(stack, permits=2)
    session._session = counting = Counting()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: session.run({}), range(16)))
    assert counting.most == 2


def test_a_run_that_fails_gives_its_permit_back(stack: bytes) -> None:
    session = Session(stack)
    for _ in range(3):
        with pytest.raises(EngineError):
            session.run({})
    assert session.run({"x": ONES})[0].shape == (3, 64)


@pytest.mark.parametrize("content", [b"", b"junk", b"\x08\x09" * 500])
def test_what_is_no_graph(content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=r"broken\.onnx cannot be loaded \(.+\); copy or pull it again\.") as caught:
        Session(path)
    assert caught.value.__cause__ is not None
    assert "ONNXRuntimeError" not in str(caught.value)
    with pytest.raises(DamagedError, match=r"^The graph cannot be loaded"):
        Session(content)
    assert capfd.readouterr() == ("", "")


def test_half_a_graph(stack: bytes) -> None:
    with pytest.raises(DamagedError):
        Session(stack[: len(stack) // 2])


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no model file .*missing\.onnx"):
        Session(tmp_path / "missing.onnx")


def test_another_setting_is_another_session(stack: bytes) -> None:
    set_so = Profile(stated=(("enable_mem_pattern", False),))
    plain, stated, again = Session(stack), Session(stack, set_so), Session(stack, set_so)
    assert plain._session is not stated._session
    assert stated._session is again._session
    assert stated.run({"x": ONES})[0] == pytest.approx(plain.run({"x": ONES})[0])
    assert plain.provider == "cpu"


def test_an_unknown_profile(stack: bytes) -> None:
    with pytest.raises(UsageError, match="no session profile 'fast'; there are default, "):
        Session(stack, Profile("fast"))


def test_arrays_that_the_graph_does_not_take_are_left_out(stack: bytes) -> None:
    session = Session(stack)
    alone = session.run({"x": ONES})[0]
    assert session.run({"x": ONES, "sid": np.zeros(1, np.int64)})[0] == pytest.approx(alone)


@pytest.mark.parametrize(
    ("feeds", "reason"),
    [
        ({}, "Required inputs"),
        ({"y": ONES}, "Required inputs"),
        ({"x": np.ones((3, 7), np.float32)}, "Got invalid dimensions"),
        ({"x": np.ones((3, 64))}, "Unexpected input data type"),
    ],
)
def test_arrays_that_do_not_fit(
    stack: bytes, feeds: dict[str, Any], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EngineError, match=rf"^The graph failed at work \({reason}.*\); try another model\.$"):
        Session(stack).run(feeds)
    assert capfd.readouterr() == ("", "")


def test_unloading_gives_the_memory_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The full decoder is 55 MB; what stays after the first load is the library's own."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    (tmp_path / "decoder.onnx").write_bytes(graphs.decoder())
    model = Model("decoder", "test", "recognizer", (), tmp_path / "decoder.onnx")
    held = exercise("replicas.graph_engine:Graph", model, Profile(), "load", 3)
    assert held.after[0] < held.before + 25 * MB
    assert held.after[2] < held.after[0] + MB
    assert [cycle for cycle in held.cycles if any("onnx" in kind for kind in cycle.types)] == []


def test_a_mapped_graph_gives_what_the_graph_gives(tmp_path: Path) -> None:
    path, mapped = tmp_path / "stack.onnx", tmp_path / "stack.ort"
    path.write_bytes(graphs.stack(256, 4))
    write_mapped(path, mapped)
    x = np.random.default_rng(0).standard_normal((3, 256), np.float32)
    results = []
    for source, profile in ((path, "default"), (mapped, "default"), (mapped, "packed")):
        with closing(Session(source, Profile(profile))) as session:
            results += session.run({"x": x})
    for result in results[1:]:
        assert np.abs(result - results[0]).max() < 1e-5


def test_a_mapped_graph_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path, mapped = tmp_path / "stack.onnx", tmp_path / "stack.ort"
    path.write_bytes(graphs.stack())
    write_mapped(path, mapped)
    data = mapped.read_bytes()
    for size in (0, 1, len(data) // 2):
        mapped.write_bytes(data[:size])
        with pytest.raises(DamagedError, match="copy or pull it again"):
            Session(mapped)
    path.write_bytes(b"junk")
    with pytest.raises(DamagedError, match="copy or pull it again"):
        write_mapped(path, mapped)
