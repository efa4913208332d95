"""The settings: precedence, refusals that say what to do, and documentation that agrees with the code."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox import settings
from lowvox.errors import UsageError
from lowvox.onnx.options import LEVELS, Settings

DOCUMENT = Path(__file__).parents[1] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def _nothing_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LOWVOX_") and name != "LOWVOX_HOME"]:
        monkeypatch.delenv(name)


def write(text: str | bytes) -> None:
    settings.path().parent.mkdir(parents=True, exist_ok=True)
    settings.path().write_bytes(text if isinstance(text, bytes) else text.encode())


def test_defaults_hold_without_a_file() -> None:
    loaded = settings.load()
    assert loaded == settings.Settings()
    assert loaded.audio.language == "en"
    assert {value.source for value in settings.values()} == {"default"}


def test_environment_beats_file_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[audio]\nlanguage = "de"\nvad_sensitivity = 1\n')
    monkeypatch.setenv("LOWVOX_AUDIO_LANGUAGE", "ru")
    loaded = settings.load()
    assert (loaded.audio.language, loaded.audio.vad_sensitivity, loaded.output.mode) == ("ru", 1.0, "text")
    sources = {value.key: value.source for value in settings.values()}
    assert sources["audio.language"] == "environment"
    assert sources["audio.vad_sensitivity"] == "file"
    assert sources["output.mode"] == "default"


def test_environment_reads_numbers_and_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWVOX_RECOGNITION_THREADS", "2")
    monkeypatch.setenv("LOWVOX_RECOGNITION_PUNCTUATION_ENABLED", "false")
    monkeypatch.setenv("LOWVOX_SPEECH_RATE", "1.5")
    monkeypatch.setenv("LOWVOX_AUDIO_MODEL", "")
    loaded = settings.load()
    assert loaded.recognition == settings.Recognition(punctuation_enabled=False, threads=2)
    assert loaded.speech.rate == 1.5
    assert loaded.audio.model is None


def test_settings_of_sessions_have_the_names_of_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[onnx]\nproviders = "cuda,cpu"\nenable_cpu_mem_arena = false\n')
    monkeypatch.setenv("LOWVOX_ONNX_INTRA_OP_NUM_THREADS", "2")
    assert settings.load().onnx == settings.Onnx(
        providers="cuda,cpu", enable_cpu_mem_arena=False, intra_op_num_threads=2
    )
    assert {*settings.Onnx.__struct_fields__} == {field.name for field in fields(Settings)}
    assert get_args(get_args(settings.Level)[0]) == LEVELS


def test_megabytes_beat_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWVOX_MEMORY_BUDGET", "1 GB")
    assert settings.load().memory.budget == "1 GB"
    monkeypatch.setenv("LOWVOX_MEMORY_LIMIT_MB", "300")
    assert settings.load().memory.budget == "300 MB"


@pytest.mark.parametrize("text", ["300 MB", "-1", "0", "nan", "1e3", "many"])
def test_megabytes_are_a_plain_number(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWVOX_MEMORY_LIMIT_MB", text)
    with pytest.raises(UsageError, match=r"LOWVOX_MEMORY_LIMIT_MB .* number of MB"):
        settings.load()


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ('[audio]\nlangauge = "de"', "did you mean audio.language?"),
        ('language = "de"', "did you mean audio.language?"),
        ('[audoi]\nlanguage = "de"', "did you mean audio.language?"),
        ("[audio]\npunctuation_enabled = true", "did you mean recognition.punctuation_enabled?"),
        ("[zzz]", "lowvox config show"),
        ("[audio.language]\nx = 1", "it must be a language code"),
    ],
)
def test_unknown_keys_are_refused_with_the_nearest(text: str, near: str) -> None:
    write(text)
    with pytest.raises(UsageError) as refused:
        settings.load()
    assert near in str(refused.value)
    assert str(settings.path()) in str(refused.value)


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("[audio]\nvad_sensitivity = 1.5", "a number from 0 to 1"),
        ("[audio]\nvad_sensitivity = nan", "a number from 0 to 1"),
        ('[audio]\nlanguage = "english please"', "a language code"),
        ("[audio]\nmicrophone_id = 3", "in quotes"),
        ('[audio]\nmodel = ""', "`lowvox models`"),
        ("[recognition]\nthreads = 0", "a whole number from 1"),
        ("[recognition]\nthreads = 1.5", "a whole number from 1"),
        ('[recognition]\npunctuation_enabled = "yes"', "true or false"),
        ('[output]\nmode = "type"', "text, keyboard or clipboard"),
        ("[memory]\nbudget = 300", '"300 MB"'),
        ("[speech]\nrate = true", "a number from 0.5 to 4"),
        ('[onnx]\nproviders = "cuda;cpu"', "cuda, migraphx, rocm"),
        ('[onnx]\nproviders = "cuda,auto"', "cuda, migraphx, rocm"),
        ('[onnx]\ngraph_optimization_level = "99"', "disable_all, basic, extended, layout or all"),
        ("[onnx]\nenable_cpu_mem_arena = 0", "true or false"),
        ("[onnx]\nintra_op_num_threads = 0", "a whole number from 1"),
    ],
)
def test_wrong_values_are_refused_with_what_is_allowed(line: str, allowed: str) -> None:
    write(line)
    key = line.split("\n")[0].strip("[]") + "." + line.split("\n")[1].split(" =")[0]
    with pytest.raises(UsageError) as refused:
        settings.load()
    assert str(refused.value).startswith(key)
    assert allowed in str(refused.value)
    assert str(settings.path()) in str(refused.value)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWVOX_RECOGNITION_THREADS", "all")
    with pytest.raises(
        UsageError, match=r"recognition\.threads is 'all' in LOWVOX_RECOGNITION_THREADS: it must be a whole"
    ):
        settings.load()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'[audio]\nlanguage = "de\n', "line 2"),
        (b"[audio]\nlanguage =", "end of document"),
        (b"[audio]\n[audio]\n", "line 2"),
        ("[audio]\nlanguage = 'dé'".encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(text: bytes, says: str) -> None:
    write(text)
    with pytest.raises(UsageError) as refused:
        settings.load()
    assert says in str(refused.value)
    assert "defaults" in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused() -> None:
    settings.path().mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read"):
        settings.load()


def test_a_mark_at_the_beginning_is_no_harm() -> None:
    write(b'\xef\xbb\xbf[audio]\r\nlanguage = "vi"\r\n')
    assert settings.load().audio.language == "vi"


@given(st.text())
def test_any_text_in_the_environment_is_read_or_refused(text: str) -> None:
    for key in settings.KEYS.values():
        # What is read is a value that the file could hold as well; everything else is refused.
        with suppress(UsageError):
            value = settings._checked(key, text, key.environment, strict=False)
            assert settings._checked(key, value, "file") == value


def test_every_key_has_a_meaning_and_no_other_name_has() -> None:
    assert list(settings.MEANINGS) == list(settings.KEYS)


def test_the_document_lists_what_the_code_knows() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert rows == [row(key) for key in settings.KEYS.values()]


def row(key: settings.Key) -> str:
    from lowvox.commands.config import toml

    default = "not set" if key.default is None else f"`{toml(key.default)}`"
    return f"| `{key.name}` | {default} | `{key.environment}` | {key.allowed} | {key.meaning} |"
