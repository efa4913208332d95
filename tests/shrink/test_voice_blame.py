"""Who is to blame in a rounded voice: the layer whose range is wrong, the weights that stayed, what takes longer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from lowvox.onnx import split as sidecars
from lowvox.shrink import graph
from lowvox.shrink.rounding import graph_int8, qdq
from lowvox.shrink.rounding.recipe import Plan
from lowvox.shrink.trials import blame
from lowvox.shrink.trials.variant import Check, Verdict
from lowvox.shrink.voices import voice as voices
from lowvox.shrink.voices import voice_blame
from lowvox.shrink.voices.heard import heard
from lowvox.shrink.voices.voice_blame import Part
from replicas import graphs, vits


def failed(*names: str) -> Verdict:
    checks = (Check(name, name not in names, "") for name in ("disk", "peak", "speed", "quality"))
    return Verdict("it", tuple(checks))


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Part]:
    """The stages of a voice in 8 bits, where the range of one value of the flow is a tenth of what it should be."""
    folder = tmp_path_factory.mktemp("voice")
    whole = voices.found(str(vits.voice(folder / "whole", "en_US-test-low", "text")))
    (folder / "parts").mkdir()
    voices.parted(whole, folder / "parts", onnx=True)
    told = sidecars.read(folder / "parts" / "en_US-test-low.split.json")
    given = heard(folder / "parts", told, whole.feeds, (20,))
    found = []
    for name in told.files[1:]:
        first, rounded = folder / "parts" / name, folder / name
        made = graph_int8.make(first, Plan(), given[name], None)
        rounded.write_bytes(made.data)
        (sample,) = given[name]
        found.append(Part(first, rounded, made.recipe, sample))
    return [_spoilt(found[0]), *found[1:]]


def _spoilt(part: Part) -> Part:
    model = graph.read(part.first)
    node = [node for node in model.graph.node if node.op_type == "Conv"][2]
    low, high = part.recipe.ranges[node.input[0]]
    ranges = {**part.recipe.ranges, node.input[0]: (low / 10, high / 10)}
    part.rounded.write_bytes(qdq.rounded(model, ranges, graph.roundable(model)).SerializeToString())
    return Part(part.first, part.rounded, msgspec.structs.replace(part.recipe, ranges=ranges), part.sample)


def test_the_layer_that_was_spoilt_is_named_first(parts: list[Part]) -> None:
    model = graph.read(parts[0].first)
    node = [node for node in model.graph.node if node.op_type == "Conv"][2]
    worst, *others = voice_blame.blamed(failed("quality"), parts).blame
    assert worst.startswith(f"Noise: with Conv {node.name} of {parts[0].first.name} alone in 8 bits, what that part")
    assert len(others) == voice_blame.SHOWN - 1
    levels = [float(line.partition("gives is ")[2].partition(" dB")[0]) for line in (worst, *others)]
    assert levels == sorted(levels)
    assert levels[0] + 6 < levels[1]


def test_the_part_that_takes_longer_comes_first(parts: list[Part], monkeypatch: pytest.MonkeyPatch) -> None:
    flow, decoder = parts[0].first.name, parts[1].first.name
    now = {flow: 0.030, decoder: 0.009}

    def profile(path: Path, _: object) -> blame.Profiled:
        rounded = "parts" not in path.parts
        return {("QLinearConv" if rounded else "Conv", "n1"): now[path.name] if rounded else 0.010}

    monkeypatch.setattr(blame, "profile", profile)
    assert voice_blame.blamed(failed("speed"), parts).blame == (
        f"Time: in {flow}, QLinearConv takes 30 ms of a run (none before), most of it in n1.",
    )
    now[flow] = 0.001
    (said,) = voice_blame.blamed(failed("speed"), parts).blame
    assert said.startswith("Time: no part takes longer in 8 bits; windows compute twice")


def test_large_weights_that_stayed(parts: list[Part], tmp_path: Path) -> None:
    path = tmp_path / "stack.onnx"
    path.write_bytes(graphs.stack(256, 2))
    sizes = voice_blame.blamed(failed("disk"), [*parts, replace(parts[0], first=path, rounded=path)]).blame
    assert [line.endswith("of stack.onnx has 0.25 MB of weights that stayed in floats.") for line in sizes] == [
        True
    ] * 2
    (said,) = voice_blame.blamed(failed("peak"), parts).blame
    assert said.startswith("Size: no layer has large weights in floats")


def test_a_front_is_looked_at_where_words_judge(parts: list[Part]) -> None:
    front = replace(parts[0], windowed=False)
    assert not any(front.first.name in line for line in voice_blame.blamed(failed("quality"), [front, parts[1]]).blame)
    *_, last = voice_blame.blamed(failed("quality"), [front, parts[1]], words=True).blame
    frames = next(len(each[0][0]) for name, each in front.sample.items() if each.ndim == 3)
    assert last == f"Length: {front.first.name} gives a sentence {frames} frames in 8 bits, and gave it {frames}."


def test_who_fails_in_nothing_is_not_blamed(parts: list[Part]) -> None:
    assert voice_blame.blamed(failed(), parts).blame == ()
