"""Pocket TTS to ONNX: `lowvox shrink export pocket-tts`.

What goes in is a configuration of the package pocket-tts with the weights that it names; what comes out is a folder
that the engine `pocket` runs without torch. It is written only when it was compared with its original.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from lowvox.engines.pocket.layout import (
    BEGIN,
    FACTS,
    TABLE,
    VERSION,
    CacheFacts,
    Facts,
    GraphFacts,
    StateFacts,
    TokenizerFacts,
)
from lowvox.engines.pocket.text import Rules
from lowvox.errors import DamagedError, EngineError, UsageError
from lowvox.models.disk import appearing
from lowvox.shrink.pocket import files as pocket_files
from lowvox.shrink.pocket import flow as pocket_flow
from lowvox.shrink.pocket import mimi as pocket_mimi
from lowvox.shrink.pocket import parity as pocket_parity
from lowvox.shrink.pocket import upstream as pocket_upstream

if TYPE_CHECKING:
    from lowvox.shrink.pocket.parity import Difference
    from lowvox.shrink.pocket.transformer import Sizes
    from lowvox.shrink.pocket.upstream import Upstream

LICENCE = "that of the weights, which the export does not change"
FRAMES, SECONDS = 12, 1.0  # that are compared
_STEPS = {"flow_matching": 16}  # by type of flow; the others take one
_TOLERANCE = 1e-3  # of the largest number; 1e-6 is usual
_LANGUAGES = {"english": "en", "french": "fr", "german": "de", "italian": "it", "portuguese": "pt", "spanish": "es"} | {
    "dutch": "nl"
}


@dataclass(frozen=True, slots=True)
class Exported:
    """A converted model: `size` in bytes, `parameters` in numbers; how its parts differ from upstream's, by name.

    One that is not `trained` has random weights, since its configuration names none.
    `rounded` is how those in 8 bits do, where there are any: as parts of the largest number, for information.
    """

    folder: Path
    size: int
    parameters: int
    trained: bool
    facts: Facts
    exact: dict[str, Difference]
    rounded: dict[str, Difference]


def export(config: str, folder: Path, *, int8: bool = False, cloning: bool = True) -> Exported:
    """Convert a configuration, by its name or file, into `folder`, which may not hold anything yet.

    `int8` rounds large linear layers; without `cloning` what makes voices of recordings is left out, 37 MB.

    NotFoundError for missing files and packages, UsageError for an unknown name or a folder with files in it,
    DamagedError for a configuration or weights that do not fit, DownloadError where the hub does not give them,
    EngineError where the result is not the same: then nothing is written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; choose another folder with -o.")
    upstream = pocket_upstream.load(config)
    with appearing(folder) as beside:
        facts, exact, rounded = _written(upstream, beside, int8=int8, cloning=cloning)
    parameters = sum(value.size for value in upstream.weights.values())
    return Exported(folder, sum(facts.sizes.values()), parameters, upstream.trained, facts, exact, rounded)


def _written(
    upstream: Upstream, folder: Path, *, int8: bool, cloning: bool
) -> tuple[Facts, dict[str, Difference], dict[str, Difference]]:
    """Write everything and compare it; in 8 bits both what was rounded and what it was made of."""
    run = pocket_parity.reference(upstream.model, FRAMES, SECONDS, _steps(upstream), cloning=upstream.cloning)
    facts = files(upstream, folder, cloning=cloning)
    exact = pocket_parity.compare(folder, facts, run, facts.steps)
    if apart := {name: each for name, each in exact.items() if not each.relative <= _TOLERANCE}:
        told = ", ".join(f"{name} by {each.difference:.3g} of {each.largest:.3g}" for name, each in apart.items())
        raise EngineError(f"The converted model does not give what its original gives ({told}); nothing was written.")
    if not int8:
        return facts, exact, {}
    for graph in facts.graphs.values():
        for file in folder.glob(f"{Path(graph.file).stem}.*"):
            file.unlink()
    facts = files(upstream, folder, int8=True, cloning=cloning)
    return facts, exact, pocket_parity.compare(folder, facts, run, facts.steps)


