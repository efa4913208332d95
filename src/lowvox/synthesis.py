"""From text to sound: a passage sentence by sentence, with the silence before it and between its sentences.

Knows no model and no budget: a stream speaks sentences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.text.pauses import behind, silence
from lowvox.text.sentences import CAP, sentences
from lowvox.types import Audio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.text.aloud.lexicon import Lexicon
    from lowvox.text.ssml import Passage
    from lowvox.types import SynthesizerStream


def spoken(
    passage: Passage,
    stream: SynthesizerStream,
    language: str,
    cap: float | None,
    *,
    pauses: bool,
    lexicon: Lexicon | None = None,
) -> Iterator[Audio]:
    """Speak a passage in sentences of at most `cap` characters; `pauses` is for voices that make none themselves."""
    if passage.silence:
        yield Audio(silence(passage.silence, stream.rate), stream.rate)
    pause = 0.0
    for sentence in sentences(passage.text, language, int(cap or CAP)):
        if pause:
            yield Audio(silence(pause, stream.rate), stream.rate)
        for pcm in stream.speak(lexicon.applied(sentence) if lexicon else sentence):
            yield Audio(pcm, stream.rate)
        pause = behind(sentence) if pauses else 0.0
