"""Exporting Pocket TTS: what is written, what it is compared with, and what is refused in one sentence.

Most of it is done without the package pocket-tts; the comparison with it, and its errors, need it.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib import import_module, metadata, util
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

import onnx
from lowvox import commands
from lowvox.engines.pocket.layout import FACTS, layout
from lowvox.errors import DamagedError, EngineError, LowvoxError, NotFoundError, UsageError
from lowvox.onnx.session import Session
from lowvox.shrink.pocket import export as pocket
from lowvox.shrink.pocket import files as pocket_files
from lowvox.shrink.pocket import parity as pocket_parity
from lowvox.shrink.pocket import upstream as pocket_upstream
from lowvox.shrink.pocket.parity import Difference
from replicas import pocket as replica

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

needs_upstream = pytest.mark.skipif(
    util.find_spec("pocket_tts") is None or util.find_spec("torch") is None,
    reason="needs the package pocket-tts, which is in the extra 'shrink' alone",
)
# Of torch and the tokenizers' libraries, about their own future.
quiet = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    file = tmp_path / "any.model"
    file.write_bytes(b"not looked at")
    return file


def test_what_is_written_is_a_whole_voice(tmp_path: Path, tokenizer: Path) -> None:
    facts = replica.build(tmp_path / "voice", tokenizer)
    found = layout(tmp_path / "voice")
    assert found.facts == facts
    assert {*facts.sizes} == {path.name for path in (tmp_path / "voice").iterdir()} - {FACTS}
    assert (facts.flow, facts.frame, facts.latent, facts.width, facts.condition) == ("pointwise", 1920, 4, 16, 12)
    assert facts.languages == ("en",)
    assert facts.bos
    assert facts.text.replace == {"–": ","}
    assert np.load(tmp_path / "voice" / "text.npy").shape == (301, 8)
    assert facts.graphs["decoder"].stride == 16
    assert {*facts.graphs} == {"backbone", "flow", "decoder", "encoder"}


def test_what_graphs_take_and_give_is_what_lowvox_json_says(tmp_path: Path, tokenizer: Path) -> None:
    facts = replica.build(tmp_path / "voice", tokenizer)
    for name, graph in facts.graphs.items():
        session = Session(tmp_path / "voice" / graph.file)
        caches = [f"{kind}{at}" for at in range(graph.cache.layers) for kind in "kv"] if graph.cache else []
        states = [state.name for state in graph.states]
        own = {
            "backbone": (["text", "audio", "latents"], ["condition", "eos"]),
            "flow": (["condition", "x"], ["direction"]),
            "decoder": (["latents", "offset"], ["audio"]),
            "encoder": (["audio", "first", "offset"], ["conditioning"]),
        }[name]
        assert sorted(session.inputs) == sorted([*own[0], *caches, *states])
        outputs = [*own[1], *(f"new_{each}" for each in caches), *(f"next_{each}" for each in states)]
        assert sorted(session.outputs) == sorted(outputs)
        session.close()


def test_in_8_bits_it_is_smaller_and_nearly_the_same(tmp_path: Path, tokenizer: Path) -> None:
    whole, small = (replica.build(tmp_path / name, tokenizer, int8=name == "int8") for name in ("fp32", "int8"))
    assert (whole.precision, small.precision) == ("fp32", "int8")
    dice = np.random.default_rng(0)
    condition, x = (dice.standard_normal((1, size)).astype(np.float32) for size in (whole.condition, whole.latent))
    said = []
    for folder, facts in (("fp32", whole), ("int8", small)):
        session = Session(tmp_path / folder / facts.graphs["flow"].file)
        said.append(session.run({"condition": condition, "x": x})[0])
        session.close()
    assert 0 < np.abs(said[0] - said[1]).max() < 0.1 * np.abs(said[0]).max()
    weights = tmp_path / "int8" / "backbone.weights"
    assert weights.stat().st_size < (tmp_path / "fp32" / "backbone.ort").stat().st_size


@pytest.mark.parametrize("name", ["backbone", "flow", "decoder"])
def test_weights_in_8_bits_have_no_sign(name: str, tmp_path: Path, tokenizer: Path) -> None:
    graph, _ = pocket._graphs(replica.upstream(tokenizer))[name]
    file = pocket_files.write(graph, tmp_path, name, int8=True)
    made = onnx.load(tmp_path / file).graph
    kinds = {weight.name: weight.data_type for weight in made.initializer}
    products = [node.input for node in made.node if node.op_type == "MatMulInteger"]
    assert len(products) == len(pocket_files.products(graph)) > 0
    assert {kinds[given[1]] for given in products} == {onnx.TensorProto.UINT8}
    assert onnx.TensorProto.INT8 not in kinds.values()


def test_convolutions_and_heads_keep_their_bits(tmp_path: Path, tokenizer: Path) -> None:
    upstream = replica.upstream(tokenizer)
    decoder, _ = pocket._graphs(upstream)["decoder"]
    rounded = pocket_files.products(decoder)
    assert any("decoder_transformer.transformer.layers.1.linear2" in name for name in rounded)
    assert not [name for name in rounded if "decoder.model" in name or "quantizer" in name]
    backbone, _ = pocket._graphs(upstream)["backbone"]
    assert not {"out_eos", "z_proj", "input_linear", "conditioner.proj"} & {*pocket_files.products(backbone)}


def test_weights_without_cloning_have_no_encoder(tmp_path: Path, tokenizer: Path) -> None:
    upstream = replica.upstream(tokenizer)
    upstream.weights["flow_lm.speaker_proj_weight"][:] = 0
    (tmp_path / "voice").mkdir()
    facts = pocket.files(upstream, tmp_path / "voice")
    assert "encoder" not in facts.graphs
    assert not [name for name in facts.sizes if name.startswith("encoder")]


def test_cloning_can_be_left_out(tmp_path: Path, tokenizer: Path) -> None:
    (tmp_path / "voice").mkdir()
    facts = pocket.files(replica.upstream(tokenizer), tmp_path / "voice", cloning=False)
    assert {*facts.graphs} == {"backbone", "flow", "decoder"}
    assert layout(tmp_path / "voice").facts == facts


def test_digests_know_a_model_wherever_it_lies(tmp_path: Path) -> None:
    for name in ("here.model", "there.model"):
        (tmp_path / name).write_bytes(b"any")
    here, there = (replica.upstream(tmp_path / name).digests() for name in ("here.model", "there.model"))
    assert here == there
    other = replica.upstream(tmp_path / "here.model", "drifting").digests()
    assert other[0] != here[0]
    changed = replica.upstream(tmp_path / "here.model")
    changed.weights["flow_lm.out_eos.bias"][0] += 1
    assert changed.digests()[1] != here[1]


def test_a_graph_that_differs_is_told_by_its_largest_difference(tmp_path: Path, tokenizer: Path) -> None:
    folder = tmp_path / "voice"
    facts = replica.build(folder, tokenizer)
    dice = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        return dice.standard_normal(shape).astype(np.float32)

    cache = facts.graphs["backbone"].cache
    assert cache is not None
    voice = drawn(cache.layers, 2, 4, cache.heads, cache.size)
    frames = (drawn(2, 12), drawn(2, 1), drawn(2, 4), drawn(2 * 1920))
    run = pocket_parity.Run(drawn(3 * 1920), drawn(3, 16), voice, drawn(5, 8), drawn(2, 4), *frames)
    found = pocket_parity.compare(folder, facts, run, 1)
    assert {*found} == {"voice", "encoder", "backbone", "end", "flow", "decoder", "together"}
    assert all(0.01 < each.relative < 100 for each in found.values())
    cut = replace(run, conditioning=run.conditioning[:2])
    assert pocket_parity.compare(folder, facts, cut, 1)["encoder"].difference == float("inf")


def test_without_the_package_it_says_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "pocket_tts" else there("json"))
    output = tmp_path / "voice"
    arguments = ["shrink", "export", "pocket-tts", "--config", "english", "-o", str(output)]
    assert commands._status(arguments) == 4
    said = capsys.readouterr().err
    assert "needs pocket_tts" in said
    assert "lowvox[shrink]" in said
    assert not output.exists()


def test_another_version_of_the_package_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: name)
    monkeypatch.setattr(metadata, "version", lambda name: "2.1.0")
    with pytest.raises(NotFoundError, match=r"pocket-tts 2\.1\.0 is installed, and 4\.0\.1 is"):
        pocket.export("english", tmp_path / "voice")


def test_a_folder_with_files_in_it_is_left_alone(tmp_path: Path, tokenizer: Path) -> None:
    with pytest.raises(UsageError, match="is there already"):
        pocket.export("english", tmp_path)
    assert tokenizer.read_bytes() == b"not looked at"


def test_nothing_is_written_where_it_differs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tokenizer: Path) -> None:
    monkeypatch.setattr(pocket_upstream, "load", lambda config: replica.upstream(tokenizer))
    monkeypatch.setattr(pocket_parity, "reference", lambda *told, **given: None)
    monkeypatch.setattr(pocket_parity, "compare", lambda *told: {"flow": Difference(0.5, 2.0)})
    with pytest.raises(EngineError, match=r"flow by 0\.5 of 2"):
        pocket.export("any", tmp_path / "voice")
    assert [*tmp_path.iterdir()] == [tokenizer]
    monkeypatch.setattr(pocket_parity, "compare", lambda *told: {"flow": Difference(float("nan"), 2.0)})
    with pytest.raises(EngineError, match="nothing was written"):
        pocket.export("any", tmp_path / "voice")


def test_in_8_bits_nothing_of_32_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tokenizer: Path) -> None:
    monkeypatch.setattr(pocket_upstream, "load", lambda config: replica.upstream(tokenizer))
    monkeypatch.setattr(pocket_parity, "reference", lambda *told, **given: None)
    monkeypatch.setattr(
        pocket_parity, "compare", lambda *told: {"together": Difference(1e-7, 1), "backbone": Difference(0, 1)}
    )
    done = pocket.export("any", tmp_path / "voice", int8=True)
    assert layout(done.folder).facts.precision == "int8"
    assert not done.trained
    assert not [*done.folder.glob("*.ort")]
    assert {*done.facts.sizes} == {path.name for path in done.folder.iterdir()} - {FACTS}
    assert done.size == sum(done.facts.sizes.values())


@pytest.fixture(scope="session")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tokenizers of both kinds, of 300 pieces."""
    from replicas import pocket_full

    folder = tmp_path_factory.mktemp("pieces")
    pocket_full.tokenizer(folder, replica.TOKENS, "tokenizers")
    return folder


