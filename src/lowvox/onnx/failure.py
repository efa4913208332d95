"""What ONNX Runtime says when it fails, in one sentence that says what to do next. Knows no session.

Its errors have no class in common, several lines and codes in front; the same text may stand for a damaged file, for a
graph that is newer than the runtime, and for memory that ran out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lowvox.errors import DamagedError, EngineError
from lowvox.memory import allocator

if TYPE_CHECKING:
    from lowvox.errors import LowvoxError

_NO_MEMORY = "there was no more memory for it; close something or take a smaller model"
# (what it says, which error that is, what to do): the first that is found counts. It says "till" for "still".
_KNOWN: tuple[tuple[str, type[LowvoxError], str], ...] = (
    (
        r"unsupported model IR version|opset \d+ is (un|under)|till opset|Unsupported opset",
        EngineError,
        "it is newer than the installed onnxruntime: update that, or export the model for an older opset",
    ),
    (
        r"is not a registered function/op|Could not find an implementation|No Op registered|NOT_IMPLEMENTED",
        EngineError,
        "it has a part that the installed onnxruntime cannot compute: update that, or take another variant",
    ),
    (
        r"External data path|external initializer|model_path must not be empty|weights? .*file .*not exist",
        DamagedError,
        "its weights belong into a file beside it: copy that as well",
    ),
)


def told(kind: type[LowvoxError], what: str, error: Exception, then: str) -> LowvoxError:
    """Return an error for what happened: of `kind`, with the advice `then`, unless the text says that it is another."""
    text = f"{type(error).__name__}: {error}"
    if allocator.failed(text):
        return EngineError(f"{what}: {_NO_MEMORY}.")
    for pattern, other, advice in _KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            return other(f"{what} ({_reason(error)}); {advice}.")
    return kind(f"{what} ({_reason(error)}); {then}.")


def _reason(error: Exception) -> str:
    """Return the first line without its codes."""
    first = (str(error).splitlines() or [""])[0]
    return first.rsplit(" : ", 1)[-1][:200].rstrip(". ") or type(error).__name__
