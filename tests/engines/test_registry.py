"""What holds for every engine in the registry."""

from __future__ import annotations

from importlib import import_module

import pytest

from lowvox import engines, types
from lowvox.errors import NotFoundError, UsageError

PROTOCOLS = {
    "vad": types.VadStream,
    "recognizer": types.RecognizerStream,
    "punctuator": types.PunctuatorStream,
    "synthesizer": types.SynthesizerStream,
}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize("name", engines.ENGINES)
def test_its_streams_do_what_their_role_asks(name: str) -> None:
    entry = engines.entry(name)
    module, _, engine = entry.at.partition(":")
    found = import_module(module)
    streams = [kind for kind in vars(found).values() if isinstance(kind, type) and kind.__name__.endswith("Stream")]
    residents = [kind for kind in vars(found).values() if isinstance(kind, type) and kind.__name__.endswith("Resident")]
    assert len(streams) == len(residents) == 1
    assert public(types.BoundedStream if entry.bounded else PROTOCOLS[entry.role]) <= public(streams[0])
    assert public(types.Resident) <= public(residents[0])
    assert public(types.Engine) <= public(getattr(found, engine))


def test_what_is_missing_names_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda _: None)
    with pytest.raises(NotFoundError, match=r"-m pip install 'lowvox\[vosk\]'`"):
        engines.create("vosk")


def test_an_engine_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(UsageError, match="there are silero-vad, pocketsphinx"):
        engines.create("whisper")