@pytest.fixture
def write(tmp_path: Path, pieces: Path) -> Write:
    """Write a configuration, its weights and its tokenizer as upstream has them; `change` is done to them before."""
    import yaml

    save_file = import_module("safetensors.numpy").save_file

    def written(flow: str = "pointwise", change: Callable[..., None] | None = None, *, small: bool = True) -> Path:
        kind = "tokenizer.model" if small else "tokenizer.json"
        told = replica.config(flow, small=small, tokenizer=str(shutil.copy(pieces / kind, tmp_path / kind)))
        drawn = replica.weights(told)
        told["weights_path"] = str(tmp_path / "w.safetensors")
        if change:
            change(told, drawn)
        save_file(drawn, tmp_path / "w.safetensors")
        file = tmp_path / "english_tiny.yaml"
        file.write_text(yaml.safe_dump(told), "utf-8")
        return file

    return written


@needs_upstream
@quiet
@pytest.mark.parametrize("small", [True, False], ids=["small", "large"])
@pytest.mark.parametrize("flow", ["pointwise", "drifting", "lsd", "flow_matching"])
def test_it_gives_what_the_package_gives(flow: str, small: bool, write: Write, tmp_path: Path) -> None:
    done = pocket.export(str(write(flow, small=small)), tmp_path / "voice")
    assert {*done.exact} == {"voice", "encoder", "backbone", "end", "flow", "decoder", "together"}
    assert all(each.relative < 3e-5 for each in done.exact.values())
    assert done.facts.tokenizer.kind == ("sentencepiece" if small else "tokenizers")
    assert layout(done.folder).facts == done.facts


