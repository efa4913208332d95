"""The `vosk-tts` engine: Russian voices of the Vosk project, with a dictionary, rules for what is not in it, and BERT.

One stream of symbols or five, blanks or none, a BERT or none: the voice's config says which, its graph what it wants to
be told. Knows nothing of how a voice is split.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lowvox.engines import breath, ranges
from lowvox.engines.vits import LONGEST, Vits, pcm
from lowvox.engines.vosk_tts import g2p as vosk_tts_g2p
from lowvox.engines.vosk_tts.bert import WIDTH, Bert
from lowvox.engines.vosk_tts.config import BEGIN, END, HIGHEST
from lowvox.engines.vosk_tts.dictionary import Dictionary
from lowvox.engines.vosk_tts.layout import BERT, DICTIONARY, MODEL, VOCABULARY, layout
from lowvox.engines.vosk_tts.symbols import Symbols, multi, plain, single
from lowvox.errors import DamagedError, EngineError, NotFoundError, UsageError
from lowvox.text.aloud import spoken_form
from lowvox.text.sentences import CAP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from lowvox.engines.vosk_tts.config import Config
    from lowvox.onnx.session import Session
    from lowvox.types import Model, Profile

_PERMITS = 2
_NEEDED = frozenset({"input", "input_lengths", "scales"})
_SHORTEST = 1e-4  # a length of symbols at which each is one frame
# A sentence of the longest, each of whose characters is a piece to BERT.
_PIECES = "я," * (CAP // 2)
# A plus before a vowel, and a letter that no text has in its stead, while numbers and signs become words.
_STRESS, _STRESSED = re.compile(r"\+(?=[аеёиоуыэюя])", re.IGNORECASE), "\N{MODIFIER LETTER PRIME}"
_EDGES = re.compile(r"^[^\w+]+|\W+$")


class VoskTts:
    """Text to speech by a voice of vosk-tts."""

    def load(self, model: Model, profile: Profile) -> VoskTtsResident:
        """Load a voice; the first time its dictionary is sorted, which takes seconds."""
        if model.path is None:
            raise NotFoundError(f"The voice {model.name!r} has no folder; run `lowvox pull {model.name}`.")
        found = layout(model.path)
        dictionary = Dictionary(model.path / DICTIONARY)
        vits = Vits(model.path / MODEL, profile, _PERMITS, _trial(found.config))
        if lacking := _NEEDED - set(vits.inputs):
            vits.close()
            raise DamagedError(
                f"The graph in {model.path} has no input {', '.join(sorted(lacking))}: it is not that of a vosk-tts "
                "voice; copy or pull it again."
            )
        reads = found.bert and "bert" in vits.inputs
        bert = Bert(model.path / BERT, model.path / VOCABULARY, profile, _PERMITS) if reads else None
        blanks = not (found.bert and found.config.no_blank)
        return VoskTtsResident(_Voice(found.config, vits, dictionary, bert, blanks))


class VoskTtsResident:
    """A loaded voice, with all its speakers."""

    def __init__(self, voice: _Voice) -> None:
        self._voice = voice

    def open(
        self,
        language: str = "",  # noqa: ARG002  # a voice speaks one
        voice: str | None = None,
        rate: float = 1.0,
        pitch: float = 1.0,
        volume: float = 1.0,
        speaker: str | int | None = None,
        noise: float | None = None,
        noise_w: float | None = None,
        seed: int | None = None,
    ) -> VoskTtsStream:
        """Choose a speaker, by the name or number behind the `+` of `voice` or as `speaker`; the first where none is.

        `rate` and `volume` are factors, `noise` and `noise_w` how much sound and durations vary: the voice's own where
        they are None. With a `seed` the same sentences in the same order sound the same; the stream then has what
        draws the noise for itself, which takes as much memory as the whole voice, or as the front of a split one.
        UsageError for a speaker that it does not have, a number out of range, or a pitch other than 1.
        """
        ranges.check(ranges.VITS, rate=rate, volume=volume, noise=noise, noise_w=noise_w)
        if pitch != 1:
            raise UsageError("This voice has no pitch to choose: leave it at 1, or take another speaker.")
        wanted = (voice or "").partition("+")[2] if speaker is None else str(speaker)
        usual = self._voice.config.inference
        scales = (
            usual.noise_level if noise is None else noise,
            1 / (usual.speech_rate * rate),
            usual.duration_noise_level if noise_w is None else noise_w,
        )
        settings = _Settings(self._voice.speaker(wanted), scales, volume * usual.scale, seed)
        return VoskTtsStream(self._voice, settings)

    def close(self) -> None:
        """Unload it."""
        self._voice.close()


class VoskTtsStream:
    """One speaker with his settings; he remembers nothing from one sentence to the next."""

    def __init__(self, voice: _Voice, settings: _Settings) -> None:
        self._voice: _Voice | None = voice
        self._settings = settings
        self._front: Session | None = None

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._open().config.audio.sample_rate

    def speak(self, text: str) -> Iterator[bytes]:
        """Speak one sentence as blocks of PCM, window by window.

        Nothing comes of text without letters and numbers; EngineError where the voice knows none of those.
        """
        voice = self._open()
        text = _aloud(text)
        for part in breath.parts(text, lambda some: len(voice.symbols(plain(some)).ids), LONGEST):
            if feeds := voice.feeds(part):
                for sound in voice.vits.run(feeds | self._manner(), self._own_front(voice)):
                    yield pcm(sound, self._settings.volume)

    def heaviest(self) -> Iterator[bytes]:
        """Speak as many symbols as are ever spoken in one go, of a text with as many pieces as BERT ever reads."""
        voice = self._open()
        known = sorted(one for several in voice.config.ids.values() for one in several)
        ids = [known[at % len(known)] for at in range(LONGEST)]
        feeds = sample(voice.config, ids, self._settings.scales) | self._manner()
        if voice.bert:
            voice.bert.vectors(_PIECES, marks=not voice.config.streams)
        for sound in voice.vits.heaviest(feeds, self.rate, self._own_front(voice)):
            yield pcm(sound, self._settings.volume)

    def reset(self) -> None:
        """Let noise that was seeded begin anew."""
        if self._front:
            self._front.close()
        self._front = None

    def close(self) -> None:
        """Let go of the voice."""
        self.reset()
        self._voice = None

    def _manner(self) -> dict[str, NDArray[Any]]:
        """Return what says how it is spoken, and who speaks."""
        return {
            "scales": np.array(self._settings.scales, np.float32),
            "sid": np.array([self._settings.speaker], np.int64),
        }

    def _own_front(self, voice: _Voice) -> Session | None:
        if self._settings.seed is not None and self._front is None:
            self._front = voice.vits.seeded(self._settings.seed)
        return self._front

    def _open(self) -> _Voice:
        if self._voice is None:
            raise EngineError("This stream of vosk-tts is closed; open another.")
        return self._voice


class _Settings(NamedTuple):
    """What a stream tells the voice; `scales` as the graph takes them."""

    speaker: int
    scales: tuple[float, float, float]
    volume: float
    seed: int | None


@dataclass(frozen=True, slots=True)
class _Voice:
    """What is loaded; it has `blanks` between the symbols of one stream."""

    config: Config
    vits: Vits
    dictionary: Dictionary
    bert: Bert | None
    blanks: bool

    def feeds(self, text: str) -> dict[str, NDArray[Any]]:
        """Return what a sentence is to the graph, all but speaker and scales; nothing where there is nothing to say."""
        wanted = plain(text)
        found = self.symbols(wanted)
        if found.ids:
            return _feeds(self.config, found) | {"bert": self._meaning(wanted, found.words)}
        if any(map(str.isalnum, wanted)):
            raise EngineError(
                f"This voice does not know the script of {wanted[:20]!r}; choose one that speaks its language."
            )
        return {}

    def symbols(self, text: str) -> Symbols:
        """Return what is spoken of a plain text."""
        if self.config.streams:
            return multi(text, self.config.ids, self._said, self.config.streams)
        return single(text, self.config.ids, self._said, blanks=self.blanks)

    def speaker(self, wanted: str) -> int:
        """Return the number of a speaker, the first where none is wanted; UsageError names those that there are."""
        named, many = self.config.speaker_id_map, self.config.num_speakers
        number = named.get(wanted, int(wanted) if wanted.isdecimal() else None) if wanted else 0
        if number is None or number >= (HIGHEST if many is None else max(1, many)):
            known = [*named] or ([f"0 to {many - 1}"] if many else ["0"])
            raise UsageError(f"This voice has no speaker {wanted!r}; it has {', '.join(known)}.")
        return number

    def close(self) -> None:
        self.vits.close()
        self.dictionary.close()
        if self.bert:
            self.bert.close()

    def _said(self, word: str) -> Sequence[str]:
        """Return the phonemes of a word, which may have marks at its edges that no voice knows."""
        known = self.dictionary.phonemes
        return known(word) or known(_EDGES.sub("", word)) or vosk_tts_g2p.phonemes(word)

    def _meaning(self, text: str, words: Sequence[int]) -> NDArray[np.float32]:
        """Return the vectors of each symbol's word, float32 [1, 768, T]; zeros where there is no BERT."""
        if self.bert is None:
            return _nothing(len(words))
        vectors = self.bert.vectors(text, marks=not self.config.streams)
        # The voice's own way to cut words is not quite that of its BERT: there may be a vector less.
        places = np.minimum(words, len(vectors) - 1)
        return vectors[places].T[np.newaxis]


