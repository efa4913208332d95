"""Where lowvox keeps its own files: settings, models, measurements. Nothing is ever written elsewhere unasked.

`LOWVOX_HOME` puts all of them below one folder (portable installs, tests).
"""

from __future__ import annotations

import os
from pathlib import Path


def _below(kind: str) -> Path:
    if home := os.environ.get("LOWVOX_HOME"):
        return Path(home) / kind
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("lowvox", appauthor=False))


def config() -> Path:
    """Folder of `config.toml`."""
    return _below("config")


def data() -> Path:
    """Folder of the installed models."""
    return _below("data")


def cache() -> Path:
    """Folder of what can be made again: measurements, partial downloads, scratch files."""
    return _below("cache")
