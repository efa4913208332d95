"""The sound system for tests: the real PortAudio, and an ALSA that takes files for microphone and loudspeaker."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def _here() -> bool:
    try:
        import sounddevice  # noqa: F401
    except OSError:
        return False
    return sys.platform.startswith("linux")


needs_portaudio = pytest.mark.skipif(not _here(), reason="needs PortAudio on Linux (libportaudio2)")
needs_silence = pytest.mark.skipif(Path("/dev/snd").exists(), reason="needs a machine without a sound card")


def alsa(folder: Path, *, said: Path | str = "/dev/null", heard: Path | str = "/dev/null") -> str:
    """Write a configuration whose microphone reads `said` and whose loudspeaker writes `heard`; return its path."""
    configuration = folder / "asound.conf"
    infile = f'infile "{said}" ' if said != "/dev/null" else ""
    device = f'type file slave.pcm "null" file "{heard}" {infile}format "raw"'
    configuration.write_text(
        f"pcm.!default {{ {device} }}\npcm.null {{ type null }}\nctl.!default {{ type null }}\n", encoding="utf-8"
    )
    return str(configuration)
