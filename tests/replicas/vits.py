"""Stand-ins for Piper's voices, made with the onnx package alone: files, names, shapes and operators are true.

Weights are random, but a voice speaks: finite sound of 256 samples a frame, 1 to 4 frames for most phonemes, exactly
one at a length of 1e-4. `FULL` has the 36 M weights of a large voice. `vits2` puts attention into the flow.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from replicas import vits_parts as parts
from replicas.graphs import _Graph
from replicas.vits_parts import Shape

if TYPE_CHECKING:
    from pathlib import Path

TINY = Shape()
FULL = Shape(
    latent=192,
    hidden=256,
    wide=768,
    layers=6,
    flows=4,
    depth=4,
    speaker=512,
    channels=512,
    stages=((8, 16), (8, 16), (2, 4), (2, 4)),
    blocks=((3, (1, 3, 5)), (7, (1, 3, 5)), (11, (1, 3, 5))),
    paired=True,
)
HOP = 256

# In the order of their ids, from 0.
_IPA = (
    "_^$ !'(),-.:;?abcdefhijklmnopqrstuvwxy"
    "zæçðøħŋœǀǁǂǃɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒʔʕʘʙʛʜʝʟʡʢʲ"
    'ˈˌːˑ˞βθχᵻⱱ0123456789\u0327\u0303\u032a\u032f\u0329ʰˤε↓#"↑\u033a\u033bgʦX\u031d\u030aɝʷ'
)
_PAIRS = ("aɪ", "aʊ", "ɔɪ", "eɪ", "oʊ")
# The last two are what й and ё leave behind when they are taken apart, as they are before they are looked up.
_LETTERS = "_^$ !'(),-.:;?abcdefghijklmnopqrstuvwxyzабвгдежзийклмнопрстуфхцчшщъыьэюя\u0306\u0308"


def graph(
    shape: Shape = TINY, speakers: int = 1, *, vits2: bool = False, alignment: bool = False, seed: int = 0
) -> bytes:
    """Return a voice's graph; with `alignment` its second output has the frames of each phoneme."""
    made = _Graph(random=np.random.default_rng(seed), biases=True)
    by, told = parts.scales(made), parts.speaker(made, shape, speakers)
    x, means, deviations, mask = parts.text(made, shape)
    frames = parts.durations(made, shape, x, mask, told, by)
    z, sounding = parts.regulate(made, frames, mask, means, deviations, by)
    z = parts.flow(made, shape, z, sounding, told, vits2)
    sound = parts.decoder(made, shape, made.add("Mul", [z, sounding]), told)
    made.add("Unsqueeze", [sound, made.constant([1])], "output")
    inputs: dict[str, list[int | str]] = {
        "input": ["batch_size", "phonemes"],
        "input_lengths": ["batch_size"],
        "scales": [3],
    }
    # Piper's own export calls the third axis `time`, which is 1, and has no name for the last.
    outputs: dict[str, list[int | str]] = {"output": ["batch_size", 1, "time", "last"]}
    if speakers > 1:
        inputs["sid"] = [1]
    if alignment:
        outputs[frames] = ["batch_size", 1, "phonemes"]
    return made.model(inputs, outputs, whole=("input", "input_lengths", "sid"), opset=15)


def voice(
    folder: Path,
    name: str = "en_US-test-medium",
    phonemes: Literal["espeak", "text"] = "espeak",
    speakers: int = 1,
    *,
    rate: int = 16000,
    shape: Shape = TINY,
    vits2: bool = False,
    alignment: bool = False,
    seed: int = 0,
) -> Path:
    """Write NAME.onnx and NAME.onnx.json and return the path of the first; `name` begins with the language's code."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(graph(shape, speakers, vits2=vits2, alignment=alignment, seed=seed))
    described = config(name, phonemes, speakers, rate=rate, symbols=shape.symbols)
    path.with_name(f"{name}.onnx.json").write_text(json.dumps(described, ensure_ascii=False, indent=2), "utf-8")
    return path


def config(
    name: str, phonemes: Literal["espeak", "text"], speakers: int = 1, *, rate: int = 16000, symbols: int = 256
) -> dict[str, Any]:
    """Return what a voice's json holds."""
    code, dataset, quality = name.split("-")
    family, region = code.split("_")
    known = [*_LETTERS] if phonemes == "text" else [*_IPA, *_PAIRS]
    return {
        "audio": {"sample_rate": rate, "quality": quality},
        "espeak": {"voice": "en-us" if family == "en" else family},
        "language": {"code": code, "family": family, "region": region},
        "dataset": dataset,
        "phoneme_type": phonemes,
        "phoneme_map": {},
        "phoneme_id_map": {phoneme: [number] for number, phoneme in enumerate(known)},
        "num_symbols": symbols,
        "num_speakers": speakers,
        "speaker_id_map": {f"speaker{number}": number for number in range(speakers)} if speakers > 1 else {},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "piper_version": "1.8.0",
        "hop_length": HOP,
    }
