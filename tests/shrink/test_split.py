"""`shrink.voices.split`: parts of a voice that give what the whole gives, whatever the length; and what is no voice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import onnx
from lowvox.engines.piper import config as piper_config
from lowvox.errors import DamagedError
from lowvox.onnx import stages
from lowvox.onnx.session import Session
from lowvox.onnx.split import Split, read
from lowvox.shrink.voices import split as splitting
from lowvox.shrink.voices import voice as voices
from lowvox.shrink.voices.reach import View
from onnx import helper
from replicas import graphs
from replicas import vits as replica
from replicas.vits_parts import Shape

VOICES: dict[str, dict[str, Any]] = {
    "one": {},
    "three": {"speakers": 3},
    "attentive": {"vits2": True},
    "alignment": {"alignment": True},
    "high": {"shape": Shape(stages=replica.FULL.stages, blocks=replica.FULL.blocks, paired=True)},
}
NAME = "en_US-test-low"
WINDOW, BEFORE = 7, 9


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The graphs of voices; in `parts` beside each lie those that it was split into."""
    base = tmp_path_factory.mktemp("voices")
    found = {}
    for name, told in VOICES.items():
        found[name] = replica.voice(base / name, NAME, "text", **told)
        (base / name / "parts").mkdir()
        splitting.split(found[name], base / name / "parts", feeds(found[name]))
    return found


def feeds(path: Path) -> Any:
    return voices.piper_feeds(piper_config.read(path.with_suffix(piper_config.SUFFIX)))


def parts(path: Path) -> tuple[Split, list[Session]]:
    told = read(path.parent / "parts" / f"{NAME}.split.json")
    return told, [Session(path.parent / "parts" / file) for file in told.files]


@pytest.mark.parametrize("name", VOICES)
def test_it_is_cut_before_the_flow_and_behind_it_or_before_the_decoder(made: dict[str, Path], name: str) -> None:
    told, sessions = parts(made[name])
    attentive = name == "attentive"
    assert [file.split(".")[1] for file in told.files] == ["front", *([] if attentive else ["flow"]), "decoder"]
    assert told.stages[-1].hop == replica.HOP
    if not attentive:
        flow = told.stages[0]
        assert (flow.left, flow.right, flow.hop) == (8, 8, 1)
    weights = [
        sum(len(one.raw_data) for one in onnx.load(made[name].parent / "parts" / file).graph.initializer)
        for file in told.files
    ]
    assert sum(weights) == sum(len(one.raw_data) for one in onnx.load(made[name]).graph.initializer)
    assert set(sessions[0].inputs) == set(Session(made[name]).inputs)


