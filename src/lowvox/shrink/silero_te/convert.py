"""A copy of Silero's text enhancement to ONNX: `lowvox shrink export silero-te`.

What goes in is the released torch.package, or its two TorchScript modules in files of their own; what comes out is a
folder that the engine `silero-te` runs without torch. It is written only when it was compared with its original.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from lowvox.engines.silero_te.engine import framed
from lowvox.engines.silero_te.layout import FACTS, MODEL, TOKENS, WEIGHTS, Facts, Rules
from lowvox.engines.silero_te.tokens import Tokenizer, Vocabulary
from lowvox.errors import DamagedError, EngineError, UsageError
from lowvox.models.disk import appearing
from lowvox.onnx.session import Session
from lowvox.shrink.export import torchscript
from lowvox.shrink.parity import Parity, compare
from lowvox.shrink.shipping.weights import split
from lowvox.shrink.silero_te import lowering
from lowvox.shrink.silero_te import rules as silero_te_rules
from lowvox.text.marks import DASH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lowvox.shrink.parity import Inputs, Network
    from lowvox.types import Case

LICENCE = "CC BY-NC(-SA) 4.0: not for commercial use"
LANGUAGES = {"en": 0, "de": 1, "es": 2, "ru": 3}
# By class. The fourth is a hyphen, which would make one word of two: lowvox never changes words, so it is no mark here.
_MARKS = ("", ".", ",", "", "!", "?", DASH)
_CASES: tuple[Case, ...] = ("lower", "capital", "upper")
_MOST = 512  # pieces
_INPUTS, _OUTPUTS = ("x", "att_mask", "lan"), ("punct", "capital")
_GROWING = {name: {1: "T"} for name in ("x", "att_mask", *_OUTPUTS)}
# How many ids: one word's, those around the shortest input, and the longest.
_LENGTHS = (3, 17, 18, 19, 60, 200, _MOST)
# In logits, where nothing is rounded. Where products round their input, as those of an 8-bit network do, a difference
# in the last digit of a float may move a number by one step of 127, and a deep network makes much of that: any two ways
# of running the file differ so. There one input at least has to go through without, and one class in 100 may change.
_TOLERANCE = 1e-3
_MOST_DIFFERING = 0.01


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted model: `size` is in bytes, `layers` how many of its layers are in 8 bits.

    `exact` compares the networks with no input rounded, `as_run` as they run; the latter is None where nothing is
    rounded anyway.
    """

    folder: Path
    size: int
    layers: int
    pieces: int
    exact: Parity
    as_run: Parity | None


def export(file: Path, folder: Path, tokenizer: Path | None = None) -> Converted:
    """Convert a model into `folder`, which may not hold anything yet.

    NotFoundError for missing files and packages, DamagedError for a file that is no such model or cannot be converted,
    UsageError where the tokenizer is missing, EngineError where the result is not the same: then nothing is written.
    """
    torchscript.require()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; choose another folder with -o.")
    found = [module for path in (file, tokenizer) if path for module in torchscript.modules(path)]
    words = _one(found, "convert_string_to_ids")
    if words is None and _one(found, "forward"):
        raise UsageError(f"{file} holds the network alone; name its tokenizer too: --tokenizer te_tokenizer_jit.pt.")
    network = _one([module for module in found if module is not words], "forward")
    if network is None or words is None:
        raise DamagedError(f"{file} is TorchScript, but not Silero's text enhancement; give its .pt file.")
    text, rules = silero_te_rules.learnt(words)
    return _written(_network(network, file), text, rules, file, folder)


def _one(modules: Sequence[Any], method: str) -> Any:
    """Return the first module that has a method."""
    return next((module for module in modules if method in module._c._method_names()), None)


def _network(module: Any, file: Path) -> Any:
    """Return the graph of a network after seeing that it takes and gives what Silero's does."""
    import torch

    try:
        graph = lowering.frozen(module)
        with torch.no_grad():
            heads = lowering.function(graph)(*_tensors(_given([2, 5, 3], "en")))
        sizes = [tuple(head.shape) for head in heads]
    except Exception as error:  # TorchScript raises RuntimeError for whatever happens in it
        first = (str(error).strip().splitlines() or [""])[-1][:200].rstrip(". ")
        raise DamagedError(
            f"The network in {file} does not run on the processor as Silero's does ({first})."
        ) from error
    if [len(size) for size in sizes] != [3, 3] or sizes[0][2] < len(_MARKS) or sizes[1][2] < len(_CASES):
        raise DamagedError(f"{file} is TorchScript, but not Silero's text enhancement: it gives {sizes}.")
    return graph


