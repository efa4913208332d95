"""Every error that lowvox raises on purpose, with the exit status that the command line gives it.

    LowvoxError                    1
    ├── UsageError                 2   (ValueError) an argument or setting that cannot mean anything
    ├── BudgetError                3   (MemoryError) the stated budget cannot hold what was asked
    ├── NotFoundError              4   (FileNotFoundError) a file, model, voice or package that is not there
    ├── DamagedError               4   (ValueError) a file or model that is there and cannot be used
    ├── OutputError                1   (OSError) writing failed: disk full, no permission
    ├── DeviceError                1   (OSError) no microphone, no loudspeaker, no desktop to type into
    ├── DownloadError              1   (ConnectionError) a server that did not give what was asked
    └── EngineError                1   (RuntimeError) an engine failed at work
        └── WorkerDiedError        1   its process ended: says how

A message is one sentence of what is wrong and what to do next. Foreign errors are kept as the cause.
"""


class LowvoxError(Exception):
    """Root of the tree; `exit_code` is the command line's status."""

    exit_code = 1


class UsageError(LowvoxError, ValueError):
    """An argument or a setting that cannot mean anything."""

    exit_code = 2


class BudgetError(LowvoxError, MemoryError):
    """The stated budget cannot hold what was asked: `needed` and `budget` are bytes."""

    exit_code = 3

    def __init__(self, message: str, *, needed: int, budget: int) -> None:
        super().__init__(message)
        self.needed = needed
        self.budget = budget


class NotFoundError(LowvoxError, FileNotFoundError):
    """A file, model, voice or optional package that is not there."""

    exit_code = 4


class DamagedError(LowvoxError, ValueError):
    """A file or model that is there and cannot be used."""

    exit_code = 4


class OutputError(LowvoxError, OSError):
    """Writing a result failed; nothing half-written stays behind."""


class DeviceError(LowvoxError, OSError):
    """A microphone, loudspeaker, clipboard or window that is missing or refuses."""


class DownloadError(LowvoxError, ConnectionError):
    """A server that did not give what was asked; what has arrived is kept for a resume."""


class EngineError(LowvoxError, RuntimeError):
    """An engine failed while working."""


class WorkerDiedError(EngineError):
    """The process that hosts an engine ended; the message says by what."""
