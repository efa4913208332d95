"""How good models are at what they are for: the variants of one model on the same inputs, the first one first.

A voice is understood by a recogniser, a recogniser has transcripts, a punctuator has printed text; a VAD is compared
with the first one's decisions. Every model works in a process of its own. Knows no gate and no report.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox import engines
from lowvox.memory.worker import Worker
from lowvox.shrink.trials import distance, marked
from lowvox.shrink.trials.bootstrap import Tally, quality
from lowvox.shrink.trials.errors_counted import errors, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lowvox.shrink.trials.material import Clip, Material
    from lowvox.shrink.trials.variant import Quality, Row
    from lowvox.types import Audio, Model

    Told = Callable[[int, int], object]

# Sentences whose sound is kept to compare it, and to be listened to.
KEPT = 8
_FRAME_BYTES, _SPEECH = 1024, 0.5
_HEARS = 16000


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found of one variant; `sounds` is what a voice makes of the first sentences."""

    quality: Quality | None
    also: tuple[Quality, ...] = ()
    distance_db: float | None = None
    sounds: tuple[Audio, ...] = ()

    def on(self, rows: Sequence[Row]) -> list[Row]:
        """Return the variant's rows with it."""
        by_mel = self.distance_db is not None
        return [
            replace(row, quality=self.quality, also=self.also, distance_db=self.distance_db, by_mel=by_mel)
            for row in rows
        ]


def judged(found: Sequence[Model], material: Material, recognizer: Model | None, told: Told) -> list[Judged]:
    """Judge variants of one role; `recognizer` understands voices, and without one only their sounds are compared.

    `told` hears how much is done, and of how much. Raises what the engines raise, and WorkerDiedError.
    """
    role = found[0].role
    if role == "synthesizer":
        return _voices(found, material, recognizer, told)
    if role == "recognizer":
        spoken = [(clip, clip.text) for clip in material.clips if clip.text]
        tallies = [_heard(model, spoken, _part(told, at, len(found))) for at, model in enumerate(found)]
        return [Judged(one, (other,)) for one, other in zip(*map(_compared, zip(*tallies, strict=True)), strict=True)]
    if role == "punctuator":
        marks = [_punctuated(model, material, _part(told, at, len(found))) for at, model in enumerate(found)]
        return [Judged(one) for one in _compared(marks)]
    decisions = [_decided(model, material.clips, _part(told, at, len(found))) for at, model in enumerate(found)]
    return [Judged(one) for one in _compared([agreeing(each, decisions[0], found[0].name) for each in decisions])]


def _compared(tallies: Sequence[Tally]) -> list[Quality]:
    first, *others = tallies
    return [quality(first), *(quality(other, first) for other in others)]


def _voices(found: Sequence[Model], material: Material, recognizer: Model | None, told: Told) -> list[Judged]:
    """Let each voice speak, and the recogniser write down what it understands."""
    sounds: list[tuple[Audio, ...]] = []
    tallies: list[tuple[Tally, Tally]] = []
    for at, model in enumerate(found):
        part = _part(told, at, len(found))
        texts = material.texts if recognizer else material.texts[:KEPT]
        kept: list[Audio] = []
        spoken = _spoken(model, texts, material.language, kept)
        if recognizer is None:
            for number, _ in enumerate(spoken, 1):
                part(number, len(texts))
        else:
            tallies.append(_understood(recognizer, zip(spoken, texts, strict=True), len(texts), part))
        sounds.append(tuple(kept))
    far = [_far(sounds[0], each) for each in sounds[1:]]
    words_, letters = map(_compared, zip(*tallies, strict=True)) if tallies else ([None] * len(found), None)
    return [
        Judged(words_[at], (letters[at],) if letters else (), far[at - 1] if at else None, sounds[at])
        for at in range(len(found))
    ]


def _spoken(model: Model, texts: Sequence[str], language: str, kept: list[Audio]) -> Iterator[bytes]:
    """Speak texts and yield each as PCM at 16 kHz; the first ones are kept as they are."""
    from lowvox.audio.resampling import same_rate
    from lowvox.types import Audio

    with _opened(model, language=language) as stream:
        for text in texts:
            sound = Audio(b"".join(stream.speak(text)), stream.rate)
            if len(kept) < KEPT:
                kept.append(sound)
            yield b"".join(audio.pcm for audio in same_rate([sound], _HEARS))


def _far(first: Sequence[Audio], other: Sequence[Audio]) -> float:
    one, its = ([(audio.pcm, audio.rate) for audio in each] for each in (first, other))
    return distance.voices(one, its)


def _heard(model: Model, spoken: Sequence[tuple[Clip, str]], told: Told) -> tuple[Tally, Tally]:
    return _understood(model, ((clip.pcm(), text) for clip, text in spoken), len(spoken), told, by="transcripts")


def _understood(recognizer: Model, spoken: Any, count: int, told: Told, by: str | None = None) -> tuple[Tally, Tally]:
    """Have sounds written down and count the words and the letters that are wrong."""
    in_words, in_letters = [], []
    with _opened(recognizer) as stream:
        for number, (sound, text) in enumerate(spoken, 1):
            stream.reset()
            stream.accept(sound)
            truth, found = words(text), words(" ".join(word.word for word in stream.finish()))
            in_words.append((errors(truth, found), len(truth)))
            letters = " ".join(truth)
            in_letters.append((errors(letters, " ".join(found)), len(letters)))
            told(number, count)
    by = by or recognizer.name
    return Tally("wer", np.array(in_words), by), Tally("cer", np.array(in_letters), by)


def _punctuated(model: Model, material: Material, told: Told) -> Tally:
    """Have a punctuator mark paragraphs that lost their marks."""
    from lowvox.text.restoration import joined, labels

    paragraphs = list(marked.paragraphs(material.texts))
    found = []
    with _opened(model, language=material.language) as stream:
        for number, paragraph in enumerate(paragraphs, 1):
            restored = list(joined(labels([word for word, _ in paragraph], stream)))
            found.append(marked.counts([label for _, label in paragraph], restored))
            told(number, len(paragraphs))
    return Tally("f1", np.array(found), "print")


def _decided(model: Model, clips: Sequence[Clip], told: Told) -> list[np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return for each clip whether there is speech in each frame of 32 ms."""
    found = []
    with _opened(model) as stream:
        for number, clip in enumerate(clips, 1):
            stream.reset()
            sound = clip.pcm()
            whole = range(0, len(sound) - _FRAME_BYTES + 1, _FRAME_BYTES)
            found.append(np.array([stream.probability(sound[at : at + _FRAME_BYTES]) >= _SPEECH for at in whole], bool))
            told(number, len(clips))
    return found


def agreeing(decisions: Sequence[Any], first: Sequence[Any], by: str) -> Tally:
    """Count for each input how many decisions are those of the first; none where they are others in number."""
    pairs = zip(decisions, first, strict=True)
    counted = [(int((one == other).sum()) if one.shape == other.shape else 0, other.size) for one, other in pairs]
    return Tally("agreement", np.array(counted), by)


@contextmanager
def _opened(model: Model, **options: object) -> Iterator[Any]:
    """Open a stream of a model in a process of its own."""
    engines.require(model.engine)
    entry = engines.entry(model.engine)
    with ExitStack() as stack:
        worker = stack.enter_context(closing(Worker(model.name)))
        yield worker.load(entry.at, model, entry.ways(model)[0]).open(**options)


def _part(told: Told, at: int, of: int) -> Told:
    """Tell the progress of one of several as that of all."""
    return lambda done, count: told(at * count + done, of * count)