def files(upstream: Upstream, folder: Path, *, int8: bool = False, cloning: bool = True) -> Facts:
    """Write the files of a model into a folder; return what its `lowvox.json` says."""
    np.save(folder / TABLE, upstream.weights["flow_lm.conditioner.embed.weight"])
    begin = upstream.weights.get("flow_lm.bos_before_voice")
    if begin is not None:
        np.save(folder / BEGIN, begin[0])
    tokenizer = _tokenizer(upstream, folder)
    graphs = {}
    for name, (graph, of) in _graphs(upstream, cloning=cloning).items():
        graphs[name] = msgspec.structs.replace(of, file=pocket_files.write(graph, folder, name, int8=int8))
    facts = _facts(upstream, tokenizer, graphs, int8=int8)
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.name != FACTS}
    facts = msgspec.structs.replace(facts, bos=begin is not None, sizes=sizes)
    (folder / FACTS).write_bytes(msgspec.json.format(msgspec.json.encode(facts)))
    return facts


def _graphs(upstream: Upstream, *, cloning: bool = True) -> dict[str, tuple[Any, GraphFacts]]:
    """Return the graphs and what is to know of each."""
    flow, mimi = upstream.below("flow_lm."), upstream.below("mimi.")
    kind = upstream.config.flow_lm.flow.type
    backbone = pocket_flow.backbone(flow, upstream.backbone)
    net = pocket_flow.flow(upstream.below("flow_lm.flow_net."), kind)
    decoder, states = pocket_mimi.decoder(mimi, upstream.decoder, flow["emb_std"], flow["emb_mean"])
    found = {
        "backbone": (backbone, GraphFacts("", cache=_cached(upstream.backbone))),
        "flow": (net, GraphFacts("")),
        "decoder": (decoder, _codec(upstream.decoder, states)),
    }
    if cloning and upstream.cloning:
        encoder, states = pocket_mimi.encoder(mimi, upstream.encoder, flow["speaker_proj_weight"])
        found["encoder"] = (encoder, _codec(upstream.encoder, states))
    return found


def _codec(half: pocket_mimi.Mimi, states: list[tuple[int, ...]]) -> GraphFacts:
    told = tuple(StateFacts(f"state{at}", shape) for at, shape in enumerate(states))
    return GraphFacts("", cache=_cached(half.transformer), stride=half.stride, states=told)


def _cached(sizes: Sizes) -> CacheFacts:
    return CacheFacts(sizes.layers, sizes.kv_heads, sizes.size, sizes.context)


def _tokenizer(upstream: Upstream, folder: Path) -> TokenizerFacts:
    """Copy the tokenizer; return what is to know of it."""
    told = upstream.config.flow_lm.lookup_table
    source = upstream.tokenizer
    json = source.suffix == ".json" or told.tokenizer in ("tokenizers", "json")
    name = "tokenizer.json" if json else "tokenizer.model"
    try:
        shutil.copyfile(source, folder / name)
    except OSError as error:
        raise DamagedError(f"The tokenizer {source} cannot be read ({error.strerror}); copy it again.") from error
    return TokenizerFacts("tokenizers" if json else "sentencepiece", name, told.n_bins)


def _facts(upstream: Upstream, tokenizer: TokenizerFacts, graphs: dict[str, GraphFacts], *, int8: bool) -> Facts:
    from lowvox import __version__

    config, digest = upstream.config, upstream.digests()
    width, latent = upstream.weights["flow_lm.input_linear.weight"].shape
    rules = Rules(
        pad_short=config.pad_with_spaces_for_short_inputs,
        remove_semicolons=config.remove_semicolons,
        append_terminal=config.append_terminal_punctuation,
        capitalize=config.capitalize_first_letter,
        replace=config.replace_characters,
    )
    return Facts(
        engine="pocket",
        version=VERSION,
        upstream=pocket_upstream.UPSTREAM,
        weights=digest[1],
        rate=config.mimi.sample_rate,
        frame=upstream.decoder.frame,
        latent=latent,
        width=width,
        condition=upstream.weights["flow_lm.out_eos.weight"].shape[1],
        flow=config.flow_lm.flow.type,
        tokenizer=tokenizer,
        graphs=graphs,
        config=upstream.name,
        digest=digest[0],
        precision="int8" if int8 else "fp32",
        languages=tuple(code for name, code in _LANGUAGES.items() if upstream.name.startswith(name)),
        steps=_steps(upstream),
        temperature=config.default_temperature,
        eos_threshold=config.default_eos_threshold,
        frames_after_eos=config.model_recommended_frames_after_eos,
        text=rules,
        source=f"{upstream.name}, converted by lowvox {__version__} with pocket-tts {pocket_upstream.UPSTREAM}",
        licence=LICENCE,
    )


def _steps(upstream: Upstream) -> int:
    return _STEPS.get(upstream.config.flow_lm.flow.type, 1)
