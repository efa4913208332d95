"""PortAudio, the system's way to microphones and loudspeakers, through sounddevice."""

from __future__ import annotations

from typing import Any

from lowvox.errors import DeviceError

HOW_TO_GET_IT = (
    "Debian and Ubuntu: sudo apt install libportaudio2; Fedora: sudo dnf install portaudio; "
    "Arch: sudo pacman -S portaudio; on macOS and Windows: pip install --force-reinstall sounddevice"
)


def portaudio() -> Any:
    """Return the module sounddevice; DeviceError says how to get PortAudio where it is missing."""
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(f"PortAudio, which reaches sound devices, is missing. {HOW_TO_GET_IT}.") from error
    return sounddevice
