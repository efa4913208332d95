"""The `f5` engine: F5-TTS exported to ONNX (DakeQQ's three graphs, VietVoice's tar), which speaks like a recording.

Each chunk of text is spoken behind the recording, all at once, in many steps: what a chunk takes grows with the square
of its length, so the length is bounded and text of any length takes the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lowvox.engines import ranges
from lowvox.engines.f5 import container as f5_container
from lowvox.engines.f5 import plan as f5_plan
from lowvox.engines.f5 import voice as f5_voice
from lowvox.engines.f5.fade import joined
from lowvox.engines.f5.graphs import LOUDEST, Graphs
from lowvox.engines.f5.layout import DECODE, PREPROCESS, SAMPLES, TRANSFORMER, VOCABULARY, layout
from lowvox.engines.f5.plan import RATE
from lowvox.engines.f5.text import SPACE, Vocabulary
from lowvox.errors import EngineError, NotFoundError, UsageError
from lowvox.text.aloud import spoken_form

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.engines.f5.layout import Facts
    from lowvox.engines.f5.plan import Pace
    from lowvox.engines.f5.voice import Sample
    from lowvox.types import Model, Profile

SEED = 9527  # of both published exporters
_RANGES = {**ranges.SPOKEN, "max_chunk_duration": (3.0, 60.0)}
_MOST_FADE_S = 1.0
_ENDS = (".", "!", "?", ",", "。", "！", "？", "，")


class F5:
    """Text to speech in the voice of a recording."""

    def load(self, model: Model, profile: Profile) -> F5Resident:
        """Load a folder with the graphs, or with VietVoice's tar; see `f5_layout`."""
        if model.path is None:
            raise NotFoundError(
                "F5 needs a model on disk: run `lowvox pull PATH` on an exported one or on VietVoice's."
            )
        found = layout(model.path)
        folder = f5_container.opened(model.path, found)
        vocabulary = Vocabulary((folder / found.names[VOCABULARY]).read_bytes())
        listed = found.names.get(SAMPLES)
        samples = f5_voice.samples(folder, listed)
        paths = (folder / found.names[PREPROCESS], folder / found.names[TRANSFORMER], folder / found.names[DECODE])
        graphs = Graphs(paths, profile, found.facts.runs)
        return F5Resident(graphs, vocabulary, found.facts, samples, folder / (listed or "."))


