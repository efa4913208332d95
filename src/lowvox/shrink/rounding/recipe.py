"""A recipe: all that a rounded file came of, beside it, from which the same file is made bit for bit.

The ranges that were measured are in it, so that neither samples nor measuring are needed again. Knows nothing of how a
file is made.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

import msgspec

from lowvox import __version__
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.files import replacing
from lowvox.shrink.rounding.calibrate import PERCENTILE, SEED
from lowvox.shrink.rounding.calibrate import Method as Cut

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Method = Literal["static", "dynamic", "fp16"]
METHODS: tuple[Method, ...] = ("static", "dynamic", "fp16")
_PACKAGES = ("onnx", "onnxruntime", "numpy")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for: the defaults are what suits most graphs.

    `exclude` names nodes or operators that stay as they are, `large` is how many weights a node must have, `floor` how
    many dB the signal must lie above what rounding adds.
    """

    method: Method = "static"
    per_channel: bool = True
    calibrate: Cut = "minmax"
    percentile: float = PERCENTILE
    exclude: tuple[str, ...] = ()
    large: int = 1
    floor: float | None = None


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file came of: sha256 of source, result and samples; which nodes were left alone, and the ranges of values.

    `samples` were measured on, `evaluation` was judged by; `noise_db` is the signal over the difference there.
    """

    source: str
    result: str
    plan: Plan
    left: tuple[str, ...]
    ranges: dict[str, tuple[float, float]]
    samples: tuple[str, ...]
    evaluation: tuple[str, ...]
    noise_db: float | None
    seed: int = SEED
    versions: dict[str, str] = {}
    form: Literal[1] = 1


def versions() -> dict[str, str]:
    """Return the versions that the bytes of a result may depend on."""
    return {"lowvox": __version__, **{name: version(name) for name in _PACKAGES}}


def digest(data: bytes) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def read(path: Path) -> Recipe:
    """Read a recipe; NotFoundError where there is none, DamagedError for a file that is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recipe)
    except OSError as error:
        raise NotFoundError(f"There is no recipe {path}.") from error
    except msgspec.DecodeError as error:
        raise DamagedError(f"{path} is not a recipe of `lowvox shrink quantize` ({error}).") from error


def write(path: Path, recipe: Recipe) -> None:
    """Write a recipe; OutputError where that fails."""
    with replacing(path, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(recipe), indent=1) + b"\n")


def suits(recipe: Recipe, source: bytes, path: Path) -> None:
    """Raise UsageError where a recipe is for another graph."""
    if digest(source) != recipe.source:
        raise UsageError(
            f"The recipe is for another graph than {path} (sha256 {recipe.source[:12]}...); give that one."
        )


def came_out(recipe: Recipe, result: bytes) -> None:
    """Raise DamagedError where what was made by a recipe is not what it was made for."""
    if digest(result) != recipe.result:
        other = other_versions(recipe)
        why = f"it was made with {', '.join(other)}" if other else "the recipe was changed"
        raise DamagedError(f"The result differs from what the recipe says ({why}); make it anew without the recipe.")


def other_versions(recipe: Recipe) -> list[str]:
    """Return what a recipe was made with and is another version now."""
    now = versions()
    return [f"{name} {was}" for name, was in recipe.versions.items() if now.get(name) != was]


def hashes(samples: Sequence[str]) -> tuple[str, ...]:
    """Return the hashes of samples in an order that does not depend on the names of files."""
    return tuple(sorted(samples))
