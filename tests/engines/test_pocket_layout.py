"""The folder of a Pocket TTS voice: recognised by looking, and what is wrong with it told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lowvox.engines.pocket.layout import layout
from lowvox.errors import DamagedError, NotFoundError
from lowvox.models import store
from replicas import pocket, pocket_tokens

CHANGES = list[tuple[dict[str, Any], str]]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "voice"
    pocket.build(folder, pocket_tokens.written(tmp_path), small=True)
    return folder


def changed(folder: Path, **change: Any) -> Path:
    told = json.loads((folder / "lowvox.json").read_bytes()) | change
    (folder / "lowvox.json").write_text(json.dumps({name: one for name, one in told.items() if one is not None}))
    return folder


def test_an_export_is_recognised(made: Path) -> None:
    found = layout(made)
    assert found.facts.rate == 24000
    assert found.voices == {}
    assert store.recognise(made) == "pocket"
    assert layout(changed(made, languages=["en"])).languages == ("en",)


def test_voices_that_came_with_it_are_listed(made: Path) -> None:
    (made / "voices").mkdir()
    for name in ("eve", "alba"):
        (made / "voices" / f"{name}.safetensors").touch()
    assert [*layout(made).voices] == ["alba", "eve"]


def test_other_folders_are_left_to_others(tmp_path: Path) -> None:
    for told in (None, "{}", "[]", '{"engine": "f5", "version": 1}', "{"):
        if told is not None:
            (tmp_path / "lowvox.json").write_text(told)
        with pytest.raises(NotFoundError, match=r"no Pocket TTS voice"):
            layout(tmp_path)


@pytest.mark.parametrize("name", ["backbone", "flow", "decoder", "encoder", "text", "tokenizer", "bos"])
def test_a_file_that_is_missing_or_short_is_named(made: Path, name: str) -> None:
    file = next(made.glob(f"{name}.*"))
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedError, match=rf"incomplete: {file.name} missing or of another size"):
        layout(made)
    file.unlink()
    with pytest.raises(DamagedError, match=rf"incomplete: {file.name} missing"):
        layout(made)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 2}, r"of version 2 .* export it again"),
        ({"upstream": "5.0.0"}, r"for pocket-tts 5\.0\.0"),
        ({"colour": "red"}, r"damaged .*colour.*export it again"),
        ({"flow": "other"}, "damaged"),
        ({"graphs": {}}, "names no backbone"),
        ({"rate": 0}, "numbers that no"),
        ({"frame": -1}, "numbers that no"),
        ({"width": 2**40}, "numbers that no"),
        ({"steps": 10**9}, "numbers that no"),
        ({"temperature": -1}, "numbers that no"),
        ({"weights": None}, "damaged"),
        ({"text": {"replace": {"ab": "c"}}}, "numbers that no"),
        ({"sizes": {"../x": 1}}, r"outside its folder \('\.\./x'\)"),
        ({"tokenizer": {"kind": "sentencepiece", "file": "/etc/passwd", "size": 9}}, "outside its folder"),
    ],
)
def test_a_sidecar_that_cannot_be_is_refused(made: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(DamagedError, match=told):
        layout(changed(made, **change))


def test_a_backbone_needs_its_cache(made: Path) -> None:
    graphs = json.loads((made / "lowvox.json").read_bytes())["graphs"]
    graphs["backbone"]["cache"] = None
    with pytest.raises(DamagedError, match=r"numbers that no"):
        layout(changed(made, graphs=graphs))


def test_a_broken_sidecar_is_damaged(made: Path) -> None:
    text = (made / "lowvox.json").read_text()
    (made / "lowvox.json").write_text(text[:-3])
    with pytest.raises(DamagedError, match=r"lowvox\.json is damaged"):
        layout(made)