def unknown(told: dict[str, Any], weights: dict[str, Any]) -> None:
    told["flow_lm"]["warp"] = 9


def flow(told: dict[str, Any], weights: dict[str, Any]) -> None:
    told["flow_lm"]["flow"]["type"] = "sideways"


def wider(told: dict[str, Any], weights: dict[str, Any]) -> None:
    told["flow_lm"]["transformer"]["dim_feedforward"] = 25


def missing(told: dict[str, Any], weights: dict[str, Any]) -> None:
    del weights["flow_lm.out_eos.weight"]


def nan(told: dict[str, Any], weights: dict[str, Any]) -> None:
    weights["flow_lm.out_norm.bias"][3] = np.nan


def pieces_of_another(told: dict[str, Any], weights: dict[str, Any]) -> None:
    told["flow_lm"]["lookup_table"]["n_bins"] = 301


def nowhere(told: dict[str, Any], weights: dict[str, Any]) -> None:
    told["weights_path"] = "/nowhere/w.safetensors"


def padded(told: dict[str, Any], weights: dict[str, Any]) -> None:
    told["mimi"]["seanet"]["pad_mode"] = "replicate"


@needs_upstream
@quiet
@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        (unknown, DamagedError, r"flow_lm\.warp: Extra inputs are not permitted"),
        (flow, DamagedError, "sideways"),
        (wider, DamagedError, r"do not fit .*linear1\.weight"),
        (missing, DamagedError, r"do not fit .*out_eos\.weight"),
        (nan, DamagedError, r"numbers that are none \(flow_lm\.out_norm\.bias\)"),
        (pieces_of_another, DamagedError, "nbins=301"),
        (nowhere, NotFoundError, "names a file that is not there"),
        (padded, DamagedError, "a codec that Pocket TTS has never had"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    change: Any, kind: type[LowvoxError], says: str, write: Write, tmp_path: Path
) -> None:
    file = write(change=change)
    before = {*tmp_path.iterdir()}
    with pytest.raises(kind, match=says) as caught:
        pocket.export(str(file), tmp_path / "voice")
    assert "\n" not in str(caught.value)
    assert {*tmp_path.iterdir()} == before


