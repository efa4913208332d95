"""The `pocketsphinx` engine: English with the model that comes inside the PocketSphinx package.

A partial result comes from a running pass. The final result comes from a second pass over the whole utterance, whose
cepstral mean is then known: on recorded English that takes the word error rate from 0.57 to 0.49 (docs/log.md), and the
running pass is made only for whoever asks for partials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lowvox.errors import DamagedError
from lowvox.types import Word

if TYPE_CHECKING:
    from lowvox.types import Model, Profile

_FRAMES_A_SECOND = 100
# Narrower than PocketSphinx's own beams (7e-29, 1e-40, 7e-29). On every second English clip: word error rate 0.479
# against 0.481, a fifth less work, and half the memory that the hardest utterance takes (docs/log.md).
_BEAMS = {"wbeam": 1e-24, "lpbeam": 1e-35, "fwdflatwbeam": 1e-20}


class PocketSphinx:
    """Speech to text on 16 kHz mono."""

    def load(self, model: Model, profile: Profile) -> PocketSphinxResident:  # noqa: ARG002
        """Import the library; the weights belong to each stream, PocketSphinx shares none."""
        import pocketsphinx

        try:
            paths = {
                option: pocketsphinx.get_model_path(f"en-us/{name}")
                for option, name in (("hmm", "en-us"), ("lm", "en-us.lm.bin"), ("dict", "cmudict-en-us.dict"))
            }
        except (FileNotFoundError, RuntimeError) as error:
            raise DamagedError(
                "PocketSphinx's English model is not in its package; run `pip install --force-reinstall pocketsphinx`."
            ) from error
        return PocketSphinxResident(paths)


class PocketSphinxResident:
    """Where the model is."""

    def __init__(self, paths: dict[str, str]) -> None:
        self._paths = paths

    def open(self, **options: object) -> PocketSphinxStream:  # noqa: ARG002
        """Open a decoder; takes half a second and most of the memory."""
        import pocketsphinx

        try:
            return PocketSphinxStream(pocketsphinx.Decoder(loglevel="FATAL", **_BEAMS, **self._paths))
        except (RuntimeError, ValueError) as error:
            raise DamagedError(
                "PocketSphinx cannot read its English model; run `pip install --force-reinstall pocketsphinx`."
            ) from error

    def close(self) -> None:
        """Nothing is held beyond the streams."""


class PocketSphinxStream:
    """A decoder and the utterance that it hears."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._mean = decoder.get_cmn(update=False)
        self._heard = bytearray()
        self._passed = 0  # bytes of it that the running pass has taken

    def reset(self) -> None:
        """Forget the last speaker: the cepstral mean, the noise, and an unfinished utterance."""
        self.discard()
        self._decoder.reinit_feat()
        self._decoder.set_cmn(self._mean)

    def accept(self, pcm: bytes) -> None:
        """Take sound; no work is done yet."""
        self._heard += pcm

    def partial(self) -> str:
        """Bring the running pass up to now and return its words."""
        if not self._heard:
            return ""
        if not self._passed:
            self._decoder.start_utt()
        if fresh := bytes(self._heard[self._passed :]):
            self._decoder.process_raw(fresh)
        self._passed = len(self._heard)
        found = self._decoder.hyp()
        return " ".join(word for token in found.hypstr.split() if (word := _spoken(token))) if found else ""

    def discard(self) -> None:
        """Forget the utterance so far."""
        if self._passed:
            self._decoder.end_utt()
        self._passed = 0
        self._heard.clear()

    def finish(self) -> tuple[Word, ...]:
        """Decode the whole utterance and return its words."""
        sound = bytes(self._heard)
        self.discard()
        if not sound:
            return ()
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()
        return tuple(
            Word(
                segment.start_frame / _FRAMES_A_SECOND,
                (segment.end_frame + 1) / _FRAMES_A_SECOND,
                word,
                round(min(1.0, segment.prob), 4),
            )
            for segment in self._decoder.seg() or ()
            if (word := _spoken(segment.word))
        )

    def close(self) -> None:
        """Free the decoder."""
        self._decoder = None


def _spoken(token: str) -> str:
    """Return the word of a token: "our(2)" is "our"; silences and noises are no words."""
    return "" if token[:1] in "<[" else token.partition("(")[0]
