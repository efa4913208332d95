"""The heaviest work that lowvox ever gives an engine, by role: what is measured is what the promises are made of.

Doubt costs a recogniser memory, so it hears a crowd; sound costs a synthesizer memory, so it spells letters, slowly.
Knows no worker and no meter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lowvox import engines
from lowvox.audio.utterances import FRAME_BYTES, FRAME_S, Limits
from lowvox.text.restoration import TOGETHER
from lowvox.text.sentences import CAP

if TYPE_CHECKING:
    from lowvox.types import Model, Role

# The longest input of a role: seconds of sound, characters of text.
LONGEST: dict[Role, float] = {"recognizer": Limits().longest_s, "synthesizer": float(CAP)}
# What makes the most sound of the fewest characters. Measured on espeak, which holds a sentence's sound twice: its
# largest dictionary is Russian (8 MB), its longest sound Japanese, which spells out "Chinese letter" (286 s).
_SPELLED = {"ru": "W ", "ja": "一"}
# A voice on disk may read the letters of its own script alone.
_CYRILLIC = frozenset({"be", "bg", "kk", "mk", "ru", "sr", "uk"})
_SLOW = 0.5
_FRAMES = 32
# A network that reads pieces of words reads many of this one: as many as it ever takes at once.
_LONG_WORD = "antidisestablishmentarianism"
_WORDS_A_SECOND = 2.5  # of speech
_LIVE_BYTES = 6 * FRAME_BYTES  # how much sound dictation hears between two partials


def longest(model: Model) -> float:
    """Return the longest input that a model is ever given; 0 where length does not matter."""
    entry = engines.ENGINES.get(model.engine)
    return 0.0 if entry and entry.bounded else LONGEST.get(model.role, 0.0)


class Voice(NamedTuple):
    """The options of a stream, and what it spells where it speaks."""

    options: dict[str, object]
    spells: str = "7 "


def voices(model: Model) -> list[Voice]:
    """Return the streams that take the most; one after the other, if there are several."""
    if model.role != "synthesizer":
        return [Voice({})]
    entry = engines.ENGINES.get(model.engine)
    if entry and entry.listening is not None and model.variant == engines.LISTENING:
        return [Voice(dict(entry.listening))]
    if entry and entry.heavy is not None:
        return [Voice(dict(entry.heavy))]
    if model.path is not None:
        return [Voice({"rate": _SLOW}, "я " if _CYRILLIC & {*model.languages} else "w ")]
    known = [Voice({"rate": _SLOW, "language": code}, _SPELLED[code]) for code in _SPELLED if code in model.languages]
    return known or [Voice({"rate": _SLOW})]


def work(role: Role, stream: Any, length: float, sound: bytes, spells: str, *, live: bool = False) -> float:
    """Give a stream an input of `length` and return how many seconds of sound went in or came out.

    `sound` is PCM at 16 kHz, at least as long; `live` gives it bit by bit and asks for partials. A synthesizer that is
    given no length does the heaviest that it ever does.
    """
    if role == "synthesizer":
        made = stream.speak((spells * CAP)[: round(length)]) if length else stream.heaviest()
        return sum(map(len, made)) / 2 / float(stream.rate)
    if role == "punctuator":
        window = int(stream.window)
        count = max(1, TOGETHER // window)
        stream.label([[_LONG_WORD] * window] * count)
        return count * window / _WORDS_A_SECOND
    if role == "vad":
        for number in range(_FRAMES):
            stream.probability(sound[number * FRAME_BYTES : (number + 1) * FRAME_BYTES])
        return _FRAMES * FRAME_S
    heard = sound[: 2 * round(16000 * length)]
    if live:
        for at in range(0, len(heard), _LIVE_BYTES):
            stream.accept(heard[at : at + _LIVE_BYTES])
            stream.partial()
    else:
        stream.accept(heard)
    stream.finish()
    return length
