"""The clip that ships with lowvox: seven seconds for the demo and for measuring engines.

It is synthesised speech (Flite 2.2, voice `rms`), made for lowvox with
`flite -voice rms -t "<TEXT>" -o clip.wav && sox clip.wav -C 8 clip.flac`.
"""

from __future__ import annotations

from pathlib import Path

PATH = Path(__file__).with_name("clip.flac")
TEXT = (
    "Good morning. This is a small machine with little memory. It can still write down what you say, "
    "and read it back to you."
)


def clip() -> bytes:
    """Return the clip as PCM at 16 kHz."""
    from lowvox.audio.reading import opened

    with opened(PATH) as recording:
        return b"".join(recording.blocks())


def crowd(seconds: float) -> bytes:
    """Return the clip spoken three times at once, over and over: speech that keeps a recogniser in doubt.

    Doubt is what costs memory: PocketSphinx takes 22 MB for 15 s of this, 6 MB for as much of the clip itself.
    """
    import numpy as np

    length = int(seconds * 16000)
    voice = np.resize(np.frombuffer(clip(), "<i2").astype(np.int32), length)
    mixed = (voice + np.roll(voice, 2 * 16000) + np.roll(voice, -3 * 16000)) // 3
    return mixed.astype("<i2").tobytes()
