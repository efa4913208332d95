"""The process of one budget of `budget.py`: requests at random from eight threads, each answered or refused.

    python benchmarks/budget_job.py BUDGET_MB REQUESTS SEED MODEL_FOLDER < FILES

Reads the paths of recordings from standard input, prints "ready" and then a line for each kind of answer at the end.
Two `Speech` share the process and its limit: one for English, one for the stand-in model.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from collections import Counter
from contextlib import suppress
from queue import Empty, SimpleQueue

from lowvox import BudgetError, Speech

THREADS = 8
ROLES = ("say", "hear", "stand-in")
LANGUAGES = ("en", "de", "ru", "es", "vi", "ja")
WORDS = ("the", "budget", "holds", "whatever", "is", "said,", "however", "long", "it", "takes:", "12,345", "times.")


def say(speech: Speech, rng: random.Random) -> str:
    """Speak from one word to three longest sentences, in any language."""
    text = " ".join(rng.choices(WORDS, k=rng.choice((1, 10, 60, 200))))
    seconds = sum(audio.seconds for audio in speech.say(text, voice=rng.choice(LANGUAGES), rate=rng.choice((0.5, 1.0))))
    return "said" if seconds else "silent"


def hear(speech: Speech, file: str) -> str:
    """Recognise a recording."""
    speech.transcribe(file)
    return "heard"


class Round:
    """The requests of one round, and what has become of them."""

    def __init__(self, todo: list[tuple[str, str, int]], speech: Speech, stand_in: Speech) -> None:
        self.answers: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._todo: SimpleQueue[tuple[str, str, int]] = SimpleQueue()
        for request in todo:
            self._todo.put(request)
        self._speech, self._stand_in = speech, stand_in

    def serve(self) -> None:
        """Take requests until none is left."""
        with suppress(Empty):
            while True:
                role, file, number = self._todo.get_nowait()
                self.answers[f"{role} {self._answer(role, file, number)}"] += 1

    def _answer(self, role: str, file: str, number: int) -> str:
        try:
            if role == "say":
                return say(self._speech, random.Random(number))
            return hear(self._speech if role == "hear" else self._stand_in, file)
        except BudgetError as error:
            self.reasons[str(error)] += 1
            return "refused"
        except Exception as error:
            self.reasons[f"{type(error).__name__}: {error}"] += 1
            return "failed"


def main() -> None:
    """Run the requests and print what became of them."""
    budget, count, rng, folder = float(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3])), sys.argv[4]
    files = sys.stdin.read().split("\n")
    todo = [(rng.choice(ROLES), rng.choice(files), rng.getrandbits(32)) for _ in range(count)]
    with (
        Speech(budget=budget, punctuation=False) as speech,
        Speech(budget=budget, model=folder, punctuation=False) as stand_in,
    ):
        requests = Round(todo, speech, stand_in)
        print("ready", flush=True)
        threads = [threading.Thread(target=requests.serve) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        own = max(speech.monitor.peak.pss, stand_in.monitor.peak.pss)
    print(json.dumps({"answers": requests.answers, "reasons": requests.reasons, "own_peak": own}), flush=True)


if __name__ == "__main__":
    main()
