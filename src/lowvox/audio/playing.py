"""Sound to the loudspeaker while it is being made. Has the shape of `writing.Writer`; knows nothing of speech."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lowvox.audio.portaudio import portaudio
from lowvox.errors import DeviceError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from lowvox.types import Audio

_ELSEWHERE = "write to a file instead, with `-o speech.wav`"


class Player:
    """Plays blocks of sound on the system's usual loudspeaker.

    Leaving the `with` block waits until all has been heard, leaving it by an error falls silent at once. Raises
    DeviceError where there is no PortAudio or no loudspeaker.
    """

    def __init__(self) -> None:
        self._sounddevice = portaudio()
        self._stream: Any = None

    def __enter__(self) -> Self:
        try:
            self._sounddevice.query_devices(kind="output")
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise DeviceError(f"There is no loudspeaker or headphone: connect one, or {_ELSEWHERE}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is None:
            return
        try:
            if kind is None:
                self._stream.stop()
        except self._sounddevice.PortAudioError as failure:
            raise _unusable(failure) from failure
        finally:
            self._stream.close()

    def keep(self) -> None:
        """Nothing is kept of what is played."""

    def write(self, audio: Audio) -> None:
        """Play a block; returns when there is room for the next, so that speech is made no faster than it is heard."""
        try:
            if self._stream is None:
                self._stream = self._sounddevice.RawOutputStream(samplerate=audio.rate, channels=1, dtype="int16")
                self._stream.start()
            self._stream.write(audio.pcm)
        except self._sounddevice.PortAudioError as failure:
            raise _unusable(failure) from failure


def _unusable(failure: Exception) -> DeviceError:
    return DeviceError(f"The loudspeaker cannot be used ({failure}): {_ELSEWHERE}.")
