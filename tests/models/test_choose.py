"""The right model is found, or the error names the command that brings it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lowvox import engines
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.models import advice, candidates, find, install, speaking, store
from lowvox.shrink.voices import voice as voices
from replicas import vits
from replicas.kaldi import build

if TYPE_CHECKING:
    from pathlib import Path


def put(*names: str) -> None:
    for name in names:
        build(store.folder() / name)


def test_what_is_built_in(home: Path) -> None:
    assert find("vad").name == "silero-vad"
    assert find("vad", "de").name == "silero-vad"
    english = find("recognizer", "en-GB")
    assert (english.name, english.engine, english.path) == ("pocketsphinx-en-us", "pocketsphinx", None)
    assert english.digest
    assert find("recognizer").name == "pocketsphinx-en-us"
    assert find("synthesizer", "vi").name == "espeak"


def test_new_weights_of_our_own_are_another_model_to_the_ledger(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = find("synthesizer", "en").digest
    (tmp_path / "decoder.onnx").write_bytes(b"other weights")
    monkeypatch.setattr(engines, "shipped", {"lowvox-voice": tmp_path}.get)
    assert find("synthesizer", "en").digest != before


def test_installed_ones_come_first_by_their_published_error_rate(home: Path) -> None:
    put("vosk-model-small-en-us-0.15", "vosk-model-en-us-0.22-lgraph", "vosk-model-small-en-us-mine")
    assert find("recognizer", "en").name == "vosk-model-en-us-0.22-lgraph"
    assert find("recognizer", "en_US").name == "vosk-model-en-us-0.22-lgraph"
    assert find("recognizer").name == "pocketsphinx-en-us"


def test_the_region_comes_before_the_error_rate(home: Path) -> None:
    put("vosk-model-small-en-us-0.15", "vosk-model-small-en-in-0.4")
    assert find("recognizer", "en-in").name == "vosk-model-small-en-in-0.4"
    assert find("recognizer", "en").name == "vosk-model-small-en-us-0.15"


def test_all_that_may_serve_best_first(home: Path) -> None:
    put("vosk-model-small-en-us-0.15", "vosk-model-en-us-0.22-lgraph", "vosk-model-small-en-us-mine")
    found = candidates("recognizer", "en")
    assert [(model.name, model.error_rate) for model in found] == [
        ("vosk-model-en-us-0.22-lgraph", 7.82),
        ("vosk-model-small-en-us-0.15", 9.85),
        ("vosk-model-small-en-us-mine", None),
        ("pocketsphinx-en-us", None),
    ]
    assert found[0] == find("recognizer", "en")
    assert [model.name for model in candidates("recognizer", "de", "pocketsphinx-en-us")] == ["pocketsphinx-en-us"]
    assert [model.name for model in candidates("vad")] == ["silero-vad"]


def test_a_damaged_model_behind_the_best_is_left_out(home: Path) -> None:
    put("vosk-model-small-en-us-0.15", "vosk-model-en-us-0.22-lgraph")
    (store.folder() / "vosk-model-small-en-us-0.15" / "graph" / "HCLG.fst").write_bytes(b"")
    assert [model.name for model in candidates("recognizer", "en")] == [
        "vosk-model-en-us-0.22-lgraph",
        "pocketsphinx-en-us",
    ]


def test_a_missing_language_names_the_command(home: Path) -> None:
    with pytest.raises(NotFoundError, match=r"run `lowvox pull vosk-model-small-de-0.15` \(44 MB\)"):
        find("recognizer", "de")


def test_a_wrong_language_lists_the_right_ones(home: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no recognizer for the language 'xx'; it knows ar, .*zh\.$"):
        find("recognizer", "xx")


def test_by_name(home: Path) -> None:
    put("mine")
    model = find("recognizer", "de", "mine")
    assert (model.name, model.engine, model.languages, model.path) == ("mine", "vosk", (), store.folder() / "mine")
    assert model.digest == store.digest(store.folder() / "mine")
    assert find("recognizer", name="pocketsphinx-en-us").name == "pocketsphinx-en-us"


def test_by_path(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path / "vosk-model-small-fr-mine")
    model = find("recognizer", name=str(tmp_path / "vosk-model-small-fr-mine"))
    assert (model.name, model.languages, model.path) == (
        "vosk-model-small-fr-mine",
        ("fr",),
        tmp_path / "vosk-model-small-fr-mine",
    )
    monkeypatch.chdir(tmp_path / "vosk-model-small-fr-mine")
    assert find("recognizer", name=".") == model


def test_a_name_that_is_not_here(home: Path) -> None:
    with pytest.raises(NotFoundError, match=r"run `lowvox pull vosk-model-small-ru-0.22`"):
        find("recognizer", name="vosk-model-small-ru-0.22")
    with pytest.raises(NotFoundError, match=r"did you mean 'vosk-model-small-ru-0.22'\?"):
        find("recognizer", name="vosk-model-small-ru-0.21")
    with pytest.raises(NotFoundError, match="`lowvox models` lists"):
        find("recognizer", name="qqqqqqqq")


def test_a_name_of_another_role(home: Path) -> None:
    with pytest.raises(UsageError, match="is a synthesizer, and a recognizer is needed"):
        find("recognizer", name="espeak")


def test_a_damaged_one_is_told_before_it_is_loaded(home: Path) -> None:
    put("vosk-model-small-de-0.15")
    (store.folder() / "vosk-model-small-de-0.15" / "graph" / "HCLG.fst").write_bytes(b"")
    for how in ({"language": "de"}, {"name": "vosk-model-small-de-0.15"}):
        with pytest.raises(DamagedError, match=r"graph/HCLG\.fst missing or empty"):
            find("recognizer", **how)


def test_advice_is_for_what_is_built_in() -> None:
    built_in = find("recognizer", "en")
    told = advice(built_in, "en")
    assert told is not None
    assert "`lowvox pull vosk-model-small-en-us-0.15` (39 MB)" in told
    assert advice(built_in, "tlh") is None
    assert advice(find("vad"), "en") is None


def test_a_voice_is_that_of_a_model_by_its_name_or_espeaks(home: Path, tmp_path: Path) -> None:
    put("vosk-model-small-de-0.15")
    assert speaking(None) is None
    assert speaking("vosk-model-small-de-0.15+3") == "vosk-model-small-de-0.15"
    assert speaking(f"{tmp_path}+anna") == str(tmp_path)
    assert {speaking(voice) for voice in ("de+f3", "+f3", "no-such-voice")} == {"espeak"}


def test_a_voice_that_was_split_is_known(home: Path, tmp_path: Path) -> None:
    install.bring(vits.voice(tmp_path / "voices", "en_US-test-low", "text"))
    assert not find("synthesizer", "en").split
    voices.split("en_US-test-low", None)
    assert find("synthesizer", "en").split
