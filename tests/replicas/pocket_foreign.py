"""Stand-ins for exports of Pocket TTS by others: the names, ranks, order and types of the true ones, small sizes.

Numbers mean something: the backbone attends to all that it has read and heard, with positions, so that a state that is
lost, mixed up or of another position is heard; the decoder adds up what was before. Written with onnx alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

import onnx
from onnx import TensorProto, helper, numpy_helper
from replicas import pocket_tokens

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LATENT, WIDTH, HEADS, LAYERS, CAPACITY, FRAME, RING = 4, 8, 2, 2, 1000, 1920, 12
SIZE = WIDTH // HEADS
_KINDS = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "int64": TensorProto.INT64}
_KINDS |= {"bool": TensorProto.BOOL}
Sizes = tuple[int | str, ...]


@dataclass
class Graph:
    """A graph under construction."""

    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def take(self, name: str, kind: str, shape: Sizes) -> str:
        """Add an input."""
        self.inputs.append(helper.make_tensor_value_info(name, _KINDS[kind], shape))
        return name

    def give(self, made: str, name: str, kind: str, shape: Sizes) -> None:
        """Add an output, a copy of what was made."""
        self.nodes.append(helper.make_node("Identity", [made], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, _KINDS[kind], shape))

    def weight(self, array: NDArray[Any]) -> str:
        """Add a constant."""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def ints(self, *numbers: int) -> str:
        """Add a constant of positions or sizes."""
        return self.weight(np.array(numbers, np.int64))

    def op(self, kind: str, *given: str, **told: Any) -> str:
        """Add a node and return what it makes."""
        out = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [*given], [out], **told))
        return out

    def write(self, file: Path) -> None:
        """Write a file."""
        graph = helper.make_graph(self.nodes, "replica", self.inputs, self.outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, file)


@dataclass
class Kind:
    """Whose export it is: what its files are called, how it keeps keys and values, and what it leaves out."""

    names: dict[str, str]
    halves: bool = False  # keys and values apart, in float16, and results without a batch
    rows: bool = False  # heads first, and only the rows of a run come out
    grows: bool = False  # the length of an array is the position as well
    stuck: bool = False  # the position never moves
    capacity: int = CAPACITY
    layers: int = LAYERS
    folder: str = ""


_PLAIN = {"backbone": "flow_lm_main", "flow": "flow_lm_flow", "decoder": "mimi_decoder", "encoder": "mimi_encoder"}
_SHERPA = {"backbone": "lm_main", "flow": "lm_flow", "decoder": "decoder", "encoder": "encoder"}
_TEXT = {"text": "text_conditioner"}
KEVIN = Kind({**_PLAIN, **_TEXT}, folder="onnx")
GROWING = Kind({**_PLAIN, **_TEXT}, grows=True)
LOOKBE = Kind({**_PLAIN, **_TEXT}, halves=True)
DELTA = Kind({**_PLAIN, **_TEXT}, halves=True, rows=True)
SHERPA = Kind({name: f"{stem}.int8" for name, stem in _SHERPA.items()} | {"encoder": "encoder"} | _TEXT)


def build(folder: Path, kind: Kind = KEVIN, *, seed: int = 0, size: int = 300, encoder: bool = True) -> Path:
    """Write an export into a folder, with its tokenizer."""
    graphs = folder / kind.folder
    graphs.mkdir(parents=True, exist_ok=True)
    dice = np.random.default_rng(seed)
    made = {"backbone": _backbone(dice, kind), "flow": _flow(dice, kind), "decoder": _decoder(dice, kind)}
    made["text"] = _text(dice, size)
    made["encoder"] = _encoder(dice)
    for name, graph in made.items():
        if name != "encoder" or encoder:
            graph.write(graphs / f"{kind.names[name]}.onnx")
    if kind is SHERPA:
        _scores(folder, size)
    else:
        pocket_tokens.written(folder, size=size)
    return folder


def bundle(folder: Path, **other: Any) -> None:
    """Write a `bundle.json` beside the graphs, and what is heard before a voice."""
    np.save(folder / "bos_before_voice.npy", np.linspace(-1, 1, WIDTH, dtype=np.float32).reshape(1, 1, WIDTH))
    told = {
        "schema_version": 2,
        "language": "french_24l",
        "sample_rate": 24000,
        "frame_rate": 12.5,
        "samples_per_frame": FRAME,
        "latent_dim": LATENT,
        "conditioning_dim": WIDTH,
        "tokenizer_file": "tokenizer.model",
        "bos_before_voice_file": "bos_before_voice.npy",
        "insert_bos_before_voice": True,
        "pad_with_spaces_for_short_inputs": False,
        "remove_semicolons": True,
        "model_recommended_frames_after_eos": None,
        "max_token_per_chunk": 40,
        "predefined_voices": ["alba"],
        "flow_lm_state_manifest": [
            {"index": 0, "input_name": "state_0", "output_name": "out_state_0", "module": "m", "key": "cache",
             "path": "m/cache", "shape": [2, 1, CAPACITY, HEADS, SIZE], "dtype": "float32", "fill": "nan"},
        ],
        "mimi_state_manifest": [],
    }  # fmt: skip
    (folder / "bundle.json").write_text(json.dumps(told | other))


def _scores(folder: Path, size: int) -> None:
    pieces = pocket_tokens.pieces(size)
    (folder / "vocab.json").write_text(json.dumps({text: at for at, (text, _, _) in enumerate(pieces)}))
    (folder / "token_scores.json").write_text(json.dumps({text: score for text, score, _ in pieces}))


def _random(dice: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    made: NDArray[np.float32] = (dice.standard_normal(shape) / shape[0] ** 0.5).astype(np.float32)
    return made


def _backbone(dice: np.random.Generator, kind: Kind) -> Graph:
    """Attend to all that came, with room for all positions; only the last place of a run is asked for."""
    graph = Graph()
    sequence = graph.take("sequence", "float32", (1, "frames", LATENT))
    text = graph.take("text_embeddings", "float32", (1, "tokens", WIDTH))
    begun = graph.op("Where", graph.op("IsNaN", sequence), graph.weight(_random(dice, LATENT)), sequence)
    x = graph.op("Concat", text, graph.op("MatMul", begun, graph.weight(_random(dice, LATENT, WIDTH))), axis=1)
    made: list[tuple[str, str, Sizes]] = []
    for layer in range(kind.layers):
        x, states = _layer(graph, dice, kind, layer, x)
        made += states
    last = graph.op("Gather", x, graph.weight(np.array(-1)), axis=1)
    end = graph.op("MatMul", last, graph.weight(_random(dice, WIDTH, 1)))
    for name, out, size in (("conditioning", last, WIDTH), ("eos_logit", end, 1)):
        bare = graph.op("Squeeze", out, graph.ints(0)) if kind.halves else out
        graph.give(bare, name, "float32", (size,) if kind.halves else (1, size))
    for at, (out, what, shape) in enumerate(made):
        graph.give(out, f"out_state_{at}", what, shape)
    return graph


def _layer(
    graph: Graph, dice: np.random.Generator, kind: Kind, layer: int, x: str
) -> tuple[str, list[tuple[str, str, Sizes]]]:
    """Add a layer and its three states; returns what it makes, and the states with their types and shapes."""
    heads = graph.ints(1, -1, HEADS, SIZE)
    q, k, v = (
        graph.op("Reshape", graph.op("MatMul", x, graph.weight(_random(dice, WIDTH, WIDTH))), heads) for _ in range(3)
    )
    names = [f"state_{3 * layer + at}" for at in range(3)]
    caches = _taken(graph, kind, names)
    step = graph.take(names[2], "int64", (1,))
    end = graph.op("Add", step, graph.op("Shape", x, start=1, end=2))
    places = _range(graph, graph.op("Squeeze", step), graph.op("Squeeze", end))
    # A key knows its position, so that one at a wrong place is heard.
    turned = graph.op("Sin", graph.op("Cast", places, to=TensorProto.FLOAT))
    k = graph.op("Add", k, graph.op("Reshape", turned, graph.ints(1, -1, 1, 1)))
    seen, made = (_halves if kind.halves else _whole)(graph, kind, caches, places, (k, v))
    seen = [graph.op("Slice", rows, graph.ints(0), end, graph.ints(0)) for rows in seen]
    everything = graph.op("Reshape", _range(graph, graph.weight(np.array(0)), graph.op("Squeeze", end)),
                          graph.ints(1, -1))  # fmt: skip
    mask = graph.op("LessOrEqual", everything, graph.op("Reshape", places, graph.ints(-1, 1)))
    mixed = _attended(graph, q, seen, mask)
    return graph.op("Tanh", graph.op("Add", x, mixed)), [*made, (step if kind.stuck else end, "int64", (1,))]


def _taken(graph: Graph, kind: Kind, names: list[str]) -> list[str]:
    if kind.halves:
        shape = (1, HEADS, kind.capacity, SIZE) if kind.rows else (1, kind.capacity, HEADS, SIZE)
        return [graph.take(name, "float16", shape) for name in names[:2]]
    cache = graph.take(names[0], "float32", (2, 1, kind.capacity, HEADS, SIZE))
    return [cache, graph.take(names[1], "float32", ("length" if kind.grows else 0,))]


def _whole(
    graph: Graph, kind: Kind, caches: list[str], places: str, fresh: tuple[str, str]
) -> tuple[list[str], list[tuple[str, str, Sizes]]]:
    """Keys and values in one, [2, 1, positions, heads, size], and an array of no or of as many numbers."""
    both = graph.op("Concat", *(graph.op("Unsqueeze", each, graph.ints(0)) for each in fresh), axis=0)
    whole = _written(graph, caches[0], places, both, 2)
    seen = [graph.op("Squeeze", graph.op("Gather", whole, graph.weight(np.array(at)), axis=0), graph.ints(0))
            for at in range(2)]  # fmt: skip
    ends = caches[1]
    if kind.grows:
        ends = graph.op("Concat", ends, graph.op("ConstantOfShape", graph.op("Shape", places)), axis=0)
    shape = (2, 1, kind.capacity, HEADS, SIZE)
    return seen, [(whole, "float32", shape), (ends, "float32", ("grown" if kind.grows else 0,))]


def _halves(
    graph: Graph, kind: Kind, caches: list[str], places: str, fresh: tuple[str, str]
) -> tuple[list[str], list[tuple[str, str, Sizes]]]:
    """Keys and values apart in float16, [1, positions, heads, size], or heads first."""
    seen, made = [], []
    for cache, rows in zip(caches, fresh, strict=True):
        half = graph.op("Cast", rows, to=TensorProto.FLOAT16)
        if kind.rows:
            half = graph.op("Transpose", half, perm=[0, 2, 1, 3])
        whole = _written(graph, cache, places, half, 2 if kind.rows else 1)
        table = graph.op("Squeeze", graph.op("Cast", whole, to=TensorProto.FLOAT), graph.ints(0))
        seen.append(graph.op("Transpose", table, perm=[1, 0, 2]) if kind.rows else table)
        shape: Sizes = (1, HEADS, "new", SIZE) if kind.rows else (1, kind.capacity, HEADS, SIZE)
        made.append((half if kind.rows else whole, "float16", shape))
    return seen, made


def _written(graph: Graph, cache: str, places: str, rows: str, axis: int) -> str:
    """Write rows at their places along an axis."""
    rank = graph.op("Shape", rows)
    ones = graph.op("ConstantOfShape", graph.op("Shape", rank), value=numpy_helper.from_array(np.array([1])))
    sizes = graph.op("ScatterElements", ones, graph.ints(axis), graph.ints(-1))
    index = graph.op("Expand", graph.op("Reshape", places, sizes), rank)
    return graph.op("ScatterElements", cache, index, rows, axis=axis)


def _attended(graph: Graph, q: str, seen: list[str], mask: str) -> str:
    """Mix values by how keys match; rows are [n, heads, size]."""
    q = graph.op("Transpose", graph.op("Squeeze", q, graph.ints(0)), perm=[1, 0, 2])
    scores = graph.op("MatMul", q, graph.op("Transpose", seen[0], perm=[1, 2, 0]))
    scores = graph.op("Where", mask, scores, graph.weight(np.array(-1e9, np.float32)))
    mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), graph.op("Transpose", seen[1], perm=[1, 0, 2]))
    return graph.op("Reshape", graph.op("Transpose", mixed, perm=[1, 0, 2]), graph.ints(1, -1, WIDTH))


def _range(graph: Graph, begin: str, end: str) -> str:
    return graph.op("Range", begin, end, graph.weight(np.array(1)))


def _flow(dice: np.random.Generator, kind: Kind) -> Graph:
    graph = Graph()
    batch: Sizes = (1,) if kind.halves else ("batch",)
    condition = graph.take("c", "float32", (WIDTH,) if kind.halves else ("batch", WIDTH))
    times = [graph.take(name, "float32", (*batch, 1)) for name in "st"]
    x = graph.take("x", "float32", (*batch, LATENT))
    mixed = graph.op("MatMul", condition, graph.weight(_random(dice, WIDTH, LATENT)))
    for time, share in zip(times, (0.25, 0.5), strict=True):
        mixed = graph.op("Add", mixed, graph.op("Mul", time, graph.weight(np.array(share, np.float32))))
    graph.give(graph.op("Tanh", graph.op("Sub", mixed, x)), "flow_dir", "float32", (*batch, LATENT))
    return graph


def _text(dice: np.random.Generator, size: int) -> Graph:
    graph = Graph()
    ids = graph.take("token_ids", "int64", (1, "tokens"))
    table = graph.weight(_random(dice, size + 1, WIDTH) * 30)
    graph.give(graph.op("Gather", table, ids), "embeddings", "float32", (1, "tokens", WIDTH))
    return graph


def _encoder(dice: np.random.Generator) -> Graph:
    """Hear each frame, and a little of the one before."""
    graph = Graph()
    audio = graph.take("audio", "float32", (1, 1, "samples"))
    frames = graph.op("Reshape", audio, graph.ints(1, -1, FRAME))
    heard = graph.op("MatMul", frames, graph.weight(_random(dice, FRAME, WIDTH)))
    before = graph.op("Slice", graph.op("Pad", heard, graph.ints(0, 1, 0, 0, 0, 0)), graph.ints(0), graph.ints(-1),
                      graph.ints(1))  # fmt: skip
    half = graph.op("Mul", before, graph.weight(np.array(0.5, np.float32)))
    graph.give(graph.op("Add", heard, half), "latents", "float32", (1, "frames", WIDTH))
    return graph


def _decoder(dice: np.random.Generator, kind: Kind) -> Graph:
    """A convolution, a ring of what was before, what hangs over from the last frame, and what only hears."""
    graph = Graph()
    latent = graph.take("latent", "float32", (1, "frames", LATENT))
    ring: Sizes = (2, 1, HEADS, RING, LATENT // HEADS)
    first = graph.take("state_0", "bool", (1,))
    previous = graph.take("state_1", "float32", (1, LATENT, 2))
    nothing = graph.take("state_2", "float32", (1, LATENT, 0))
    partial = graph.take("state_3", "float32", (1, 1, 5))
    cache = graph.take("state_4", "float32", ring)
    ended = graph.take("state_5", "int64", (1,))
    offset = graph.take("state_6", "int64", (1,))
    hearing = graph.take("state_7", "float32", ring)
    x = graph.op("Concat", previous, graph.op("Transpose", latent, perm=[0, 2, 1]), axis=2)
    count = graph.op("Shape", latent, start=1, end=2)
    x = graph.op("Transpose", x, perm=[0, 2, 1])
    left = graph.op("Transpose", graph.op("Slice", x, graph.ints(-2), graph.ints(2**31), graph.ints(1)), perm=[0, 2, 1])
    y = graph.op("Add", latent, graph.op("Slice", x, graph.ints(0), count, graph.ints(1)))
    end = graph.op("Add", ended, count)
    places = graph.op("Mod", _range(graph, graph.op("Squeeze", ended), graph.op("Squeeze", end)), graph.ints(RING))
    rows = graph.op("Transpose", graph.op("Reshape", y, graph.ints(1, -1, HEADS, LATENT // HEADS)), perm=[0, 2, 1, 3])
    both = graph.op("Unsqueeze", rows, graph.ints(0))
    filled = _written(graph, cache, places, graph.op("Concat", both, both, axis=0), 3)
    past = graph.op("Reshape", graph.op("ReduceSum", filled, graph.ints(0, 3), keepdims=0), graph.ints(1, 1, LATENT))
    time = graph.op("Sin", graph.op("Cast", offset, to=TensorProto.FLOAT))
    # The flag is heard too: a true one is the first release's.
    said = graph.op(
        "Add", graph.op("Add", y, past), graph.op("Add", time, graph.op("Cast", first, to=TensorProto.FLOAT))
    )
    sound = graph.op("MatMul", graph.op("Tanh", said), graph.weight(_random(dice, LATENT, FRAME) * 0.05))
    sound = graph.op("Reshape", sound, graph.ints(1, 1, -1))
    begin = graph.op("Add", graph.op("Slice", sound, graph.ints(0), graph.ints(5), graph.ints(2)), partial)
    rest = graph.op("Slice", sound, graph.ints(5), graph.ints(2**31), graph.ints(2))
    audio = graph.op("Concat", begin, rest, axis=2)
    hangs = graph.op("Slice", audio, graph.ints(-5), graph.ints(2**31), graph.ints(2))
    graph.give(graph.op("Reshape", audio, graph.ints(-1)) if kind.halves else audio, "audio_frame", "float32",
               ("samples",) if kind.halves else (1, 1, "samples"))  # fmt: skip
    later = graph.op("Add", offset, graph.op("Mul", count, graph.ints(16)))
    states: list[tuple[str, str, Sizes]] = [
        (first, "bool", (1,)), (left, "float32", (1, LATENT, 2)), (nothing, "float32", (1, LATENT, 0)),
        (hangs, "float32", (1, 1, 5)), (filled, "float32", ring), (end, "int64", (1,)), (later, "int64", (1,)),
        (hearing, "float32", ring),
    ]  # fmt: skip
    for at, (made, what, shape) in enumerate(states):
        graph.give(made, f"out_state_{at}", what, shape)
    return graph
