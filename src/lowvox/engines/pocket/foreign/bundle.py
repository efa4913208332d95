"""What a `bundle.json` says of an export of Pocket TTS by others; what it leaves out is as in the first release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from pathlib import Path

BUNDLE = "bundle.json"
_LANGUAGES = ("english", "french", "german", "italian", "portuguese", "spanish")
_CODES = ("en", "fr", "de", "it", "pt", "es")
_MOST = 2**20


class Kept(msgspec.Struct, frozen=True):
    """A state of a graph: its input, its sizes, and what it begins as."""

    input_name: str
    shape: tuple[int, ...] = ()
    fill: Literal["nan", "zeros", "ones", "empty", "mixed"] = "zeros"


class Bundle(msgspec.Struct, frozen=True):
    """A bundle; `begin` is the file of what is heard before a voice."""

    language: str = "english"
    sample_rate: int = 24000
    samples_per_frame: int = 1920
    latent_dim: int = 32
    conditioning_dim: int = 1024
    tokenizer_file: str = ""
    begin: str | None = msgspec.field(default=None, name="bos_before_voice_file")
    insert_bos_before_voice: bool = False
    pad_with_spaces_for_short_inputs: bool = True
    remove_semicolons: bool = False
    model_recommended_frames_after_eos: int | None = None
    max_token_per_chunk: int = 50
    flow_lm_state_manifest: tuple[Kept, ...] = ()
    mimi_state_manifest: tuple[Kept, ...] = ()

    def told(self, name: str) -> dict[str, Kept]:
        """Return what is said of the states of a graph, by their inputs."""
        listed = {"backbone": self.flow_lm_state_manifest, "decoder": self.mimi_state_manifest}.get(name, ())
        return {kept.input_name: kept for kept in listed}

    @property
    def languages(self) -> tuple[str, ...]:
        """The code of what is spoken; the first release was English."""
        name = self.language.lower()
        return tuple(code for known, code in zip(_LANGUAGES, _CODES, strict=True) if name.startswith(known))


def read(folder: Path) -> Bundle:
    """Read that of a folder, or return that of the first release; DamagedError where it cannot be."""
    file = folder / BUNDLE
    if not file.exists():
        return Bundle()
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Bundle)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"{file.name} is damaged ({error}); copy or pull the model again.") from error
    numbers = (found.sample_rate, found.samples_per_frame, found.latent_dim, found.conditioning_dim)
    if not all(0 < number <= _MOST for number in (*numbers, found.max_token_per_chunk)):
        raise DamagedError(f"{file.name} has numbers that no Pocket TTS can have; copy or pull the model again.")
    if strange := next((name for name in (found.tokenizer_file, found.begin or "") if {*"/\\:\0"} & {*name}), None):
        raise DamagedError(f"{file.name} names a file outside its folder ({strange!r}); get the model elsewhere.")
    return found
