"""Writing the graphs of Pocket TTS, each in the form in which it was measured to take least memory for its speed.

What multiplies one row by a large matrix reads the matrix once and is mapped (`.ort`). What multiplies many rows, or in
8 bits, is 1.7 to 3 times as fast with its matrices laid out for it, and then takes least as a network with its weights
beside it: they are mapped one by one, laid out, and let go. Knows no model but by its graphs' names.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lowvox.onnx.session import write_mapped
from lowvox.shrink.shipping.weights import split

MAPPED = ("backbone", "flow")  # in 32 bits
INT8 = ("backbone", "flow", "decoder")
# The codec's convolutions stay as they are: they make the sound. The heads are small.
_ROUNDED = ("transformer", "res_blocks", "adaLN_modulation", "cond_embed", "time_embed")
_KEPT = ("input_proj", "output_projs", "final_layer")


def write(graph: Any, folder: Path, name: str, *, int8: bool) -> str:
    """Write a graph; return the name of its file."""
    if int8 and name in INT8:
        from lowvox.shrink.rounding import dynamic

        # Signed ones would be quicker on new processors and wrong on some old ones; the files are for both.
        graph = dynamic.rounded(graph, products(graph), signed=False)
    elif name in MAPPED:
        import onnx

        with TemporaryDirectory(dir=folder, prefix=".graph-") as beside:
            whole = Path(beside) / f"{name}.onnx"
            onnx.save(graph, whole)
            write_mapped(whole, folder / f"{name}.ort")
        return f"{name}.ort"
    split(graph.SerializeToString(deterministic=True), folder / f"{name}.onnx", folder / f"{name}.weights")
    return f"{name}.onnx"


def products(graph: Any) -> list[str]:
    """Return the names of the products that are rounded."""
    named = [node.name for node in graph.graph.node if node.op_type == "MatMul"]
    return [name for name in named if any(part in name for part in _ROUNDED) and not any(p in name for p in _KEPT)]
