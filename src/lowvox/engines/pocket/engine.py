"""The `pocket` engine: Pocket TTS on ONNX Runtime, exported by `lowvox shrink export pocket-tts` or by others.

It speaks like somebody: a voice that came with the model, one that was saved, or a recording. What hears a recording is
a model of its own, which is loaded for that alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lowvox.engines import ranges
from lowvox.engines.pocket import voice as pocket_voice
from lowvox.engines.pocket.layout import SUFFIX, layout
from lowvox.engines.pocket.sampler import Noise
from lowvox.engines.pocket.speaker import Speaker, Way, room_for
from lowvox.engines.vits import pcm
from lowvox.errors import DamagedError, EngineError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.engines.pocket.layout import Layout
    from lowvox.engines.pocket.parts import Memory, Parts
    from lowvox.engines.pocket.text import Tokenizer
    from lowvox.types import Model, Profile

PERMITS = 2
_RANGES = {
    "volume": ranges.SPOKEN["volume"],
    "temperature": (0.0, 2.0),
    "steps": (1, 64),
    "noise_clamp": (0.01, 100.0),
    "eos_threshold": (-1000.0, 1000.0),
    "frames_after_eos": (0, 100),
    "seed": (0, 2**63 - 1),
}


class Pocket:
    """Text to speech with an exported Pocket TTS."""

    def load(self, model: Model, profile: Profile) -> PocketResident:
        """Load a folder; DamagedError where its parts do not belong together."""
        if model.path is None:
            raise NotFoundError("Pocket TTS needs a model on disk: run `lowvox pull PATH` on an exported one.")
        found = layout(model.path)
        return PocketResident(found, _tokenizer(found), _graphs(found, profile))


class PocketResident:
    """A loaded model, shared by its streams."""

    def __init__(self, found: Layout, tokenizer: Tokenizer, graphs: Parts) -> None:
        self._found, self._tokenizer, self._graphs = found, tokenizer, graphs
        try:
            self._try()
            graphs.rest()
        except BaseException:
            graphs.close()
            raise

    def open(
        self,
        language: str = "",  # noqa: ARG002  # a model has its own
        voice: str | None = None,
        rate: float = 1.0,
        pitch: float = 1.0,
        volume: float = 1.0,
        *,
        reference: str | Path | None = None,
        save: str | None = None,
        seed: int | None = None,
        temperature: float | None = None,
        steps: int | None = None,
        noise_clamp: float | None = None,
        eos_threshold: float | None = None,
        frames_after_eos: int | None = None,
        longest: bool = False,
        hears: bool = False,
    ) -> PocketStream:
        """Choose whom to speak like: `reference`, a recording or a voice file of pocket-tts, else `voice`, a name.

        The name may stand behind a `+`; without one it is the first voice that there is. `save` keeps what was heard of
        the reference under a name. What is left out of the rest is the model's own: `temperature`, the variance of the
        noise, cut off at `noise_clamp`; `steps` of the flow; `eos_threshold`, above which a text counts as said, and
        `frames_after_eos`, how many frames of sound follow. With a `seed` the same sentences in the same order sound
        the same. For measuring: `longest` is nobody's voice, as long as one can be, and where it `hears`, heard.
        """
        ranges.check(
            _RANGES,
            volume=volume,
            temperature=temperature,
            steps=steps,
            noise_clamp=noise_clamp,
            seed=seed,
            eos_threshold=eos_threshold,
            frames_after_eos=frames_after_eos,
        )
        if (rate, pitch) != (1, 1):
            raise UsageError("Pocket TTS has no speed and no pitch to choose; leave rate and pitch at 1.")
        cache = self._unheard(hears=hears) if longest else self._somebody(voice, reference, save)
        facts = self._found.facts
        noise = Noise(seed, facts.latent, facts.temperature if temperature is None else temperature, noise_clamp)
        way = Way(
            steps or facts.steps,
            facts.eos_threshold if eos_threshold is None else eos_threshold,
            facts.frames_after_eos if frames_after_eos is None else frames_after_eos,
        )
        return PocketStream(Speaker(self._graphs, self._tokenizer, facts, cache, noise, way), facts.rate, volume)

    def close(self) -> None:
        """Unload it; may be called twice."""
        self._graphs.close()

    def _somebody(self, voice: str | None, reference: str | Path | None, save: str | None) -> Memory:
        """Return what was heard of whom to speak like, and keep it where that is wanted."""
        if save is not None:
            pocket_voice.check(save)
            if reference is None:
                raise UsageError("save keeps the voice of a reference; give reference, a recording, as well.")
        if reference is None:
            return self._remembered(pocket_voice.chosen(self._found, (voice or "").partition("+")[2] or None))
        cache = self._given(Path(reference))
        if save is not None:
            pocket_voice.save(save, cache.read(), self._found.facts)
        return cache

    def _given(self, file: Path) -> Memory:
        """Hear a reference: a voice file is read, a recording listened to."""
        if file.suffix == SUFFIX:
            return self._remembered(file)
        facts = self._found.facts
        if "encoder" not in facts.graphs:
            raise UsageError(
                "This model was exported without what hears recordings: export it with its cloning weights, or give "
                "reference a voice file of pocket-tts."
            )
        from lowvox.engines.pocket.prompt import prompt  # what few want is not loaded for all

        heard = self._graphs.listen(prompt(file, facts.rate))
        if self._graphs.begin is not None:
            heard = np.concatenate([self._graphs.begin, heard])
        cache = self._cache(len(heard))
        self._graphs.hear(cache, heard)
        return cache

    def _remembered(self, file: Path) -> Memory:
        heard = pocket_voice.read(file, self._found.facts)
        cache = self._cache(heard.shape[2])
        cache.write(heard)
        return cache

    def _unheard(self, *, hears: bool) -> Memory:
        """Return what takes as much as a recording of 30 s; as much as its hearing took, where it `hears`."""
        from lowvox.engines.pocket.prompt import LONGEST_S

        facts = self._found.facts
        if hears and "encoder" in facts.graphs:
            self._graphs.listen(np.zeros(int(LONGEST_S * facts.rate), np.float32))
        count = int(LONGEST_S * facts.rate / facts.frame) + 1
        cache = self._cache(count)
        self._graphs.hear(cache, np.zeros((count, facts.width), np.float32))
        return cache

    def _cache(self, heard: int) -> Memory:
        return self._graphs.cache(heard, room_for(self._found.facts))

    def _try(self) -> None:
        """Make one frame of one token; DamagedError where the graphs do not take each other's numbers."""
        facts = self._found.facts
        try:
            cache = self._cache(0)
            self._graphs.read(cache, [0 if facts.tokenizer.size else len(self._tokenizer) - 1])
            condition, _ = self._graphs.step(cache, np.full((1, facts.latent), np.nan, np.float32))
            latent = self._graphs.latent(condition, np.zeros((1, facts.latent), np.float32), 1)
            made = len(self._graphs.decoding().decode(latent))
        except (EngineError, KeyError, ValueError) as error:
            raise DamagedError(f"The graphs in {self._found.folder} do not belong together: {error}") from error
        if made != facts.frame:
            raise DamagedError(f"The decoder in {self._found.folder} is that of another voice; export it again.")