def _written(graph: Any, text: bytes, rules: Rules, file: Path, folder: Path) -> Converted:
    """Convert, compare and write beside the folder, then give it its name."""
    from lowvox import __version__

    with appearing(folder) as beside:
        (beside / TOKENS).write_bytes(text)
        inputs = list(_inputs(Tokenizer(Vocabulary(text), rules), rules, text.count(b"\n")))
        layers, exact, as_run = _converted(graph, inputs, beside)
        sizes = {path.name: path.stat().st_size for path in beside.iterdir()}
        source = f"{file.name}, converted by lowvox {__version__}"
        facts = Facts(LANGUAGES, _MARKS, _CASES, _MOST, rules, sizes, source, LICENCE)
        (beside / FACTS).write_bytes(msgspec.json.format(msgspec.json.encode(facts)))
    return Converted(folder, sum(sizes.values()), layers, text.count(b"\n"), exact, as_run)


def _converted(graph: Any, inputs: Sequence[Inputs], folder: Path) -> tuple[int, Parity, Parity | None]:
    """Write the network; return how many layers are in 8 bits, and how it compares."""
    original = _running(lowering.function(graph))
    layers = lowering.unpacked(graph)
    exact = _exported(graph, rounding=False)
    parity = _compared(_running(lowering.function(graph)), exact, inputs)
    if parity.max_difference > _TOLERANCE:
        raise _differs(f"logits by up to {parity.max_difference:.3g}")
    rounded = _exported(graph) if layers else exact
    split(rounded, folder / MODEL, folder / WEIGHTS)
    if not layers:
        return layers, parity, None
    as_run = _compared(original, folder / MODEL, inputs)
    if as_run.closest > _TOLERANCE or as_run.differing > _MOST_DIFFERING * as_run.classes:
        raise _differs(f"{as_run.differing} of {as_run.classes} classes, logits by {as_run.closest:.3g} at the least")
    return layers, parity, as_run


def _exported(graph: Any, *, rounding: bool = True) -> bytes:
    example = _tensors(_given(list(range(2, 22)), "de"))
    return lowering.exported(graph, example, _INPUTS, _OUTPUTS, _GROWING, rounding=rounding)


def _compared(original: Network, model: Path | bytes, inputs: Sequence[Inputs]) -> Parity:
    try:
        session = Session(model)
        try:
            with torchscript.alone():
                return compare(original, lambda given: session.run(given, _OUTPUTS), inputs)
        finally:
            session.close()
    except (DamagedError, EngineError) as error:
        raise EngineError(f"The converted model does not run, and was not written: {error}") from error


def _running(function: Any) -> Network:
    """Make a network of arrays of one of tensors."""
    import torch

    def run(given: Inputs) -> list[Any]:
        with torch.no_grad():
            return [head.numpy() for head in function(*_tensors(given))]

    return run


def _inputs(tokenizer: Tokenizer, rules: Rules, pieces: int) -> Iterator[Inputs]:
    """Yield what the two are compared on, by language: a sentence, and random pieces by length, padded and not."""
    dice = np.random.default_rng(0)
    for language in LANGUAGES:
        inner = [piece for word in silero_te_rules.sentences(language) for piece in tokenizer.pieces(word)]
        yield _given([rules.begin, *inner[: _MOST - 2], rules.end], language)
        for length in _LENGTHS:
            ids = [rules.begin, *dice.integers(1, pieces, length - 2).tolist(), rules.end]
            yield _given(ids, language)
            yield _given(ids, language, gap=0)


def _given(ids: Sequence[int], language: str, gap: int | None = None) -> dict[str, Any]:
    """Return the input of ids, with the gap that they get in use or with another."""
    x, mask = framed(ids, _MOST) if gap is None else framed(ids, _MOST, gap)
    return {"x": x, "att_mask": mask, "lan": np.array([[[LANGUAGES[language]]]], np.int64)}


def _tensors(given: Inputs) -> list[Any]:
    import torch

    return [torch.from_numpy(given[name]) for name in _INPUTS]


def _differs(how: str) -> EngineError:
    return EngineError(f"The converted model does not give what its original gives ({how}); nothing was written.")
