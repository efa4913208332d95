"""How many words go wrong when written text is turned into spoken words, on tricky items that were written first.

    python benchmarks/aloud.py [--languages en,de] [--items later|last] [--wrong] [--text FOLDER]

benchmarks/aloud/*.tsv hold some 300 items per language: a kind, a text, and the words wanted, with a bar between them
where several are right. They were written before the rules, those of "later", some 40 per language, and of "last", 20
per language, after them, before they were ever read. Compared are words: capitals, hyphens and marks do not count.
--wrong prints what goes wrong. --text FOLDER also counts, over the lines of FOLDER/LANG.dev.txt.xz, how many without
digits, signs and capitals come out changed. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import resource
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from lowvox.text.aloud import LANGUAGES, spoken_form

if TYPE_CHECKING:
    from collections.abc import Sequence

_ITEMS = Path(__file__).with_suffix("")


def words(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    return re.sub(r"[^\w'’]|_", " ", text.lower()).replace("’", "'").split()


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many words must be put in, left out or changed."""
    row = list(range(len(other) + 1))
    for at, word in enumerate(one, 1):
        previous, row[0] = row[0], at
        for place, wanted in enumerate(other, 1):
            previous, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, previous + (word != wanted))
    return row[-1]


def scored(language: str, suffix: str, *, wrong: bool) -> dict[str, object]:
    """Return the share of items and of words that go wrong, all and by kind."""
    items, bad, said, missed = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for line in (_ITEMS / f"{language}{suffix}.tsv").read_text(encoding="utf-8").splitlines():
        kind, text, wanted = line.split("\t")
        found = words(spoken_form(text, language))
        errors, length = min((distance(found, words(one)), len(words(one))) for one in wanted.split(" | "))
        items[kind] += 1
        said[kind] += length
        missed[kind] += errors
        bad[kind] += errors > 0
        if errors and wrong:
            print(f"{language} {kind}: {text!r} -> {spoken_form(text, language)!r}, not {wanted!r}")
    return {
        "items": items.total(),
        "items_wrong": bad.total(),
        "words": said.total(),
        "words_wrong": missed.total(),
        "word_error": round(missed.total() / said.total(), 4),
        "wrong_by_kind": {kind: f"{bad[kind]}/{items[kind]}" for kind in items},
    }


def changed(folder: Path, language: str) -> dict[str, int]:
    """Count lines of ordinary text that come out changed, and lines that keep a digit."""
    counts: dict[str, int] = defaultdict(int)
    with lzma.open(folder / f"{language}.dev.txt.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            text = line.rstrip("\n")
            said = spoken_form(text, language)
            ordinary = not re.search(
                r"[^\w\s.,;:!?'\"„“”‘’«»()…—-]|[\d_]|[^\W\d_]{1,9}\.\S|[A-ZА-ЯЁĐÀ-Þ]{2}|\w-\w", text
            )
            counts["lines"] += 1
            counts["ordinary"] += ordinary
            counts["ordinary_changed"] += ordinary and said != text
            counts["digits_left"] += any(map(str.isdigit, said))
    return dict(counts)


def main() -> None:
    """Print the table and the object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--items", choices=["later", "last"])
    parser.add_argument("--text", type=Path)
    options = parser.parse_args()
    languages = options.languages.split(",")
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = {
        language: scored(language, f".{options.items}" if options.items else "", wrong=options.wrong)
        for language in languages
    }
    seconds = time.perf_counter() - begun
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    kinds = rows[languages[0]]["wrong_by_kind"]
    assert isinstance(kinds, dict)
    print(f"{'wrong of items':16}" + "".join(f"{language:>8}" for language in languages))
    for kind in kinds:
        print(f"{kind:16}" + "".join(f"{rows[language]['wrong_by_kind'].get(kind, ''):>8}" for language in languages))  # type: ignore[attr-defined]
    print(f"{'words wrong':16}" + "".join(f"{rows[language]['word_error']:>8.1%}" for language in languages))
    result: dict[str, object] = {"languages": rows, "seconds": round(seconds, 2), "peak_grown_mb": round(grown, 1)}
    if options.text:
        result["text"] = {language: changed(options.text, language) for language in languages}
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