class F5Resident:
    """The loaded graphs; `listed` is the file that names the model's own recordings."""

    def __init__(
        self, graphs: Graphs, vocabulary: Vocabulary, facts: Facts, samples: tuple[Sample, ...], listed: Path
    ) -> None:
        self._graphs, self._vocabulary, self._facts = graphs, vocabulary, facts
        self._samples, self._listed = samples, listed

    def open(
        self,
        language: str = "",
        voice: str | None = None,
        rate: float = 1.0,
        pitch: float = 1.0,
        volume: float = 1.0,
        *,
        reference: str | Path | None = None,
        reference_text: str | None = None,
        seed: int = SEED,
        nfe_step: int | None = None,
        max_chunk_duration: float = 15.0,
        cross_fade_duration: float = 0.1,
    ) -> F5Stream:
        """Choose whom to speak like: `reference`, a sound file, with `reference_text`, the words in it.

        Without one it is a recording that came with the model: `voice`, its name or what it is ("female northern"), or
        the first. The same `seed` gives the same sound. `max_chunk_duration` bounds recording and chunk together, in
        seconds, and with it memory; chunks run into each other over `cross_fade_duration`. UsageError for what cannot
        be, among it an `nfe_step` that is not the one of the export; NotFoundError and DamagedError for a recording.
        """
        ranges.check(_RANGES, rate=rate, volume=volume, max_chunk_duration=max_chunk_duration)
        self._check(pitch, seed, nfe_step, cross_fade_duration)
        if reference is None:
            if reference_text is not None:
                raise UsageError("There is a reference_text and no reference; give the sound file it was said in.")
            chosen = f5_voice.bundled(self._listed, self._samples, (voice or "").rpartition("+")[2] or None)
        else:
            chosen = f5_voice.given(reference, reference_text)
        said = self._vocabulary.readable(chosen.text)
        if not said:
            raise UsageError("The words of the reference hold nothing that can be said; write what is said in it.")
        said += SPACE if said.endswith(_ENDS) else f".{SPACE}"
        pace = f5_plan.pace(len(chosen.audio), said, rate, max_chunk_duration, self._facts.frames)
        speaker = Speaker(self._graphs, self._vocabulary, chosen.audio, said, pace, seed)
        return F5Stream(speaker, volume, round(cross_fade_duration * RATE), language)

    def close(self) -> None:
        """Unload it."""
        self._graphs.close()

    def _check(self, pitch: float, seed: int, nfe_step: int | None, fade_s: float) -> None:
        """Refuse what these graphs cannot do."""
        steps = self._facts.steps
        if nfe_step not in (None, steps):
            raise UsageError(
                f"The graph was exported for {steps} steps and nfe_step is {nfe_step}: the size of each step is in it, "
                f"so that other numbers leave noise or fail; leave nfe_step out, or export the voice for {nfe_step}."
            )
        if pitch != 1:
            raise UsageError("F5 cannot change the pitch of a voice; leave pitch at 1, or take another recording.")
        if not 0 <= seed < 2**31:
            raise UsageError(f"The seed must be from 0 to {2**31 - 1}, not {seed}.")
        if not 0 <= fade_s <= _MOST_FADE_S:
            raise UsageError(f"cross_fade_duration must be from 0 to {_MOST_FADE_S:g} seconds, not {fade_s:g}.")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who speaks: the recording with its words `said`, and all that makes more of it."""

    graphs: Graphs
    vocabulary: Vocabulary
    reference: NDArray[np.int16]
    said: str
    pace: Pace
    seed: int

    def sounds(self, text: str) -> Iterator[NDArray[np.float32]]:
        """Speak a text chunk by chunk, float32 [n] in units of 16 bits; nothing for a text without letters."""
        for chunk in f5_plan.chunks(self.vocabulary.readable(text), self.pace.most):
            ids = self.vocabulary.ids(self.said + chunk)
            yield self.graphs.run(self.reference, ids, self.pace.frames_for(chunk), self.seed)

    def longest(self) -> NDArray[np.float32]:
        """Make the longest chunk that there can be, in one step: noise, of its length."""
        ids = self.vocabulary.ids(self.said + SPACE * self.pace.room)
        return self.graphs.run(self.reference, ids, self.pace.frames + self.pace.room, self.seed, steps=1)


class F5Stream:
    """A speaker, at a volume."""

    rate = RATE

    def __init__(self, speaker: Speaker, volume: float, overlap: int, language: str) -> None:
        self._speaker: Speaker | None = speaker
        self._volume, self._overlap, self._language = volume, overlap, language

    def speak(self, text: str) -> Iterator[bytes]:
        """Speak one sentence, chunk by chunk; nothing where it has no letters."""
        if self._speaker is None:
            raise EngineError("This stream of f5 is closed; open another.")
        for sound in joined(self._speaker.sounds(spoken_form(text, self._language)), self._overlap):
            if len(sound):
                yield _pcm(sound, self._volume)

    def heaviest(self) -> Iterator[bytes]:
        """Speak the longest chunk in a single step: each takes what the one before did."""
        if self._speaker is None:
            raise EngineError("This stream of f5 is closed; open another.")
        yield _pcm(self._speaker.longest(), self._volume)

    def reset(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Let go of the recording."""
        self._speaker = None


def _pcm(sound: NDArray[np.float32], volume: float) -> bytes:
    return bytes(np.rint(np.clip(sound * volume, -LOUDEST, LOUDEST)).astype("<i2").tobytes())
