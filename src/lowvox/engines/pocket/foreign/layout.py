"""How exports of Pocket TTS by others are laid out: five ONNX graphs and a tokenizer, known by their names.

Three kinds: KevinAHM's and lookbe's (with a `bundle.json`, if it is new), and sherpa-onnx's. What they are is read from
the backbone's own inputs and from the bundle; no graph is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.engines.pocket.foreign import bundle as pocket_foreign_bundle
from lowvox.engines.pocket.foreign import header as pocket_foreign_header
from lowvox.engines.pocket.foreign import states as pocket_foreign_states
from lowvox.engines.pocket.layout import SUFFIX, VERSION, VOICES, CacheFacts, Facts, GraphFacts, Layout, TokenizerFacts
from lowvox.engines.pocket.text import Rules
from lowvox.errors import DamagedError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from lowvox.engines.pocket.foreign.bundle import Bundle
    from lowvox.engines.pocket.foreign.header import Header

# A graph by the names it has in the three kinds. Where there is one in 8 bits beside it, that is taken of the first
# three; what hears and the table of the text gain nothing from it.
_STEMS = {
    "backbone": ("flow_lm_main", "lm_main"),
    "flow": ("flow_lm_flow", "lm_flow"),
    "decoder": ("mimi_decoder", "decoder"),
    "encoder": ("mimi_encoder", "encoder"),
    "text": ("text_conditioner",),
}
_ROUNDED = ("_int8", ".int8")
# Other models have an encoder and a decoder too.
_KNOWN_BY = ("backbone", "flow")
_NEEDED = ("backbone", "flow", "decoder", "text")
BEGIN, SCORES = "bos_before_voice.npy", "token_scores.json"
_TOKENIZERS = ("tokenizer.model", "vocab.json")
_TEMPERATURE = 0.7
_SAMPLE = 2**20  # bytes of the table of the text, by which a model is known
# Inputs and outputs of a graph before its states.
TAKES = {"backbone": (2, 2), "flow": (4, 1), "decoder": (1, 1), "encoder": (1, 1), "text": (1, 1)}


def layout(path: Path) -> Layout:
    """Look at a folder; NotFoundError where it is no such export, DamagedError says what is wrong with it."""
    folder, graphs = _graphs(path)
    if not graphs.keys() & {*_KNOWN_BY}:
        raise NotFoundError(f"{path} holds no Pocket TTS voice.")
    bundle = pocket_foreign_bundle.read(folder)
    wanted = {name: graphs.get(name, f"{_STEMS[name][0]}.onnx") for name in _NEEDED}
    tokenizer, beside = _tokenizer(path, folder, bundle)
    begin = _begin(folder, bundle)
    files = [folder / name for name in wanted.values()] + [tokenizer, *beside, *([folder / begin] if begin else [])]
    if lacking := [file.name for file in files if not (file.is_file() and file.stat().st_size)]:
        raise DamagedError(
            f"The Pocket TTS export in {path} is incomplete: {', '.join(lacking)} missing or empty; copy or pull it "
            "again."
        )
    at = {name: (folder / file).relative_to(path).as_posix() for name, file in graphs.items()}
    facts = _facts(path, at, bundle, tokenizer, begin is not None)
    return Layout(path, facts, {file.stem: file for file in sorted((path / VOICES).glob(f"*{SUFFIX}"))}, foreign=True)


def begin(found: Layout) -> Path:
    """Return the file of what is heard before a voice."""
    folder = (found.folder / found.facts.graphs["backbone"].file).parent
    return folder / (_begin(folder, pocket_foreign_bundle.read(folder)) or BEGIN)


def _graphs(path: Path) -> tuple[Path, dict[str, str]]:
    """Return where the graphs are, in the folder or in `onnx`, and their files."""
    for folder in (path, path / "onnx"):
        names = {file.name for file in folder.glob("*.onnx")}
        found = {role: name for role, stems in _STEMS.items() if (name := _file(role, stems, names))}
        if found.keys() & {*_KNOWN_BY}:
            return folder, found
    return path, {}


def _file(role: str, stems: tuple[str, ...], names: set[str]) -> str | None:
    ends = ("", *_ROUNDED) if role in ("encoder", "text") else (*_ROUNDED, "")
    return next((name for end in ends for stem in stems if (name := f"{stem}{end}.onnx") in names), None)


def _tokenizer(path: Path, folder: Path, bundle: Bundle) -> tuple[Path, list[Path]]:
    """Return the file of the tokenizer, and what belongs to it."""
    names = [bundle.tokenizer_file] if bundle.tokenizer_file else _TOKENIZERS
    found = next((file for name in names for at in (folder, path) if (file := at / name).exists()), folder / names[0])
    return found, [found.with_name(SCORES)] if found.suffix == ".json" else []


def _begin(folder: Path, bundle: Bundle) -> str | None:
    """Return the file of what is heard before a voice; without a bundle it belongs to the model if it is there."""
    if (folder / pocket_foreign_bundle.BUNDLE).exists():
        return (bundle.begin or BEGIN) if bundle.insert_bos_before_voice else None
    return BEGIN if (folder / BEGIN).exists() else None


def _facts(path: Path, graphs: dict[str, str], bundle: Bundle, tokenizer: Path, begins: bool) -> Facts:
    header = pocket_foreign_header.read(path / graphs["backbone"])
    described = {name: GraphFacts(file) for name, file in graphs.items()}
    described["backbone"] = GraphFacts(graphs["backbone"], cache=_cache(path / graphs["backbone"], header, bundle))
    width = _last(header, 1) or bundle.conditioning_dim
    return Facts(
        engine="pocket",
        version=VERSION,
        upstream="",
        weights=_digest(path / graphs["text"]),
        rate=bundle.sample_rate,
        frame=bundle.samples_per_frame,
        latent=_last(header, 0) or bundle.latent_dim,
        width=width,
        condition=width,
        flow="lsd",
        tokenizer=TokenizerFacts(
            "scores" if tokenizer.suffix == ".json" else "sentencepiece", tokenizer.relative_to(path).as_posix(), 0
        ),
        graphs=described,
        config=bundle.language,
        precision="int8" if any(end in graphs["backbone"] for end in _ROUNDED) else "fp32",
        languages=bundle.languages,
        temperature=_TEMPERATURE,
        frames_after_eos=bundle.model_recommended_frames_after_eos,
        text=Rules(pad_short=bundle.pad_with_spaces_for_short_inputs, remove_semicolons=bundle.remove_semicolons),
        tokens_per_chunk=bundle.max_token_per_chunk,
        bos=begins,
    )


def _cache(file: Path, header: Header, bundle: Bundle) -> CacheFacts:
    """Read of what sizes keys and values are; DamagedError where the graph is no backbone."""
    try:
        found = pocket_foreign_states.states(header, TAKES["backbone"], bundle.told("backbone"))
        rows = pocket_foreign_states.rows(found)
    except ValueError as error:
        raise DamagedError(f"{file.name} is no backbone of Pocket TTS ({error}); copy or pull it again.") from error
    return CacheFacts(rows.layers, rows.heads, rows.size)


def _last(header: Header, at: int) -> int | None:
    """Return the last size of an input, None where it is open."""
    return header.inputs[at].shape[-1] if header.inputs[at].shape else None


def _digest(file: Path) -> str:
    """Return what is the same for the same table of texts only: no two models have one, whatever the precision."""
    from hashlib import sha256

    with file.open("rb") as opened:
        opened.seek(max(0, (file.stat().st_size - _SAMPLE) // 2))
        return sha256(opened.read(_SAMPLE)).hexdigest()
