"""Trains the speller: PYTHONPATH=../voice python train.py CMUDICT OUT --minutes 14

Writes OUT/last.pt and OUT/log.jsonl, with the errors on held-out words. One core; the rate falls to nothing by the
processor's time that was spent. Words of one length are taken together, so that nothing is padded.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from align import aligned
from movers import Halves, Muon
from phones import PHONES
from speller import CLASSES, Speller
from torch import Tensor, nn
from words import LETTERS, dictionary, split

if TYPE_CHECKING:
    from collections.abc import Iterator

Words = dict[str, list[list[str]]]


def arrays(words: Words) -> dict[int, tuple[Tensor, Tensor]]:
    """Return letters [b, n] and phones [b, 2, n] of the words of each length, without those that cannot be aligned."""
    fit = [(word, said[0]) for word, said in words.items() if len(said[0]) <= 2 * len(word)]
    spelt = [spelling(word) for word, _ in fit]
    phones = aligned(spelt, [[PHONES.index(phone) for phone in said] for _, said in fit])
    rows: dict[int, list[int]] = {}
    for row, (word, _) in enumerate(fit):
        rows.setdefault(len(word), []).append(row)
    return {
        size: (torch.tensor([spelt[row] for row in some]), torch.tensor([phones[row] for row in some]))
        for size, some in rows.items()
    }


def spelling(word: str) -> list[int]:
    return [LETTERS.index(letter) for letter in word]


def batches(data: dict[int, tuple[Tensor, Tensor]], letters: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of about so many letters, for ever."""
    draw = np.random.default_rng(seed)
    while True:
        cuts = []
        for size, (spelt, _) in data.items():
            order = torch.from_numpy(draw.permutation(len(spelt)))
            cuts += [(size, some) for some in order.split(max(1, letters // size))]
        for at in draw.permutation(len(cuts)):
            size, some = cuts[at]
            yield data[size][0][some], data[size][1][some]


def loss_of(logits: Tensor, phones: Tensor) -> Tensor:
    """Cross-entropy of both phones."""
    parts = logits.float().unflatten(1, (2, CLASSES)).transpose(1, 2)
    return 2 * nn.functional.cross_entropy(parts, phones, label_smoothing=0.05)


@torch.no_grad()
def errors(speller: nn.Module, words: Words) -> dict[str, float]:
    """Return phone and word errors in per cent: against the first pronunciation, and against the nearest."""
    wrong, whole, missed, missed_all = 0, 0, 0, 0
    for word, said in words.items():
        heard = read(speller(torch.tensor([spelling(word)]))[0].float().numpy())
        wrong += distance(heard, said[0])
        whole += len(said[0])
        missed += heard != said[0]
        missed_all += heard not in said
    count = len(words)
    found = {"phones": wrong / whole, "words": missed / count, "words_any": missed_all / count}
    return {name: round(100 * value, 2) for name, value in found.items()}


def read(logits: np.ndarray) -> list[str]:
    """Turn logits [80, n] into phones."""
    chosen = logits.reshape(2, CLASSES, -1).argmax(1).T.ravel()
    return [PHONES[at - 1] for at in chosen if at]


def distance(one: list[str], other: list[str]) -> int:
    """Return how many phones must be changed."""
    row = list(range(len(other) + 1))
    for at, phone in enumerate(one, 1):
        last, row[0] = row[0], at
        for column, wanted in enumerate(other, 1):
            last, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, last + (phone != wanted))
    return row[-1]


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dictionary", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=20, help="of the processor's time")
    parser.add_argument("--wall", type=float, default=1e9, help="minutes by the clock, where that ends earlier")
    parser.add_argument("--letters", type=int, default=3000, help="in a batch")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--muon", type=float, default=0.02)
    parser.add_argument("--every", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


class Run:
    """A training run, and how far it is."""

    def __init__(self, asked: argparse.Namespace, data: dict[int, tuple[Tensor, Tensor]]) -> None:
        self.asked, self.step = asked, 0
        self.speller = Speller()
        self.both = Halves(self.speller, 0.998)
        inner = [
            part for name, part in self.speller.named_parameters() if name.startswith("blocks.") and part.ndim == 3
        ]
        ids = {id(part) for part in inner}
        outer = [part for part in self.speller.parameters() if id(part) not in ids]
        self.movers = [Muon(inner, asked.muon), torch.optim.AdamW(outer, asked.rate, (0.9, 0.98), weight_decay=0.01)]
        self.source = batches(data, asked.letters, asked.seed)
        self._clock, self._wall = time.process_time(), time.monotonic()

    @property
    def minutes(self) -> float:
        """The processor's time so far."""
        return (time.process_time() - self._clock) / 60

    @property
    def done(self) -> float:
        """Which part of the time is over; from 1 on all of it."""
        return max(self.minutes / self.asked.minutes, (time.monotonic() - self._wall) / 60 / self.asked.wall)

    def move(self) -> float:
        """Take one step and return its loss."""
        factor = min(1.0, (self.step + 1) / 100) * min(1.0, max(0.0, 1 - self.done) / 0.6)
        for mover, rate in zip(self.movers, (self.asked.muon, self.asked.rate), strict=True):
            for group in mover.param_groups:
                group["lr"] = rate * factor
        letters, phones = next(self.source)
        loss = loss_of(self.both.run(letters), phones)
        loss.backward()
        self.both.hand_over()
        nn.utils.clip_grad_norm_(self.speller.parameters(), 1.0)
        for mover in self.movers:
            mover.step()
        self.both.refresh(self.step)
        self.step += 1
        return float(loss.detach())

    def report(self, loss: float, held: Words) -> None:
        """Write a line of the log, and the checkpoint."""
        line = {"step": self.step, "minutes": round(self.minutes, 2), "loss": round(loss, 4)}
        line |= {"words": len(held), "held": errors(self.both.mean, held)}
        with (self.asked.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        torch.save({"mean": self.both.mean.state_dict(), "step": self.step}, self.asked.out / "last.pt")


def main() -> None:
    """Train."""
    asked = options()
    torch.set_num_threads(1)
    torch.manual_seed(asked.seed)
    asked.out.mkdir(parents=True, exist_ok=True)
    kept, held = split(dictionary(asked.dictionary))
    print(len(kept), "words to learn,", len(held), "held out", flush=True)
    some = dict(list(held.items())[::6])
    run, running = Run(asked, arrays(kept)), []
    while run.done < 1:
        running.append(run.move())
        if run.step % asked.every == 0:
            run.report(float(np.mean(running)), some)
            running.clear()
    run.report(float(np.mean(running or [0])), held)


if __name__ == "__main__":
    main()