@needs_upstream
@quiet
def test_a_broken_file_is_one_sentence(write: Write, tmp_path: Path) -> None:
    file = write()
    (tmp_path / "w.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(DamagedError, match="do not fit"):
        pocket.export(str(file), tmp_path / "voice")
    for content in ("flow_lm: [", "", "- 1", "\xff"):
        file.write_bytes(content.encode("latin-1"))
        with pytest.raises(DamagedError, match=r"no configuration of|cannot be read as YAML"):
            pocket.export(str(file), tmp_path / "voice")
    with pytest.raises(NotFoundError, match="There is no configuration"):
        pocket.export(str(tmp_path / "other.yaml"), tmp_path / "voice")
    with pytest.raises(UsageError, match="english_2m_2026-10"):
        pocket.export("klingon", tmp_path / "voice")


@needs_upstream
@quiet
def test_the_hub_out_of_reach_is_one_sentence(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    def far(told: dict[str, Any], weights: dict[str, Any]) -> None:
        told["weights_path"] = "hf://nobody/nothing/model.safetensors@abc"

    with pytest.raises(LowvoxError, match="The hub did not give") as caught:
        pocket.export(str(write(change=far)), tmp_path / "voice")
    assert caught.value.exit_code == 1


@needs_upstream
@quiet
def test_the_command_says_what_it_did(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "voice"
    arguments = ["shrink", "export", "pocket-tts", "--config", str(write()), "--int8", "-o", str(output)]
    assert commands._status([*arguments, "--no-cloning"]) == 0
    assert "cannot make voices" in capsys.readouterr().err
    shutil.rmtree(output)
    assert commands._status(arguments) == 0
    said = capsys.readouterr().err
    assert "its sound differs from the package's by" in said
    assert "In 8 bits" in said
    shutil.rmtree(output)
    assert commands._status([*arguments, "--json"]) == 0
    told = msgspec.json.decode(capsys.readouterr().out)
    assert (told["precision"], told["flow"], told["tokenizer"]) == ("int8", "pointwise", "sentencepiece")
    assert told["cloning"] is True
    assert {*told["parity"]["exact"]} == {*told["parity"]["rounded"]}