def _aloud(text: str) -> str:
    """Return a text in words; a plus before a vowel is a stress and no sum."""
    return spoken_form(_STRESS.sub(_STRESSED, text), "ru").replace(_STRESSED, "+")


def _feeds(config: Config, symbols: Symbols) -> dict[str, NDArray[Any]]:
    """Return what symbols are to the graph: [1, T] where they are of one stream, [1, 5, T] where of five."""
    ids = np.array(symbols.ids, np.int64).T
    return {
        "input": ids[np.newaxis] if config.streams else ids,
        "input_lengths": np.array([len(symbols.ids)], np.int64),
        "phone_duration_extra": np.array([symbols.longer], np.float32),
    }


def sample(config: Config, numbers: Sequence[int], scales: Sequence[float]) -> dict[str, NDArray[Any]]:
    """Return feeds for these symbols, to try a graph with: the last speaker says them, whatever they mean."""
    others = (0,) * 4 if config.streams else ()
    ids = [(number, *others) for number in numbers]
    return _feeds(config, Symbols(ids, [0] * len(ids), [0.0] * len(ids))) | {
        "bert": _nothing(len(ids)),
        "scales": np.array(scales, np.float32),
        "sid": np.array([max(0, (config.num_speakers or 1) - 1)], np.int64),
    }


def _trial(config: Config) -> dict[str, NDArray[Any]]:
    """Return feeds that only a graph takes that knows the last symbol and the last speaker."""
    highest = max(number for numbers in config.ids.values() for number in numbers)
    return sample(config, [config.ids[BEGIN][0], highest, config.ids[END][0]], (0, _SHORTEST, 0))


def _nothing(symbols: int) -> NDArray[np.float32]:
    return np.zeros((1, WIDTH, symbols), np.float32)
