"""What eSpeak NG can speak: its languages and voice variants, read from its data without loading the library."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lowvox.errors import DamagedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Language(NamedTuple):
    """A language by its English name; `file` is the library's own name for the voice."""

    name: str
    file: str


@cache
def languages() -> dict[str, Language]:
    """Return what espeak speaks, by lower-case code (`en-us`)."""
    folder = data_folder() / "lang"
    found: list[tuple[int, str, Language]] = []
    for file in folder.rglob("*"):
        if file.is_file():
            found += _claims(file, file.relative_to(folder).as_posix())
    # Several voices may claim a code; the lowest number is espeak's choice.
    return {code: language for _, code, language in sorted(found, reverse=True)}


@cache
def variants() -> frozenset[str]:
    """Return the names that may stand behind a `+`."""
    return frozenset(file.name for file in (data_folder() / "voices" / "!v").glob("*"))


def find(language: str, voice: str | None) -> str:
    """Return the library's name for a voice such as `de`, `en-us+f3` or `+f3`; NotFoundError names close ones."""
    wanted, _, variant = (voice or "").partition("+")
    known = languages()
    code = (wanted or language).lower().replace("_", "-")
    if not wanted and code not in known:  # a language may come with a country that espeak does not tell apart
        code = code.partition("-")[0]
    if code not in known:
        raise NotFoundError(
            f"espeak does not speak {code!r}{_near(code)}; `lowvox say --list-voices` lists its voices."
        )
    if not variant:
        return known[code].file
    if variant not in variants():
        near = ", ".join(get_close_matches(variant, variants(), n=3, cutoff=0.3)) or "f1 to f5 and m1 to m8"
        raise NotFoundError(f"espeak has no voice variant {variant!r}; try {near}.")
    return f"{known[code].file}+{variant}"


def data_folder() -> Path:
    """Return the folder of espeak's data; DamagedError when the package has lost it."""
    import espeakng_loader

    try:
        return Path(espeakng_loader.get_data_path())
    except RuntimeError as error:
        raise DamagedError(reinstall("espeak's data is missing")) from error


def reinstall(what: str) -> str:
    """Return the sentence for a damaged package."""
    return f"{what}; run `pip install --force-reinstall espeakng-loader`."


def _claims(file: Path, name: str) -> Iterator[tuple[int, str, Language]]:
    """Yield (priority, code, language) for each code that a voice file says it speaks."""
    title, dictionary, codes = name, "", []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        key, *values = line.split() or [""]
        if key == "name":
            title = " ".join(values)
        elif key == "dictionary":
            dictionary = values[0]
        elif key == "language":
            codes.append((int(values[1]) if len(values) > 1 else 5, values[0].lower()))
    dictionary = dictionary or "".join(code for _, code in codes[:1]).partition("-")[0]
    # Some builds ship a voice without its dictionary (Faroese): it loads and says nothing.
    if (data_folder() / f"{dictionary}_dict").exists():
        for priority, code in codes:
            yield priority, code, Language(title, name)


def _near(code: str) -> str:
    """Return the codes that are spelled much like `code`, or whose language is called like it."""
    known = languages()
    near = get_close_matches(code, known, n=3)
    near += [one for one, language in known.items() if code and code in language.name.lower() and one not in near][:3]
    return f" (close are {', '.join(f'{one} = {known[one].name}' for one in near)})" if near else ""
