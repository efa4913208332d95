"""How good punctuation and capitals are: precision, recall and F1 per mark and language, on text nobody trained on.

    python benchmarks/te_quality.py [--languages en,de] [--fp32 FILE] [--worst 5]

Lines of `dev` are joined to paragraphs of about 80 words, stripped of marks and capitals, restored by the engine as it
ships and compared word by word. --fp32 adds the same network before it was made small (`training/te/export.py --fp32`).
To compare with: no mark at all, a full stop and a capital at every line as a recogniser's segments would give them, and
each word written as it mostly was in the text of training. "untold" is the engine without being told the language,
"live" what dictation leaves when the text comes in utterances that end at marks. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training" / "te"))

from corpus import Labelled, labelled, lines

from lowvox import models
from lowvox.engines.lowvox_te.engine import LowvoxTe
from lowvox.text.marks import ENDS, MARKS, write
from lowvox.text.restoration import joined, labels
from lowvox.types import Label, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lowvox.types import PunctuatorStream

    # A paragraph's words, and its lines' lengths, to labels.
    Restore = Callable[[list[str], list[int]], Sequence[Label]]

WORDS = 80
# Capitals are counted beside marks.
_CAPITAL = {"lower": "", "capital": "Acapital", "upper": "Aupper", "parts": "Aparts"}
LIVE = 8  # every so many paragraphs are dictated


def paragraphs(language: str, part: str = "dev") -> Iterator[list[list[Labelled]]]:
    """Join lines to paragraphs of about 80 words, each as its lines."""
    held: list[list[Labelled]] = []
    for line in labelled(lines(language, part), language):
        held.append(line)
        if sum(map(len, held)) >= WORDS:
            yield held
            held = []
    if held:
        yield held


class Score:
    """Counts of what was found, what was there and what was both, by kind of mark or capital."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.there: Counter[str] = Counter()
        self.both: Counter[str] = Counter()
        self.worst: list[tuple[float, str, str]] = []

    def add(self, paragraph: list[Labelled], restored: Sequence[Label], language: str) -> None:
        """Compare one paragraph."""
        wrong = 0
        for truth, found in zip(paragraph, restored, strict=True):
            kinds = [(found.mark, truth.mark)]
            if truth.sure:
                kinds.append((_CAPITAL[found.case], _CAPITAL[truth.case]))
            for one, other in kinds:
                self.found[one] += 1
                self.there[other] += 1
                self.both[one] += one == other
                wrong += one != other
        text = " ".join(write(w.word, label, language) for w, label in zip(paragraph, restored, strict=True))
        truth_text = " ".join(write(w.word, Label(w.mark, w.case), language) for w in paragraph)  # type: ignore[arg-type]
        self.worst = sorted([*self.worst, (wrong / len(paragraph), text, truth_text)], reverse=True)[:10]

    def of(self, *kinds: str) -> tuple[float, float, float]:
        """Precision, recall and F1 of some kinds together."""
        found, there, both = (sum(count[kind] for kind in kinds) for count in (self.found, self.there, self.both))
        return both / max(1, found), both / max(1, there), 2 * both / max(1, found + there)

    def table(self) -> dict[str, list[float]]:
        """[precision, recall, F1] of each mark, their mean F1 over `, . ?`, of capitals and of each kind of them."""
        table = {mark: [round(value, 4) for value in self.of(mark)] for mark in MARKS if self.there[mark] and mark}
        table["mean"] = [round(sum(self.of(mark)[2] for mark in ",.?") / 3, 4)]
        capitals = ("Acapital", "Aupper", "Aparts")
        table["capitals"] = [round(value, 4) for value in self.of(*capitals)]
        return table | {kind[1:]: [round(value, 4) for value in self.of(kind)] for kind in capitals}


def by_engine(stream: PunctuatorStream) -> Restore:
    """Restore with a network."""
    return lambda words, _: list(joined(labels(words, stream)))


def by_segment(words: list[str], sizes: list[int]) -> Sequence[Label]:
    """A full stop at every line's end, a capital at its beginning."""
    ends = {sum(sizes[: at + 1]) - 1 for at in range(len(sizes))}
    begins = {0, *(end + 1 for end in ends)}
    return [Label("." if at in ends else "", "capital" if at in begins else "lower") for at in range(len(words))]


def by_frequency(language: str) -> Restore:
    """Each word as it mostly was in the text of training, no marks."""
    cases: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in labelled(lines(language, "train")[::3], language):
        for word in line[1:]:  # the first word's capital says nothing of it
            cases[word.word][word.case] += 1
    usual = {word: count.most_common(1)[0][0] for word, count in cases.items()}
    return lambda words, _: [Label("", usual.get(word, "lower")) for word in words]  # type: ignore[arg-type]


def live(stream: PunctuatorStream, language: str, truth: list[Labelled]) -> Sequence[Label]:
    """Dictate a paragraph, pausing at its marks, and return the labels of the finals."""
    from lowvox.text.live import LivePunctuator

    seen: list[Label] = []
    punctuator = LivePunctuator(_Overheard(stream, seen), language)
    held: list[Labelled] = []
    done: list[Label] = []
    for word in truth:
        held.append(word)
        if word.mark or word is truth[-1]:
            pauses = [0.0] * (len(held) - 1) + [0.6 if word.mark in ENDS else 0.3]
            punctuator.final([w.word for w in held], pauses, ends=word is truth[-1])
            done += joined(seen[-len(held) :], done[-1] if done else None)
            held = []
    return done


class _Overheard:
    """A stream whose labels are noted."""

    def __init__(self, stream: PunctuatorStream, seen: list[Label]) -> None:
        self._stream, self._seen = stream, seen
        self.window = stream.window

    def label(
        self, texts: Sequence[Sequence[str]], pauses: Sequence[Sequence[float]] | None = None, **where: bool
    ) -> list[list[Label]]:
        found = self._stream.label(texts, pauses, **where)
        self._seen[:] = found[0]
        return found

    def reset(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", default="en,de,es,ru,vi")
    parser.add_argument("--fp32", type=Path)
    parser.add_argument("--worst", type=int, default=0)
    asked = parser.parse_args()
    result: dict[str, object] = {"benchmark": "te_quality"}
    for language in asked.languages.split(","):
        model = models.find("punctuator", language)
        engine = LowvoxTe()
        shipped = engine.load(model, Profile())
        ways: dict[str, Restore] = {"int8": by_engine(shipped.open(language=language))}
        if asked.fp32 and language != "vi":
            from dataclasses import replace

            ways["fp32"] = by_engine(engine.load(replace(model, path=asked.fp32), Profile()).open(language=language))
        ways |= {
            "untold": by_engine(shipped.open()),
            "none": lambda words, _: [Label()] * len(words),
            "segments": by_segment,
            "frequency": by_frequency(language),
        }
        scores = {way: Score() for way in [*ways, "live"]}
        with closing(shipped):
            for number, text in enumerate(paragraphs(language)):
                words = [word for line in text for word in line]
                heard, sizes = [word.word for word in words], [len(line) for line in text]
                for way, restore in ways.items():
                    scores[way].add(words, restore(heard, sizes), language)
                if number % LIVE == 0:
                    scores["live"].add(words, live(shipped.open(language=language), language, words), language)
        result[language] = {way: score.table() for way, score in scores.items()}
        for way, score in scores.items():
            line = "  ".join(f"{name} {values[-1]:.3f}" for name, values in score.table().items())
            print(f"{language} {way:9} F1  {line}", flush=True)
        for _, restored, truth in scores["int8"].worst[: asked.worst]:
            print(f"  worst: {restored}\n  print: {truth}")
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
