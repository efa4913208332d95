"""The microphone: live PCM at 16 kHz, and the list of devices.

The sound card's thread puts blocks into a bounded queue; whoever listens takes them out. A listener that falls a minute
behind loses sound, and is told how much.
"""

from __future__ import annotations

import queue
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lowvox.audio.portaudio import portaudio
from lowvox.errors import DeviceError, UsageError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

RATE = 16000
BLOCK = RATE // 10
_QUEUED_BLOCKS = 600


@dataclass(frozen=True, slots=True)
class Device:
    """A microphone: `id` is what `--device` and `audio.microphone_id` take."""

    id: int
    name: str
    channels: int
    rate: float
    default: bool


def devices() -> list[Device]:
    """List the devices that can record."""
    sounddevice = portaudio()
    usual = sounddevice.default.device[0]
    return [
        Device(number, entry["name"], entry["max_input_channels"], entry["default_samplerate"], number == usual)
        for number, entry in enumerate(sounddevice.query_devices())
        if entry["max_input_channels"] > 0
    ]


def choose(wanted: str) -> Device:
    """Find a microphone by number, by a part of its name, or "default"."""
    found = devices()
    if not found:
        raise DeviceError("There is no microphone; connect one, or use --from FILE.")
    if wanted == "default":
        return next((device for device in found if device.default), found[0])
    for device in found:
        if wanted == str(device.id) or (not wanted.isdecimal() and wanted.lower() in device.name.lower()):
            return device
    raise UsageError(f"There is no microphone {wanted!r}; `lowvox dictate --list-devices` lists them.")


def listen(
    wanted: str, stopped: threading.Event, on_lost: Callable[[float], object] = lambda _: None
) -> Iterator[bytes]:
    """Record until `stopped` is set or the iterator is closed; blocks of 0.1 s.

    After `stopped` what had been heard by then is still given. `on_lost` is told how many seconds of sound were lost
    because nobody took them in time.
    """
    sounddevice = portaudio()
    device = choose(wanted)
    blocks: queue.Queue[bytes] = queue.Queue(_QUEUED_BLOCKS)

    def heard(data: Any, _frames: int, _time: object, _status: object) -> None:
        try:
            blocks.put_nowait(bytes(data))
        except queue.Full:
            on_lost(BLOCK / RATE)

    try:
        # The sound system resamples where the microphone cannot do 16 kHz itself.
        with sounddevice.RawInputStream(
            samplerate=RATE, blocksize=BLOCK, channels=1, dtype="int16", device=device.id, callback=heard
        ) as stream:
            while stream.active and not stopped.is_set():
                with suppress(queue.Empty):
                    yield blocks.get(timeout=0.2)
    except sounddevice.PortAudioError as error:
        raise DeviceError(f"The microphone {device.name!r} cannot be used ({error}); try another --device.") from error
    with suppress(queue.Empty):
        while True:
            yield blocks.get_nowait()
    if not stopped.is_set():
        raise DeviceError(f"The microphone {device.name!r} has gone; connect it again.")
