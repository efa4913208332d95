"""Exports of Pocket TTS by others: recognised by their names, described by their backbone, and what is wrong told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowvox.engines.pocket.foreign import header as pocket_foreign_header
from lowvox.engines.pocket.foreign.header import Given, Header
from lowvox.engines.pocket.foreign.states import rows, states
from lowvox.engines.pocket.layout import CacheFacts, layout
from lowvox.errors import DamagedError, NotFoundError
from lowvox.models import store
from replicas import pocket_foreign as replica

KINDS = ("KEVIN", "GROWING", "LOOKBE", "DELTA", "SHERPA")


@pytest.fixture
def kevin(tmp_path: Path) -> Path:
    return replica.build(tmp_path / "kevin")


@pytest.mark.parametrize("name", KINDS)
def test_an_export_is_recognised(tmp_path: Path, name: str) -> None:
    kind: replica.Kind = getattr(replica, name)
    found = layout(replica.build(tmp_path / name, kind))
    assert found.foreign
    assert store.recognise(tmp_path / name) == "pocket"
    facts = found.facts
    assert (facts.latent, facts.width, facts.rate, facts.frame) == (replica.LATENT, replica.WIDTH, 24000, 1920)
    assert facts.graphs["backbone"].cache == CacheFacts(replica.LAYERS, replica.HEADS, replica.SIZE)
    assert facts.precision == ("int8" if name == "SHERPA" else "fp32")
    assert (facts.temperature, facts.eos_threshold, facts.steps, found.languages) == (0.7, -4.0, 1, ("en",))
    assert facts.tokenizer.kind == ("scores" if name == "SHERPA" else "sentencepiece")


def test_of_two_precisions_the_smaller_is_taken(kevin: Path) -> None:
    for stem in ("flow_lm_main", "flow_lm_flow", "mimi_decoder", "mimi_encoder", "text_conditioner"):
        (kevin / "onnx" / f"{stem}_int8.onnx").write_bytes((kevin / "onnx" / f"{stem}.onnx").read_bytes())
    names = {name: Path(graph.file).stem for name, graph in layout(kevin).facts.graphs.items()}
    assert names == {
        "backbone": "flow_lm_main_int8",
        "flow": "flow_lm_flow_int8",
        "decoder": "mimi_decoder_int8",
        "encoder": "mimi_encoder",
        "text": "text_conditioner",
    }


def test_models_are_told_apart_by_their_texts(tmp_path: Path) -> None:
    one, same, other = (
        layout(replica.build(tmp_path / name, kind, seed=seed)).facts.weights
        for name, kind, seed in (("a", replica.KEVIN, 0), ("b", replica.KEVIN, 0), ("c", replica.KEVIN, 1))
    )
    assert one == same != other


def test_voices_that_came_with_it_are_listed(kevin: Path) -> None:
    (kevin / "voices").mkdir()
    (kevin / "voices" / "eve.safetensors").touch()
    assert [*layout(kevin).voices] == ["eve"]


def test_other_folders_are_left_to_others(tmp_path: Path) -> None:
    for name in ("encoder.onnx", "decoder.onnx", "joiner.onnx", "tokenizer.model", "bundle.json"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(NotFoundError, match=r"no Pocket TTS voice"):
        layout(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "onnx/flow_lm_main.onnx",
        "onnx/flow_lm_flow.onnx",
        "onnx/mimi_decoder.onnx",
        "onnx/text_conditioner.onnx",
        "tokenizer.model",
    ],
)
def test_a_file_that_is_missing_or_empty_is_named(kevin: Path, name: str) -> None:
    (kevin / name).write_bytes(b"")
    with pytest.raises(DamagedError, match=rf"incomplete: {Path(name).name} missing or empty; copy or pull it again"):
        layout(kevin)
    (kevin / name).unlink()
    with pytest.raises(DamagedError, match=rf"incomplete: {Path(name).name} missing"):
        layout(kevin)


def test_scores_belong_to_ids(tmp_path: Path) -> None:
    folder = replica.build(tmp_path / "sherpa", replica.SHERPA)
    (folder / "token_scores.json").unlink()
    with pytest.raises(DamagedError, match=r"incomplete: token_scores\.json missing"):
        layout(folder)


def test_a_bundle_is_read(tmp_path: Path) -> None:
    folder = replica.build(tmp_path / "fr", replace(replica.KEVIN, folder=""))
    replica.bundle(folder, model_recommended_frames_after_eos=2)
    facts = layout(folder).facts
    assert (facts.languages, facts.tokens_per_chunk, facts.bos, facts.frames_after_eos) == (("fr",), 40, True, 2)
    assert (facts.text.pad_short, facts.text.remove_semicolons) == (False, True)
    (folder / "bos_before_voice.npy").unlink()
    with pytest.raises(DamagedError, match=r"incomplete: bos_before_voice\.npy missing"):
        layout(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sample_rate": 0}, "numbers that no"),
        ({"sample_rate": "fast"}, "damaged"),
        ({"max_token_per_chunk": -1}, "numbers that no"),
        ({"latent_dim": 2**40}, "numbers that no"),
        ({"tokenizer_file": "../x"}, "outside its folder"),
        ({"bos_before_voice_file": "/etc/passwd"}, "outside its folder"),
        ({"tokenizer_file": "none.model"}, r"incomplete: none\.model missing"),
        ({"flow_lm_state_manifest": [{"shape": [1]}]}, "damaged"),
    ],
)
def test_a_bundle_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    folder = replica.build(tmp_path / "fr", replace(replica.KEVIN, folder=""))
    replica.bundle(folder, **change)
    with pytest.raises(DamagedError, match=told):
        layout(folder)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_graph_that_is_cut_short_is_told(kevin: Path, share: float) -> None:
    file = kevin / "onnx" / "flow_lm_main.onnx"
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DamagedError, match=r"flow_lm_main\.onnx is no ONNX graph or is cut short"):
        layout(kevin)


def test_a_header_has_all_that_a_graph_takes_and_gives(kevin: Path) -> None:
    header = pocket_foreign_header.read(kevin / "onnx" / "mimi_decoder.onnx")
    assert header.inputs[0] == Given("latent", "float32", (1, None, replica.LATENT))
    assert header.inputs[1] == Given("state_0", "bool", (1,))
    assert header.inputs[3] == Given("state_2", "float32", (1, replica.LATENT, 0))
    assert header.outputs[0] == Given("audio_frame", "float32", (1, 1, None))
    assert header.copies == {f"out_state_{at}": f"state_{at}" for at in (0, 2, 7)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.integers(0, 20_000), st.binary(max_size=6))
def test_whatever_a_file_holds_it_is_a_graph_or_one_sentence(kevin: Path, at: int, put: bytes) -> None:
    whole = (kevin / "onnx" / "flow_lm_flow.onnx").read_bytes()
    file = kevin / "other.onnx"
    at %= len(whole)
    file.write_bytes(whole[:at] + put + whole[at + len(put) :])
    try:
        assert pocket_foreign_header.read(file).inputs
    except DamagedError as error:
        assert "\n" not in str(error)


def header(*told: tuple[str, tuple[int | None, ...]]) -> Header:
    given = tuple(Given(f"state_{at}", dtype, shape) for at, (dtype, shape) in enumerate(told))
    return Header(given, tuple(replace(one, name=f"out_{one.name}") for one in given), {})


CACHE: tuple[str, tuple[int | None, ...]] = ("float32", (2, None, None, 16, 64))


def test_what_a_graph_leaves_open_is_filled() -> None:
    found = states(header(CACHE, ("float32", (None,)), ("int64", (None,)), ("bool", (None,))), (0, 0), {})
    assert [state.shape for state in found] == [(2, 1, 1000, 16, 64), (0,), (1,), (1,)]
    assert [state.fill for state in found] == [0, 0, 0, 1]
    assert rows(found[:3]).capacity == 1000
    halves = header(("float16", (1, 1000, 16, 64)), ("float16", (1, 1000, 16, 64)), ("int64", (1,)))
    assert rows(states(halves, (0, 0), {})).layers == 1


@pytest.mark.parametrize(
    "told",
    [
        [],
        [CACHE],
        [("int64", (1,))],
        [CACHE, ("int64", (2,))],
        [CACHE, ("float32", (2, 1, 500, 16, 64)), ("int64", (1,))],
        [("float32", (3, 1, 500, 16, 64)), ("int64", (1,))],
        [("float16", (1, 1000, 16, 64)), ("int64", (1,))],
        [("float32", (2, 1, 2**40, 16, 64)), ("int64", (1,))],
        [("float32", (2, 1, 2**15, 2**15, 64)), ("int64", (1,))],
        [("", (2, 1, 1000, 16, 64)), ("int64", (1,))],
    ],
)
def test_states_that_no_backbone_has_are_refused(told: list[tuple[str, tuple[int | None, ...]]]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        rows(states(header(*told), (0, 0), {}))
