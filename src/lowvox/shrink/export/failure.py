"""What the exporter of PyTorch stumbled over, in words that fit into a sentence. Its messages go on for pages."""

from __future__ import annotations

import re

# torch.export's programs, TorchScript's graphs, and what has no name at all.
_NO_FUNCTION = re.compile(r"No (?:ONNX function|decompositions registered).*?<OpOverload\(op='([^']+)'", re.DOTALL)
_UNSUPPORTED = re.compile(r"[Ee]xporting the operator '?([\w:]+)'? to ONNX opset version (\d+) is not supported")
_LONGEST = 200


def operator(error: BaseException) -> str:
    """Name the operator that failed, or give the first line of what was said."""
    said = "\n".join(_chain(error))
    if found := _NO_FUNCTION.search(said):
        return f"ONNX has nothing for its operator {found[1]}; write that part otherwise, or leave it out"
    if found := _UNSUPPORTED.search(said):
        return f"ONNX has nothing for its operator {found[1]} in set {found[2]}; try another --opset, or write it anew"
    return first(error)


def first(error: BaseException) -> str:
    """Return the last line that says something of a TorchScript traceback, the first one of anything else."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    chosen = lines[-1] if lines[0].startswith("The following operation failed") else lines[0]
    return chosen[:_LONGEST].rstrip(". ")


def _chain(error: BaseException) -> list[str]:
    found: list[str] = []
    current: BaseException | None = error
    while current is not None and len(found) < 8:
        found.append(str(current))
        current = current.__cause__ or current.__context__
    return found
