"""The `vosk` engine: 20+ languages through Vosk's Kaldi models, small and big, old layout and new.

The functions that read Vosk's JSON stand alone. Runs in a worker: Kaldi keeps its pages after a model is freed, and a
broken model may end the process.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from lowvox.engines.vosk.layout import layout
from lowvox.errors import DamagedError, EngineError, NotFoundError
from lowvox.types import Word

if TYPE_CHECKING:
    from pathlib import Path

    from lowvox.types import Model, Profile

RATE = 16_000


class Vosk:
    """Speech to text on 16 kHz mono."""

    def load(self, model: Model, profile: Profile) -> VoskResident:  # noqa: ARG002  # Kaldi decodes a stream on one thread
        """Load the model, which takes seconds and much memory for the big ones."""
        if model.path is None:
            raise NotFoundError(f"The model {model.name!r} has no folder; run `lowvox pull {model.name}`.")
        layout(model.path)
        import vosk

        vosk.SetLogLevel(-1)  # warnings and errors still reach standard error, where the worker keeps the last of them
        try:
            loaded = vosk.Model(str(model.path))
        except Exception as error:  # that is the class which Vosk raises
            raise _unreadable(model.path) from error
        return VoskResident(loaded, model.path)


class VoskResident:
    """A loaded model, shared by its streams."""

    def __init__(self, model: Any, path: Path) -> None:
        self._model = model
        self._path = path

    def open(self, **options: object) -> VoskStream:  # noqa: ARG002  # Vosk has none that lowvox uses
        """Begin a conversation; its first decoder is made at once, so that a broken graph shows here."""
        return VoskStream(self._model, self._path)

    def close(self) -> None:
        """Let go of the model; its pages come back when the worker ends."""
        self._model = None


class VoskStream:
    """A conversation: one decoder for each utterance, and what it has said."""

    def __init__(self, model: Any, path: Path) -> None:
        self._model = model
        self._path = path
        self._words: list[Word] = []
        self._decoder = self._begin()

    def reset(self) -> None:
        """Forget the utterance; a new decoder knows no speaker."""
        self._words = []
        self._decoder = None

    def discard(self) -> None:
        """Forget the utterance."""
        self.reset()

    def accept(self, pcm: bytes) -> None:
        """Take sound; Vosk closes a part of an utterance at each pause that it hears, and its words are kept."""
        if self._decoder is None:
            self._decoder = self._begin()
        try:
            paused = self._decoder.AcceptWaveform(pcm)
        except Exception as error:  # that is the class which Vosk raises
            raise EngineError("Vosk failed on this sound; try another model.") from error
        if paused:
            self._words += words(self._decoder.Result())

    def partial(self) -> str:
        """Return the words so far."""
        going = partial_text(self._decoder.PartialResult()) if self._decoder else ""
        return " ".join([*(word.word for word in self._words), *going.split()])

    def finish(self) -> tuple[Word, ...]:
        """Return the words of the utterance and end its decoder."""
        found = tuple(self._words + (words(self._decoder.FinalResult()) if self._decoder else []))
        self.reset()
        return found

    def close(self) -> None:
        """Free the decoder."""
        self.reset()
        self._model = None

    def _begin(self) -> Any:
        """Return a new decoder. One per utterance: its times start at zero, and its memory cannot creep.

        Vosk's own counts run on over utterances, and one decoder kept for hours is known to grow by hundreds of MB.
        """
        import vosk

        try:
            decoder = vosk.KaldiRecognizer(self._model, RATE)
        except Exception as error:  # that is the class which Vosk raises
            raise _unreadable(self._path) from error
        decoder.SetWords(True)
        return decoder


def words(answer: str) -> list[Word]:
    """Return the words of a Result or FinalResult, which is `{"text": ...}` or has `"result": [{conf, end, ...}]` too.

    Missing keys count as nothing said; EngineError for what is no JSON object.
    """
    said = _object(answer)
    listed = said.get("result")
    if not isinstance(listed, list):
        # Text without times comes only from settings that lowvox does not make; it must not be lost all the same.
        return [Word(0.0, 0.0, word) for word in str(said.get("text") or "").split()]
    return [
        Word(_number(entry.get("start")), _number(entry.get("end")), str(entry["word"]), _confidence(entry.get("conf")))
        for entry in listed
        if isinstance(entry, dict) and entry.get("word")
    ]


def partial_text(answer: str) -> str:
    """Return the text of a PartialResult, which is `{"partial": ...}`, or `{"text": ""}` before any sound."""
    return str(_object(answer).get("partial") or "")


def _object(answer: str) -> dict[str, Any]:
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise EngineError("Vosk answered something that is not JSON; run `pip install --upgrade vosk`.") from error
    if not isinstance(said, dict):
        raise EngineError("Vosk answered JSON of an unknown shape; run `pip install --upgrade vosk`.")
    return said


def _number(value: object) -> float:
    """Return a finite number of seconds, 0 for anything else."""
    try:
        number = float(value) if isinstance(value, int | float) else 0.0
    except OverflowError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _confidence(value: object) -> float | None:
    """Return a confidence in [0, 1], None where there is none."""
    return min(1.0, max(0.0, _number(value))) if isinstance(value, int | float) else None


def _unreadable(path: Path) -> DamagedError:
    return DamagedError(f"Vosk cannot read the model in {path}: a file in it is damaged; copy or pull it again.")
