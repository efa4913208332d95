"""How Vosk model folders are laid out: found out by looking, without importing Vosk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lowvox.errors import DamagedError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

# Folders of optional parts: once a part is there, all of these files are (Vosk would end the process, or load a model
# whose network waits for i-vectors that never come).
_PARTS = {
    "ivector": ("final.ie", "final.dubm", "final.mat", "global_cmvn.stats", "online_cmvn.conf", "splice.conf"),
    "rescore": ("G.carpa", "G.fst"),
    "rnnlm": ("final.raw", "feat_embedding.final.mat", "special_symbol_opts.conf", "word_feats.txt"),
}
_LOOKAHEAD = ("HCLr.fst", "Gr.fst", "disambig_tid.int")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a Vosk model folder is laid out.

    `version` 1 is flat, 2 has am/, conf/ and graph/. A `static` graph is one big file, a `lookahead` graph is composed
    at run time (small models). `parts` are the optional ones that are there: ivector, rescore, rnnlm.
    """

    version: Literal[1, 2]
    graph: Literal["static", "lookahead"]
    parts: tuple[str, ...]


def layout(path: Path) -> Layout:
    """Look at a model folder; NotFoundError when it is no Vosk model, DamagedError names the files that are missing."""
    if any((path / mark).exists() for mark in ("am/final.mdl", "conf/model.conf", "graph/HCLG.fst", "graph/HCLr.fst")):
        version: Literal[1, 2] = 2
        needed, conf, graph = ["am/final.mdl", "conf/model.conf"], "conf/", "graph/"
    elif any((path / mark).exists() for mark in ("final.mdl", "mfcc.conf", "HCLG.fst", "HCLr.fst")):
        version, needed, conf, graph = 1, ["final.mdl"], "", ""
    else:
        raise NotFoundError(f"{path} holds no Vosk model.")
    needed.append(f"{conf}fbank.conf" if (path / f"{conf}fbank.conf").exists() else f"{conf}mfcc.conf")
    lookahead = any((path / graph / name).exists() for name in _LOOKAHEAD)
    needed += [graph + name for name in (_LOOKAHEAD if lookahead else ("HCLG.fst",))]
    parts = tuple(part for part in _PARTS if (path / part).is_dir())
    needed += [f"{part}/{name}" for part in parts for name in _PARTS[part]]
    if lacking := [name for name in needed if not _whole(path / name)]:
        raise DamagedError(
            f"The Vosk model in {path} is incomplete: {', '.join(lacking)} missing or empty; copy or pull it again."
        )
    return Layout(version, "lookahead" if lookahead else "static", parts)


def _whole(file: Path) -> bool:
    """Whether a file is there with something in it; Kaldi's recipes make some empty .conf files on purpose."""
    return file.is_file() and (file.suffix == ".conf" or file.stat().st_size > 0)
