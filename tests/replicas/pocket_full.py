"""A model of Pocket TTS of its true size with random weights, for every configuration that the package ships.

Written as the package's own files: YAML, weights, and a tokenizer of either kind, trained on made-up words. Needs
pocket-tts, which brings torch, sentencepiece and tokenizers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path


def build(folder: Path, name: str, flow: str | None = None, seed: int = 0) -> Path:
    """Write the configuration `name`, with another type of flow if one is named; return the YAML file."""
    import torch
    import yaml

    shipped = import_module("pocket_tts.utils.config").CONFIGS_DIR
    told = yaml.safe_load((shipped / f"{name}.yaml").read_text("utf-8"))
    for key in ("weights_path", "weights_path_without_voice_cloning"):
        told.pop(key, None)
    if flow:
        told["flow_lm"]["flow"]["type"] = flow
    table = told["flow_lm"]["lookup_table"]
    table["tokenizer_path"] = str(tokenizer(folder, table["n_bins"], table["tokenizer"]))
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(told, allow_unicode=True), "utf-8")
    torch.manual_seed(seed)
    model = import_module("pocket_tts").TTSModel.load_model(config=file)
    weights = _varied(model.state_dict())
    import_module("safetensors.torch").save_file(weights, folder / "model.safetensors")
    file.write_text(
        yaml.safe_dump({**told, "weights_path": str(folder / "model.safetensors")}, allow_unicode=True), "utf-8"
    )
    return file


def _varied(weights: dict[str, Any]) -> dict[str, Any]:
    """Make something of what the package leaves at nothing: the speaker's projection and the latents' scale."""
    import torch

    speaker = weights["flow_lm.speaker_proj_weight"]
    weights["flow_lm.speaker_proj_weight"] = torch.randn_like(speaker) * speaker.shape[1] ** -0.5
    weights["flow_lm.emb_std"] = torch.rand_like(weights["flow_lm.emb_std"]) + 0.5
    weights["flow_lm.emb_mean"] = torch.randn_like(weights["flow_lm.emb_mean"]) * 0.1
    return {key: value.contiguous() for key, value in weights.items()}


def tokenizer(folder: Path, size: int, kind: str = "sentencepiece") -> Path:
    """Train a tokenizer of so many pieces on made-up words; "tokenizers" writes the other kind of the same."""
    text = folder / "words.txt"
    text.write_text("\n".join(_words(6000)), "utf-8")
    sentencepiece = import_module("sentencepiece")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=size,
        byte_fallback=size > 300,
        num_threads=1,
        minloglevel=2,
    )
    model = folder / "tokenizer.model"
    return model if kind == "sentencepiece" else _json(model)


def _json(model: Path) -> Path:
    """Write a SentencePiece model as tokenizer.json."""
    library = import_module("tokenizers")
    proto = import_module("sentencepiece.sentencepiece_model_pb2").ModelProto()
    proto.ParseFromString(model.read_bytes())
    pieces = [(piece.piece, piece.score) for piece in proto.pieces]
    made = library.Tokenizer(library.models.Unigram(pieces, unk_id=proto.trainer_spec.unk_id, byte_fallback=True))
    normalizers = library.normalizers
    cleaned = [normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)]
    made.normalizer = normalizers.Sequence([*cleaned, normalizers.Replace(library.Regex(" {2,}"), " ")])
    made.pre_tokenizer = library.pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    made.decoder = library.decoders.Metaspace(replacement="▁", prepend_scheme="always")
    file = model.with_suffix(".json")
    made.save(str(file))
    return file


def _words(lines: int) -> list[str]:
    """Return lines of words that nobody knows, of syllables that anybody can say."""
    dice = np.random.default_rng(0)
    heads, tails = [*"bcdfghklmnprstvw", "ch", "sh", "st", "tr"], ["", *"nrslm"]

    def word() -> str:
        return "".join(
            heads[dice.integers(len(heads))] + "aeiou"[dice.integers(5)] + tails[dice.integers(6)]
            for _ in range(dice.integers(1, 5))
        )

    marks = ".!?,;:"
    return [
        " ".join(word() for _ in range(dice.integers(4, 12))).capitalize() + marks[dice.integers(6)]
        for _ in range(lines)
    ]
