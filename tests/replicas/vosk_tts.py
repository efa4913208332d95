"""Stand-ins for the voices of vosk-tts, made with the onnx package alone: files, names, shapes and inputs are true.

Weights are random and every input is heard. `KINDS` are the families of these voices; a folder of each has a graph, a
config, a dictionary of a few words, and a BERT where its family has one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import onnx
from replicas import vits_parts as parts
from replicas.graphs import _Graph
from replicas.vits_parts import Shape

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 768
HOP = 256


@dataclass(frozen=True, slots=True)
class Kind:
    """What a family of voices reads; `type` is its config's model_type, `bert` whether meaning is told."""

    type: str | None = None
    bert: bool = False
    no_blank: int | None = None

    @property
    def multi(self) -> bool:
        return self.type is not None

    @property
    def longer(self) -> bool:
        return self.type == "multistream_v3"


KINDS = {
    "single": Kind(),
    "bert": Kind(bert=True),
    "no blank": Kind(bert=True, no_blank=1),
    "v1": Kind("multistream_v1", bert=True),
    "v2": Kind("multistream_v2", bert=True),
    "v3": Kind("multistream_v3", bert=True),
}
WORDS = """\
привет 1.0 p rj i0 vj e1 t
мир 1.0 mj i1 r
замок 0.4 z a0 m o1 k
замок 0.6 z a1 m o0 k
и 1.0 i0
"""
_MARKS = "_^$ !'(),-.:;?"
_MARKS_OF_STREAMS = ("_", "^", "$", " ", "!", '"', "(", ")", ",", "-", ".", "...", ":", ";", "?")
_VOICED = "a0 a1 b bj c ch d dj e0 e1 f fj g gj h hj i0 i1 j k kj l lj m mj n nj o0 o1 p pj r rj s sch sh sj t tj"
_PHONES = f"{_VOICED} u0 u1 v vj y0 y1 z zh zj".split()


def symbols(kind: Kind) -> dict[str, Any]:
    """Return a phoneme_id_map: lists of one in the oldest voices, four places of each phoneme in the newest."""
    if not kind.multi:
        known = [*_MARKS, *_PHONES]
        return {one: number if kind.bert else [number] for number, one in enumerate(known)}
    placed = [f"{phone}_{place}" for phone in _PHONES for place in "ISBE"]
    return {
        one: at for at, one in enumerate([*_MARKS_OF_STREAMS, *(_PHONES if kind.type == "multistream_v1" else placed)])
    }


def config(kind: Kind, speakers: int = 5) -> dict[str, Any]:
    """Return what config.json holds."""
    known = symbols(kind)
    described = {
        "audio": {"sample_rate": 22050},
        "inference": {"noise_level": 0.5, "speech_rate": 1, "duration_noise_level": 0.8},
        "phoneme_map": {},
        "phoneme_id_map": known,
        "num_symbols": len(known),
        "num_speakers": speakers,
        "speaker_id_map": {},
        "model_type": kind.type,
        "no_blank": kind.no_blank,
    }
    return {key: value for key, value in described.items() if value is not None}


def graph(
    kind: Kind, speakers: int = 5, *, rank: int = 4, vits2: bool = True, seed: int = 0, shape: Shape | None = None
) -> bytes:
    """Return a voice's graph, whose sound has so many axes."""
    made, shape = _Graph(random=np.random.default_rng(seed), biases=True), shape or Shape()
    by, told = parts.scales(made), parts.speaker(made, shape, speakers)
    if kind.multi:
        made.add("Gather", ["streams", made.constant(0)], "input", axis=1)
    x, means, deviations, mask = parts.text(made, shape)
    for seen in _more(made, shape, kind):
        x = made.add("Add", [x, seen])
        means = made.add("Add", [means, made.conv(seen, shape.hidden, shape.latent)])
    frames = parts.durations(made, shape, x, mask, told, by)
    if kind.longer:
        frames = made.add("Add", [frames, made.add("Unsqueeze", ["phone_duration_extra", made.constant([1])])])
    z, sounding = parts.regulate(made, frames, mask, means, deviations, by)
    z = parts.flow(made, shape, z, sounding, told, vits2)
    _ended(made, parts.decoder(made, shape, made.add("Mul", [z, sounding]), told), rank)
    return _renamed(made, kind, rank)


