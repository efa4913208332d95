"""A network of torch's to an ONNX file that gives the same: `lowvox shrink export torchscript|module|program`.

It is written only when it gave what the original gives, on random inputs of several lengths and on real ones where
there are some. Knows nothing of where the network is from: that is `export_source`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import onnx
from lowvox.errors import DamagedError, EngineError, UsageError
from lowvox.onnx.session import Session
from lowvox.shrink.export import write as writing
from lowvox.shrink.export.parity import TOLERANCE, Distance, distance
from lowvox.shrink.fold import folded
from lowvox.shrink.rounding import samples as found_samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.shrink.export.source import Source

    Values = Mapping[str, NDArray[Any]]

_FOLDED = 2**30  # bytes of weights up to which those that are computed of others are made weights


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: bytes with all files, the operators by how often they are used, and how far it is.

    `random` was found on random inputs, `real` on samples; None where there were none. `folded` counts weights that
    were computed of others, such as those of weight norm.
    """

    path: Path
    size: int
    opset: int
    operators: dict[str, int]
    folded: int
    random: Distance
    real: Distance | None


def export(
    source: Source,
    out: Path,
    outputs: Sequence[str] = (),
    samples: Path | None = None,
    tolerance: float = TOLERANCE,
    *,
    overwrite: bool = False,
    largest: int = writing.LARGEST,
) -> Exported:
    """Write a network as ONNX; `tolerance` is a share of the largest number of each output.

    UsageError where `out` is there already, the number of outputs is another or the network draws random numbers;
    DamagedError where it cannot be exported (names the operator); EngineError where the result differs; OutputError.
    Nothing is written then.
    """
    writing.refuse(out, overwrite=overwrite)
    names = _names(source, outputs)
    with writing.near(out) as lent:
        raw = lent / "raw.onnx"
        source.convert(raw, names)
        model = onnx.load(raw)
        model = folded(model) if writing.size(model) <= _FOLDED else model
        made = lent / "made"
        made.mkdir()
        writing.write(model, made, out.name, largest)
        random, real = _compared(source, made / out.name, names, samples, model)
        for found in filter(None, (random, real)):
            _refuse_far(found, tolerance)
        size = sum(file.stat().st_size for file in made.iterdir())
        writing.publish(made, out)
    return Exported(out, size, _opset(model), _operators(model), source.folded, random, real)


def _names(source: Source, asked: Sequence[str]) -> list[str]:
    """Return the names of the outputs, after seeing that the network gives the same for the same."""
    first, again = source.run(source.inputs[0]), source.run(source.inputs[0])
    if not first:
        raise UsageError(f"{source.name} gives no tensor; export one that does.")
    if any((one != other).any() and (one == one).all() for one, other in zip(first, again, strict=True)):
        raise UsageError(
            f"{source.name} gives something else each time: it draws random numbers; make them one of its inputs."
        )
    if asked and len(asked) != len(first):
        raise UsageError(f"{source.name} gives {len(first)} outputs, and {len(asked)} are named; name all or none.")
    return list(asked) or [f"output{at}" if len(first) > 1 else "output" for at in range(len(first))]


def _compared(
    source: Source, graph: Path, names: Sequence[str], samples: Path | None, model: onnx.ModelProto
) -> tuple[Distance, Distance | None]:
    try:
        session = Session(graph)
    except (DamagedError, EngineError) as error:
        raise EngineError(f"The exported network does not run, and was not written: {error}") from error
    try:

        def compare(inputs: Iterable[Values]) -> Distance:
            return distance(source.run, lambda given: session.run(given, names), inputs, names)

        try:
            random = compare(source.inputs)
            real = None if samples is None else compare(found_samples.read(samples, model))
        except EngineError as error:
            raise EngineError(
                f"The exported network does not run at other lengths than the first ({error}); an axis in it is fixed: "
                "nothing was written."
            ) from error
        return random, real
    finally:
        session.close()


def _refuse_far(found: Distance, tolerance: float) -> None:
    if not found.share <= tolerance:
        how = "shapes or whole numbers" if found.share == float("inf") else f"{found.share:.1g} of its largest number"
        raise EngineError(
            f"The exported network does not give what its original gives (output {found.where!r}, by {how}; "
            f"{tolerance:.1g} is allowed); nothing was written."
        )


def _operators(model: onnx.ModelProto) -> dict[str, int]:
    kinds = [node.op_type for node in model.graph.node]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))}


def _opset(model: onnx.ModelProto) -> int:
    return max((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), default=0)
