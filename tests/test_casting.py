"""`casting`: which models serve which roles, with what was really measured of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from lowvox.casting import Casting
from lowvox.errors import BudgetError, NotFoundError
from lowvox.memory.budget import Budget
from lowvox.memory.manager import Manager
from replicas.standins import MB


class Make(Protocol):
    def __call__(self, language: str, *, model: str | None = None, budget: Budget | None = None) -> Casting: ...


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def casting(measured: Path, notes: list[str]) -> Iterator[Make]:
    with ExitStack() as stack:

        def make(language: str, *, model: str | None = None, budget: Budget | None = None) -> Casting:
            manager = Manager(budget)
            stack.callback(manager.close)
            return Casting(manager, language, notes.append, model=model)

        yield make


def test_a_plan_is_made_of_the_best_of_each_role(casting: Make) -> None:
    english = casting("en")
    plan = english.fit(None, 1)
    assert [(part.role, part.choice.model.name) for part in plan.parts] == [
        ("vad", "silero-vad"),
        ("recognizer", "pocketsphinx-en-us"),
        ("punctuator", "lowvox-te"),
        ("synthesizer", "lowvox-voice"),
    ]
    assert plan.fits
    assert plan.smallest is not None
    assert 0 < plan.smallest <= plan.peak
    assert [part.streams for part in english.fit(("vad", "recognizer"), 2).parts] == [2, 2]


def test_punctuation_is_given_up_first_unless_it_is_asked_for(casting: Make) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    smallest = casting("en").fit(None, 1).smallest
    assert smallest is not None
    short = casting("en", budget=Budget(smallest - MB))
    less = short.fit(None, 1)
    assert less.fits
    assert less.gives[0] == "text comes without punctuation and capitals"
    assert "punctuator" not in [part.role for part in less.parts]
    assert not short.fit(("vad", "recognizer", "punctuator", "synthesizer"), 1).fits


def test_a_role_without_a_model_is_left_out_unless_it_is_asked_for(casting: Make, notes: list[str]) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    german = casting("de")
    assert [part.role for part in german.fit(None, 1).parts] == ["vad", "punctuator", "synthesizer"]
    (note,) = notes
    assert note.startswith("Left out of the plan: No recognizer for 'de'")
    with pytest.raises(NotFoundError, match="lowvox pull"):
        german.fit(("recognizer",), 1)
    with pytest.raises(NotFoundError):
        casting("en", model="no-such-model").fit(None, 1)


def test_as_many_jobs_at_once_as_the_budget_holds(casting: Make) -> None:
    wide = casting("en")
    two = wide.fit(("vad", "recognizer"), 2)
    assert wide.at_once(3, punctuation=True) == 3
    narrow = casting("en", budget=Budget(two.peak + 10 * MB))
    assert narrow.at_once(3, punctuation=False) == 2
    assert narrow.listeners(punctuation=False)[0].runs == min(2, os.cpu_count() or 1)
    assert narrow.at_once(1, punctuation=False) == 1
    assert casting("en", budget=Budget(60 * MB)).at_once(1, punctuation=True) == 0


def test_what_does_not_fit_at_all_is_refused(casting: Make) -> None:
    with pytest.raises(BudgetError, match="60"):
        casting("en", budget=Budget(60 * MB)).listeners(punctuation=True)


def test_a_budget_without_room_for_punctuation_says_so_once(casting: Make, notes: list[str]) -> None:
    plan = casting("en").fit(("vad", "recognizer"), 1)
    short = casting("en", budget=Budget(plan.peak + 4 * MB))
    assert short.listeners(punctuation=True)[2] is None
    assert short.listeners(punctuation=True)[2] is None
    assert notes == ["The budget does not hold punctuation and capitals as well; the text comes without them."]


def test_a_language_without_punctuation_says_so_once(casting: Make, notes: list[str]) -> None:
    french = casting("fr", model="pocketsphinx-en-us")
    assert french.listeners(punctuation=True)[2] is None
    assert french.listeners(punctuation=True)[2] is None
    assert notes == ["There are no punctuation and capitals for 'fr' yet; the text has none."]


def test_another_language_is_planned_anew(casting: Make) -> None:
    changed = casting("en")
    assert changed.chosen("punctuator")[0].model.name == "lowvox-te"
    changed.language = "vi"
    assert changed.chosen("punctuator")[0].model.name == "lowvox-te-vi"