@pytest.mark.parametrize("name", VOICES)
def test_every_length_from_one_frame_on_is_the_same_in_windows(
    made: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From shorter than a window is with what it looks at, to several windows of the flow and of the decoder."""
    told, (front, *sessions) = parts(made[name])
    at_work = list(zip(told.stages, sessions, strict=True))
    give = feeds(made[name])
    longest = told.stages[-1].left + told.stages[-1].right + 3 * WINDOW
    for length in (*range(1, longest), 90):
        given = give(length) | {"scales": np.array([0.667, 1e-4, 0], np.float32)}  # a symbol is a frame
        handed = dict(zip(front.outputs, front.run(given), strict=True))
        monkeypatch.setattr(stages, "BEFORE", 10**6)
        (whole,) = stages.stream(at_work, handed, 10**6)
        monkeypatch.setattr(stages, "BEFORE", BEFORE)
        made_now: NDArray[np.float32] = np.concatenate(list(stages.stream(at_work, handed, WINDOW)), -1)
        assert made_now.shape == whole.shape
        assert whole.shape[-1] == length * replica.HOP
        assert np.abs(made_now - whole).max() <= 1e-5


@pytest.mark.parametrize("name", ["one", "attentive"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_frame_less_is_heard(made: dict[str, Path], name: str, side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reach of the decoder is as small as it can be but for a frame, and the test above would see a smaller."""
    import msgspec

    told, (front, *sessions) = parts(made[name])
    less = msgspec.structs.replace(told.stages[-1], **{side: getattr(told.stages[-1], side) - 2})
    handed = dict(
        zip(
            front.outputs,
            front.run(feeds(made[name])(40) | {"scales": np.array([0.667, 1e-4, 0], np.float32)}),
            strict=True,
        )
    )
    (whole,) = stages.stream(list(zip(told.stages, sessions, strict=True)), handed, 10**6)
    cut = np.concatenate(
        list(stages.stream(list(zip((*told.stages[:-1], less), sessions, strict=True)), handed, 1)), -1
    )
    assert np.abs(cut - whole).max() > 1e-6


def test_the_sidecar_names_the_whole_and_its_parts_lie_beside_it(made: dict[str, Path]) -> None:
    from hashlib import sha256

    told, _ = parts(made["one"])
    assert told.whole == sha256(made["one"].read_bytes()).hexdigest()
    assert {file.name for file in (made["one"].parent / "parts").iterdir()} == {*told.files, f"{NAME}.split.json"}


def test_names_do_not_matter(made: dict[str, Path], tmp_path: Path) -> None:
    model = onnx.load(made["one"])
    kept = {one.name for one in (*model.graph.input, *model.graph.output)}
    new: dict[str, str] = {}
    for node in model.graph.node:
        for side in (node.input, node.output):
            side[:] = [one if one in kept or not one else new.setdefault(one, f"/x/{len(new)}/Add") for one in side]
    for one in model.graph.initializer:
        one.name = new.get(one.name, one.name)
    (tmp_path / "other.onnx").write_bytes(model.SerializeToString())
    told, off = splitting.split(tmp_path / "other.onnx", tmp_path, feeds(made["one"]))
    assert off <= 1e-5
    assert [(one.left, one.right, one.hop) for one in told.stages] == [
        (one.left, one.right, one.hop) for one in parts(made["one"])[0].stages
    ]


def refused(data: bytes, folder: Path, given: Any, says: str) -> None:
    path = folder / "voice.onnx"
    path.write_bytes(data)
    with pytest.raises(DamagedError, match=says):
        splitting.split(path, folder, given)
    assert list(folder.iterdir()) == [path]


def test_what_is_no_voice_is_refused_and_nothing_is_written(made: dict[str, Path], tmp_path: Path) -> None:
    give = feeds(made["one"])
    data = made["one"].read_bytes()
    refused(
        graphs.stack(), tmp_path, lambda symbols: {"x": np.ones((symbols, 64), np.float32)}, "not the graph of a VITS"
    )
    refused(b"", tmp_path, give, "is not an ONNX graph")
    refused(b"junk" * 100, tmp_path, give, "is not an ONNX graph")
    refused(data[: len(data) // 2], tmp_path, give, "is not an ONNX graph")


def test_parts_that_would_not_give_the_whole_are_not_written(
    made: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(View, "left", property(lambda _: 1))
    refused(
        made["one"].read_bytes(), tmp_path, feeds(made["one"]), "differ from the whole by .*; it can only be run whole"
    )


def test_a_voice_that_looks_at_all_of_its_sound_is_refused_with_the_reason(
    made: dict[str, Path], tmp_path: Path
) -> None:
    model = onnx.load(made["one"])
    last = model.graph.node[-1]
    mean = helper.make_node("ReduceMean", [last.input[0]], ["loud"], axes=[2], keepdims=1)
    less = helper.make_node("Sub", [last.input[0], "loud"], ["even"])
    last.input[0] = "even"
    nodes = [*model.graph.node[:-1], mean, less, last]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    refused(
        bytes(model.SerializeToString()), tmp_path, feeds(made["one"]), r"ReduceMean goes along time.*only be run whole"
    )