class PocketStream:
    """Somebody who speaks, at a volume."""

    def __init__(self, speaker: Speaker, rate: int, volume: float) -> None:
        self._speaker: Speaker | None = speaker
        self._rate, self._volume = rate, volume

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._rate

    def speak(self, text: str) -> Iterator[bytes]:
        """Speak one sentence as blocks of PCM, frame by frame; nothing where it has no letters and numbers."""
        if self._speaker is None:
            raise EngineError("This stream of pocket is closed; open another.")
        for sound in self._speaker.speak(text):
            yield pcm(sound, self._volume)

    def heaviest(self) -> Iterator[bytes]:
        """Speak the end of the longest chunk."""
        if self._speaker is None:
            raise EngineError("This stream of pocket is closed; open another.")
        for sound in self._speaker.heaviest():
            yield pcm(sound, self._volume)

    def reset(self) -> None:
        """Let noise that was seeded begin anew."""
        if self._speaker:
            self._speaker.reset()

    def close(self) -> None:
        """Forget the voice."""
        self._speaker = None


def _graphs(found: Layout, profile: Profile) -> Parts:
    """Load the graphs of either kind; what is needed for the other is not imported."""
    if found.foreign:
        from lowvox.engines.pocket.foreign.graphs import ForeignGraphs

        return ForeignGraphs(found, profile, PERMITS)
    from lowvox.engines.pocket.graphs import Graphs

    return Graphs(found, profile, PERMITS)


def _tokenizer(found: Layout) -> Tokenizer:
    """Read the tokenizer; DamagedError where it is that of another voice."""
    told = found.facts.tokenizer
    data = (found.folder / told.file).read_bytes()
    tokenizer: Tokenizer
    if told.kind == "sentencepiece":
        from lowvox.engines.pocket.sentencepiece import SentencePiece

        tokenizer = SentencePiece(data)
    elif told.kind == "scores":
        from lowvox.engines.pocket.foreign.tokens import tokenizer as scored

        tokenizer = scored(data, (found.folder / told.file).parent)
    else:
        from lowvox.engines.pocket.tokenizer_json import JsonTokenizer

        tokenizer = JsonTokenizer(data)
    if told.size and len(tokenizer) != told.size:
        raise DamagedError(
            f"{told.file} has {len(tokenizer)} pieces and the voice {told.size}: it is that of another voice; export "
            "it again."
        )
    return tokenizer
