"""Optional parts: the command that brings one into the Python that lowvox runs in."""

from __future__ import annotations

import sys


def command(extra: str | None) -> str:
    """Return the shell command for an extra, or for what the core needs."""
    what = f"'lowvox[{extra}]'" if extra else "lowvox"
    return f"{sys.executable} -m pip install {what}"