def bert(pieces: int, *, width: int = WIDTH) -> bytes:
    """Return a BERT's graph: each vector depends on its own piece and on all others."""
    made = _Graph()
    table = made.weight((pieces, width), 4)
    each = made.add("Gather", [table, made.add("Squeeze", ["input_ids", made.constant([0])])])
    made.add("Add", [each, made.add("ReduceMean", [each], axes=[0])], "logits")
    inputs: dict[str, list[int | str]] = {
        name: ["batch", "sequence"] for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    return made.model(inputs, {"logits": ["sequence", width]}, whole=tuple(inputs), opset=15)


def vocabulary(*words: str) -> list[str]:
    """Return pieces by their numbers: each Russian letter, alone and inside a word, marks, and these words."""
    letters = [*"абвгдежзийклмнопрстуфхцчшщъыьэюя", "ё"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return [*special, *letters, *(f"##{one}" for one in letters), *'-,.?!;:"()', *words]


def voice(
    folder: Path,
    name: str = "single",
    speakers: int = 5,
    *,
    words: str = WORDS,
    rank: int = 4,
    vits2: bool = True,
    told: dict[str, Any] | None = None,
    shape: Shape | None = None,
) -> Path:
    """Write a folder of a kind by its name and return it; `told` goes over what the config says."""
    kind = KINDS[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(graph(kind, speakers, rank=rank, vits2=vits2, shape=shape))
    (folder / "dictionary").write_text(words, "utf-8")
    described = config(kind, speakers) | (told or {})
    (folder / "config.json").write_text(json.dumps(described, ensure_ascii=False, indent=1), "utf-8")
    if kind.bert:
        pieces = vocabulary("привет", "за", "##мок")
        (folder / "bert").mkdir(exist_ok=True)
        (folder / "bert" / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), "utf-8")
        (folder / "bert" / "model.onnx").write_bytes(bert(len(pieces)))
    return folder


def _more(made: _Graph, shape: Shape, kind: Kind) -> list[str]:
    """Return what is told besides phonemes, each [1, H, T]."""
    found = []
    for row in range(1, 5) if kind.multi else ():
        chosen = made.add("Gather", ["streams", made.constant(row)], axis=1)
        each = made.add("Gather", [made.weight((shape.symbols, shape.hidden), 4), chosen])
        found.append(made.add("Transpose", [each], perm=[0, 2, 1]))
    return [*found, made.conv("bert", WIDTH, shape.hidden)] if kind.bert else found


def _ended(made: _Graph, sound: str, rank: int) -> None:
    """Give the sound its axes: three as it comes, one less or one more."""
    if rank == 3:
        made.add("Identity", [sound], "output")
    else:
        made.add("Squeeze" if rank == 2 else "Unsqueeze", [sound, made.constant([1])], "output")


def _renamed(made: _Graph, kind: Kind, rank: int) -> bytes:
    """Return the model; what was called `streams` while it was built is its input."""
    inputs: dict[str, list[int | str]] = {
        "streams" if kind.multi else "input": ["batch", 5, "T"] if kind.multi else ["batch", "T"],
        "input_lengths": ["batch"],
        "scales": [3],
        "sid": [1],
    }
    if kind.bert:
        inputs["bert"] = [1, WIDTH, "T"]
    if kind.longer:
        inputs["phone_duration_extra"] = [1, "T"]
    output: list[int | str] = ["batch", *[1] * (rank - 2), "samples"]
    data = made.model(inputs, {"output": output}, whole=("streams", "input", "input_lengths", "sid"), opset=15)
    if not kind.multi:
        return data
    model, names = onnx.load_model_from_string(data), {"input": "phonemes", "streams": "input"}
    for node in model.graph.node:
        for side in (node.input, node.output):
            side[:] = [names.get(one, one) for one in side]
    model.graph.input[0].name = "input"
    return bytes(model.SerializeToString())
