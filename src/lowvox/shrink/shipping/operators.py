"""Which of ONNX Runtime's operators a set of graphs needs, and for which types: what a reduced build is made with.

The list is the one that ONNX Runtime's build reads (`build.sh --include_ops_by_config FILE
--enable_reduced_operator_type_support`). What its optimisers put in the place of others depends on their level, so
each graph is looked at as it was written and as it runs. Knows no model.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lowvox.errors import DamagedError, NotFoundError
from lowvox.onnx import runtime
from lowvox.onnx.failure import told
from lowvox.shrink.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LEVELS = ("DISABLE_ALL", "ENABLE_BASIC", "ENABLE_EXTENDED", "ENABLE_ALL")


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of an operator set; `types` is what ONNX Runtime's build reads behind its name, "" for any type."""

    domain: str
    opset: int
    name: str
    types: str = ""


def needed(graphs: Iterable[Path]) -> tuple[Operator, ...]:
    """Return the operators that these graphs need, by domain, operator set and name.

    NotFoundError where there is no such file, DamagedError where it is no graph, EngineError where it has a part that
    this ONNX Runtime does not know.
    """
    tools = _tools()
    names: dict[str, dict[int, set[str]]] = {}
    types = tools.OperatorTypeUsageManager()
    for graph in graphs:
        with TemporaryDirectory() as folder, quiet():
            for level in _LEVELS:
                stored = _stored(graph, level, Path(folder) / f"{level}.ort")
                tools.OrtFormatModelProcessor(str(stored), names, types).process()
    return tuple(
        Operator(domain, opset, name, types.get_config_entry(domain, name) or "")
        for domain, opsets in sorted(names.items())
        for opset, several in sorted(opsets.items())
        for name in sorted(several)
    )


def config(operators: Sequence[Operator], sources: Sequence[str]) -> str:
    """Return the list as ONNX Runtime's build reads it, with where it came from."""
    lines = ["# The operators that these models need:", *(f"# - {source}" for source in sources)]
    rows: dict[tuple[str, int], list[str]] = {}
    for one in operators:
        rows.setdefault((one.domain, one.opset), []).append(f"{one.name}{one.types}")
    lines += [f"{domain};{opset};{','.join(names)}" for (domain, opset), names in rows.items()]
    return "\n".join(lines) + "\n"


def _tools() -> Any:
    """Import ONNX Runtime's own reader of its format, and leave logging as it was: that is not the reader's to set."""
    before = list(logging.root.handlers)
    found = import_module(f"{runtime().__name__}.tools.ort_format_model")
    logging.root.handlers[:] = before
    return found


def _stored(graph: Path, level: str, target: Path) -> Path:
    """Write a graph as it is after optimisation of a level, in the format whose operators can be listed."""
    if not graph.is_file():
        raise NotFoundError(f"There is no file {graph}; check the path.")
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.__members__[f"ORT_{level}"]
    options.optimized_model_filepath = str(target)
    options.add_session_config_entry("session.save_model_format", "ORT")
    try:
        onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no class in common
        raise told(DamagedError, f"{graph} cannot be loaded", error, "copy or pull it again") from error
    return target
