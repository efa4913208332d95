"""`shrink.voices.quantize`: the parts of a split voice in 8 bits, near what they were."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

import onnx
from lowvox.engines.vits import Vits
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.onnx import split
from lowvox.onnx.session import Session
from lowvox.onnx.stages import stream
from lowvox.shrink.rounding import recipe as recipes
from lowvox.shrink.rounding.recipe import Plan
from lowvox.shrink.voices import quantize
from lowvox.shrink.voices.split import split as cut
from lowvox.types import Profile
from replicas import vits

NAME = "voice"
LARGE = 100  # weights; nothing in a tiny voice is large


def feeds(symbols: int) -> dict[str, NDArray[Any]]:
    ids = np.random.default_rng(symbols).integers(3, 100, (1, symbols))
    scales = np.array([0.6, 1, 0], np.float32)
    return {"input": ids, "input_lengths": np.array([symbols]), "scales": scales}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parts")
    (folder / "whole").mkdir()
    path = folder / "whole" / f"{NAME}.onnx"
    path.write_bytes(vits.graph())
    cut(path, folder, feeds)
    return folder


@pytest.fixture(scope="module")
def rounded(parts: Path) -> Path:
    out = parts / "int8"
    quantize.quantize_voice(parts, out, feeds, LARGE)
    return out


def test_it_writes_the_parts_and_their_sidecar_and_nothing_else(parts: Path, rounded: Path) -> None:
    told = split.read(rounded / f"{NAME}.split.json")
    assert told == split.read(parts / f"{NAME}.split.json")
    beside = {Path(name).with_suffix(".recipe.json").name for name in told.files}
    assert {file.name for file in rounded.iterdir()} == {f"{NAME}.split.json", *told.files, *beside}


def test_it_tells_what_came_of_each_part(parts: Path, tmp_path: Path) -> None:
    """In a tiny front nothing is large: it stays as it was, and has no recipe."""
    made = quantize.quantize_voice(parts, tmp_path / "new", feeds)
    front, *stages = made
    assert made[front] is None
    assert (tmp_path / "new" / front).read_bytes() == (parts / front).read_bytes()
    assert not (tmp_path / "new" / front).with_suffix(".recipe.json").exists()
    for name in stages:
        part = made[name]
        assert part
        assert part.data == (tmp_path / "new" / name).read_bytes()
        assert part.recipe.noise_db is not None
        assert 10 < part.recipe.noise_db < 60
        assert (len(part.recipe.samples), len(part.recipe.evaluation)) == (len(quantize.SENTENCES), 1)


def test_recipes_make_the_same_parts_again_and_measure_nothing(
    parts: Path, rounded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantize, "heard", None)
    quantize.requantize_voice(parts, tmp_path / "again", rounded, LARGE)
    names = {file.name for file in rounded.iterdir()}
    assert {file.name for file in (tmp_path / "again").iterdir()} == names
    assert all((tmp_path / "again" / name).read_bytes() == (rounded / name).read_bytes() for name in names)


def test_recipes_that_make_something_else(parts: Path, rounded: Path, tmp_path: Path) -> None:
    shutil.copytree(rounded, tmp_path / "recipes")
    path = tmp_path / "recipes" / f"{NAME}.decoder.recipe.json"
    recipe = recipes.read(path)
    ranges = {name: (low, 2 * high) for name, (low, high) in recipe.ranges.items()}
    recipes.write(path, msgspec.structs.replace(recipe, ranges=ranges))
    with pytest.raises(DamagedError, match="the recipe was changed"):
        quantize.requantize_voice(parts, tmp_path / "again", tmp_path / "recipes", LARGE)
    recipes.write(path, msgspec.structs.replace(recipe, source="0" * 64))
    with pytest.raises(UsageError, match=r"is for voice\.decoder\.onnx: they are for another voice"):
        quantize.requantize_voice(parts, tmp_path / "again", tmp_path / "recipes", LARGE)
    for folder in ("none", "recipes"):
        for file in (tmp_path / "recipes").glob("*.recipe.json"):
            file.unlink()
        with pytest.raises(NotFoundError, match=r"no folder|no recipes"):
            quantize.requantize_voice(parts, tmp_path / "again", tmp_path / folder, LARGE)
    assert not (tmp_path / "again").exists()


def test_a_plan_leaves_nodes_alone(parts: Path, tmp_path: Path) -> None:
    plan = Plan(exclude=("ConvTranspose",), per_channel=False)
    made = quantize.quantize_voice(parts, tmp_path / "new", feeds, LARGE, plan)
    decoder = made[f"{NAME}.decoder.onnx"]
    assert decoder
    assert len(decoder.recipe.left) == 3
    again = quantize.requantize_voice(parts, tmp_path / "again", tmp_path / "new", LARGE)
    assert {name: part and part.data for name, part in again.items()} == {
        name: part and part.data for name, part in made.items()
    }
    for exclude, says in ((("nothing",), "node or operator 'nothing'"), (("Conv", "ConvTranspose", "MatMul"), "stays")):
        with pytest.raises(UsageError, match=says):
            quantize.quantize_voice(parts, tmp_path / "other", feeds, LARGE, Plan(exclude=exclude))


def test_what_costs_most_is_left_alone_for_a_floor(parts: Path, tmp_path: Path) -> None:
    before = quantize.quantize_voice(parts, tmp_path / "all", feeds, LARGE)[f"{NAME}.decoder.onnx"]
    assert before
    assert before.recipe.noise_db is not None
    floor = before.recipe.noise_db + 3
    after = quantize.quantize_voice(parts, tmp_path / "near", feeds, LARGE, Plan(floor=floor))[f"{NAME}.decoder.onnx"]
    assert after
    assert after.recipe.noise_db is not None
    assert after.recipe.noise_db >= floor
    assert 0 < len(after.recipe.left) < before.nodes


def test_stages_sound_nearly_as_before(parts: Path, rounded: Path) -> None:
    """What the front hands over is the same for both: it draws noise."""
    told = split.read(parts / f"{NAME}.split.json")
    front = Session(parts / told.front, seed=5)
    handed = dict(zip(front.outputs, front.run(feeds(40)), strict=True))

    def sound(folder: Path) -> NDArray[np.float32]:
        stages = [(stage, Session(folder / stage.file)) for stage in told.stages]
        return np.concatenate(list(stream(stages, handed, 32)), -1).ravel()

    before, after = sound(parts), sound(rounded)
    assert before.shape == after.shape
    assert 0.001 < (after - before).std() / before.std() < 0.1


def test_a_rounded_voice_speaks(rounded: Path) -> None:
    voice = Vits(rounded / f"{NAME}.onnx", Profile(window=16))
    sound = np.concatenate(list(voice.run(feeds(30))))
    voice.close()
    assert sound.size >= 30 * vits.HOP
    assert np.isfinite(sound).all()
    assert sound.std() > 0.01


def rounds(path: Path) -> dict[str, list[bool]]:
    """Return, by kind of node, whether all that goes into each node with weights was rounded.

    Of a transposed convolution, which is summed in floats, only the weights are.
    """
    graph = onnx.load(path).graph
    maker = {name: node.op_type for node in graph.node for name in node.output}
    found: dict[str, list[bool]] = {}
    for node in graph.node:
        if node.op_type in ("Conv", "ConvTranspose", "MatMul"):
            names = node.input[1:2] if node.op_type == "ConvTranspose" else node.input
            given = [maker.get(name) == "DequantizeLinear" for name in names if name]
            found.setdefault(node.op_type, []).append(all(given))
    return found


@pytest.mark.parametrize("part", ["flow", "decoder"])
def test_every_convolution_of_a_stage_is_rounded(rounded: Path, part: str) -> None:
    found = rounds(rounded / f"{NAME}.{part}.onnx")
    assert len(found["Conv"]) > 4
    assert all(all(each) for each in found.values())


def test_in_the_front_only_what_is_large_is_rounded(parts: Path, rounded: Path, tmp_path: Path) -> None:
    front = f"{NAME}.front.onnx"
    several = [each for kind in rounds(rounded / front).values() for each in kind]
    assert any(several)
    assert not all(several)
    quantize.quantize_voice(parts, tmp_path / "new", feeds)
    assert not any(each for kind in rounds(tmp_path / "new" / front).values() for each in kind)


def test_a_bias_that_is_handed_round_is_rounded_too(parts: Path, tmp_path: Path) -> None:
    """PyTorch exports equal weights once, and a node for each further use."""
    for file in parts.glob(f"{NAME}.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / f"{NAME}.decoder.onnx"
    model = onnx.load(path)
    node = next(node for node in model.graph.node if node.op_type == "Conv")
    passing = onnx.helper.make_node("Identity", [node.input[2]], ["handed"])
    node.input[2] = "handed"
    model.graph.node.insert(0, passing)
    onnx.save(model, path)
    quantize.quantize_voice(tmp_path, tmp_path / "new", feeds)
    assert all(rounds(tmp_path / "new" / path.name)["Conv"])


def test_it_says_nothing(parts: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    quantize.quantize_voice(parts, tmp_path / "new", feeds, LARGE)
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable == 0


def test_a_folder_without_a_split_voice_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="shrink split"):
        quantize.quantize_voice(tmp_path, tmp_path / "new", feeds)


def test_what_is_there_is_never_overwritten(parts: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        quantize.quantize_voice(parts, tmp_path, feeds)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_a_damaged_part_is_named_and_nothing_is_left(parts: Path, tmp_path: Path) -> None:
    for file in parts.glob(f"{NAME}.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / f"{NAME}.flow.onnx"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedError, match=r"flow\.onnx"):
        quantize.quantize_voice(tmp_path, tmp_path / "new", feeds)
    assert not (tmp_path / "new").exists()
