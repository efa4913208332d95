"""A converted Silero TE model that says what a test tells it to: each word piece has its classes in a table.

Inputs and outputs are those of the real one. A position that is masked says "!", so that an engine which reads one is
caught. Made with the onnx package alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

import onnx
from lowvox.engines.silero_te.layout import FACTS, MODEL, TOKENS, Facts, Rules
from lowvox.engines.silero_te.tokens import listed
from onnx import TensorProto, helper, numpy_helper
from replicas import te_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LANGUAGES = {"en": 0, "de": 1, "es": 2, "ru": 3}
NONE, STOP, COMMA, HYPHEN, SHOUT, ASK, DASH = range(7)
LOWER, CAPITAL, UPPER = range(3)
RULES = Rules(
    begin=2,
    end=3,
    unknown=1,
    letters="".join(sorted({letter for letter in te_tokens.LETTERS + te_tokens.STANDING_ALONE if ord(letter) > 126})),
    alone=te_tokens.STANDING_ALONE,
    longest=100,
    widest=8,
)


def build(
    folder: Path,
    marks: Mapping[str, int] | None = None,
    cases: Mapping[str, int] | None = None,
    languages: Mapping[str, int] | None = None,
    most: int = 512,
    heads: tuple[int, int] = (7, 3),
) -> Path:
    """Write a model folder; `marks` and `cases` are classes by piece, `languages` marks that a language adds to all."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = {piece: number for number, piece in enumerate(te_tokens.vocabulary())}
    punct, capital = (np.zeros((len(pieces), size), np.float32) for size in heads)
    spoken = np.zeros((4, heads[0]), np.float32)
    punct[:, NONE], capital[:, LOWER] = 1, 1
    for table, wanted, numbers in ((punct, marks, pieces), (capital, cases, pieces), (spoken, languages, LANGUAGES)):
        for name, number in (wanted or {}).items():
            table[numbers[te_tokens.escaped(name)], number] = 5
    (folder / MODEL).write_bytes(_graph(punct, capital, spoken))
    (folder / TOKENS).write_bytes(listed(pieces))
    sizes = {name: (folder / name).stat().st_size for name in (MODEL, TOKENS)}
    meaning = ("", ".", ",", "", "!", "?", "—")
    facts = Facts(LANGUAGES, meaning, ("lower", "capital", "upper"), most, RULES, sizes, "a stand-in", "none")
    (folder / FACTS).write_bytes(msgspec.json.encode(facts))
    return folder


def _graph(punct: Any, capital: Any, spoken: Any) -> bytes:
    shout = np.zeros(punct.shape[1], np.float32)
    shout[SHOUT] = 100
    weights = {"P": punct, "C": capital, "L": spoken, "shout": shout, "one": np.ones(1, np.float32)}
    weights["last"] = np.array([2], np.int64)
    nodes = [
        helper.make_node("Gather", ["P", "x"], ["said"]),
        helper.make_node("Gather", ["L", "lan"], ["spoken4"]),
        helper.make_node("Squeeze", ["spoken4", "last"], ["spoken"]),
        helper.make_node("Add", ["said", "spoken"], ["both"]),
        helper.make_node("Cast", ["att_mask"], ["there"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["there", "last"], ["seen"]),
        helper.make_node("Sub", ["one", "seen"], ["hidden"]),
        helper.make_node("Mul", ["hidden", "shout"], ["loud"]),
        helper.make_node("Add", ["both", "loud"], ["punct"]),
        helper.make_node("Gather", ["C", "x"], ["capital"]),
    ]
    inputs: dict[str, list[int | str]] = {"x": [1, "T"], "att_mask": [1, "T"], "lan": [1, 1, 1]}
    outputs: dict[str, list[int | str]] = {"punct": [1, "T", punct.shape[1]], "capital": [1, "T", capital.shape[1]]}
    graph = helper.make_graph(
        nodes,
        "replica",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
