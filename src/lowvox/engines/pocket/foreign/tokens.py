"""The tokenizer as sherpa-onnx has it: `vocab.json` with the id of each piece, `token_scores.json` with its score.

How the model wants texts to be written is not in these files: they are taken as they are, as sherpa-onnx takes them.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

import msgspec

from lowvox.engines.pocket.foreign.layout import SCORES
from lowvox.engines.pocket.sentencepiece import SentencePiece
from lowvox.engines.pocket.sentencepiece_file import BYTE, CONTROL, NORMAL, UNKNOWN, File
from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from pathlib import Path

_UNKNOWN, _CONTROLS = "<unk>", ("<s>", "</s>", "<pad>")


def tokenizer(ids: bytes, folder: Path) -> SentencePiece:
    """Build a tokenizer of ids, and of the scores in a folder; DamagedError where they do not belong together."""
    try:
        found = msgspec.json.decode(ids, type=dict[str, int])
        scores = msgspec.json.decode((folder / SCORES).read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"The tokenizer is damaged ({error}); copy or pull the model again.") from error
    pieces = sorted(found, key=found.__getitem__)
    if [found[piece] for piece in pieces] != [*range(len(pieces))] or scores.keys() != found.keys():
        raise DamagedError(f"vocab.json and {SCORES} are not of one tokenizer; copy or pull the model again.")
    if _UNKNOWN not in found:
        raise DamagedError(f"vocab.json has no piece {_UNKNOWN}: that is no tokenizer of Pocket TTS; pull it again.")
    kinds = bytearray(map(_kind, pieces))
    return SentencePiece(
        File(pieces, array("f", [scores[piece] for piece in pieces]), kinds, spells=BYTE in kinds, squeeze=False)
    )


def _kind(piece: str) -> int:
    """Return of what kind a piece is, by its name."""
    if piece == _UNKNOWN:
        return UNKNOWN
    if piece in _CONTROLS:
        return CONTROL
    return BYTE if re.fullmatch(r"<0x[0-9A-F]{2}>", piece) else NORMAL
