"""The obituary: one sentence on how a worker ended, from what is known, and what to do next.

Knows no process; all but `kills` is pure.
"""

from __future__ import annotations

import signal
from pathlib import Path

from lowvox.memory import allocator

_CRASHES = {"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGTRAP"}


def greed(name: str, planned: int | None) -> str:
    """Say that `name` wanted more memory than `planned` bytes, or (None) than the system had."""
    if planned is None:
        return f"{name} got no more memory from the system, and was stopped; take a smaller model (`lowvox fit`)."
    return (
        f"{name} needed more than the {planned / 2**20:.0f} MB that were planned for it, and was stopped; "
        "give it a larger --budget or a smaller model (`lowvox fit`)."
    )


def ending(name: str, status: int | None, words: list[str], planned: int | None, killed: int | None) -> str:
    """Say how the process of `name` ended.

    `status` is the exit status, negative for a signal, None for a process that lived on and stopped answering. `words`
    are its last lines on standard error, `planned` is its ceiling in bytes, `killed` how many processes the system has
    killed meanwhile because memory ran out (None: it does not say).
    """
    if any(allocator.failed(line) for line in words):
        return greed(name, planned)
    said = f"; its last words: {words[-1]}" if words else ""
    return f"The process of {name} {_how(status, planned, killed)}{said}. Try again."


def _how(status: int | None, planned: int | None, killed: int | None) -> str:
    if status is None:
        return "stopped answering and was killed"
    if status >= 0:
        return f"ended with status {status}"
    name = _name(-status)
    why = ""
    if name == "SIGKILL":
        why = f" ({_why_killed(killed)})"
    elif name in _CRASHES and planned is not None:
        why = f" (some libraries do this when they get no more memory: {planned / 2**20:.0f} MB were planned for it)"
    return f"was killed by {name}{why}"


def _why_killed(killed: int | None) -> str:
    if killed is None:
        return "the system does this when memory runs out"
    if killed:
        return "memory ran out, and the system killed a process for it"
    return "somebody did this; memory had not run out"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"


def kills() -> int | None:
    """Return how many processes the system has ever killed because memory ran out; None: it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)
