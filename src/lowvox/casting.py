"""Casting: which models serve which roles, planned together under the budget before any of them loads."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from lowvox import engines, models
from lowvox.errors import BudgetError, NotFoundError
from lowvox.memory import planner
from lowvox.memory.planner import Need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lowvox.memory.manager import Manager
    from lowvox.memory.planner import Plan
    from lowvox.types import Choice, Model, Role


class Casting:
    """Chooses models for a language; `model` is a recogniser that was asked for, `voice` a voice.

    `note` is told what was given up.
    """

    def __init__(
        self,
        manager: Manager,
        language: str,
        note: Callable[[str], None],
        *,
        model: str | None = None,
        voice: str | None = None,
    ) -> None:
        self._manager = manager
        self.language = language
        self.voice = voice
        self._model = model
        self._note = note
        self._said: set[str] = set()
        self._streams = 1
        self._plans: dict[object, Plan] = {}

    def listeners(self, *, punctuation: bool) -> tuple[Choice, Choice, Choice | None]:
        """Return a VAD, the best recogniser that the budget holds, and a punctuator.

        There is none of the last where it is not wanted, has no model for the language, or does not fit beside them.
        """
        if punctuation and self._has_punctuator():
            with suppress(BudgetError):
                vad, recognizer, punctuator = self.chosen("vad", "recognizer", "punctuator")
                return vad, recognizer, punctuator
            self.say_once("The budget does not hold punctuation and capitals as well; the text comes without them.")
        vad, recognizer = self.chosen("vad", "recognizer")
        return vad, recognizer, None

    def chosen(self, *roles: Role) -> tuple[Choice, ...]:
        """Return how these roles will be served; raises BudgetError where the budget cannot hold them."""
        streams = self._streams if "recognizer" in roles else 1
        return self._planned((roles, streams, self.language), lambda: self._needs(roles, streams))

    def speaker(self, voice: str | None = None, language: str | None = None, *, hears: bool = False) -> Choice:
        """Return what will speak in a voice, or in a language; the usual ones where none is given.

        It `hears` where it is given a recording of whom to speak like.
        """
        language = language or self.language
        name = models.speaking(voice)

        def needs() -> list[Need]:
            need = self._need("synthesizer", language, name, 1)
            return [replace(need, models=tuple(map(_listening, need.models))) if hears else need]

        return self._planned((name, language, hears), needs)[0]

    def _planned(self, key: object, needs: Callable[[], Iterable[Need]]) -> tuple[Choice, ...]:
        """Plan once under this budget, and say what the plan gives up."""
        key = (key, self._manager.stated)
        if key not in self._plans:
            self._plans[key] = self._manager.plan(list(needs()))
        plan = self._plans[key]
        if not plan.fits:
            raise planner.refusal(plan)
        for sentence in plan.gives:
            self.say_once(f"To fit the budget: {sentence}.")
        return tuple(part.choice for part in plan.parts)

    def fit(self, roles: Sequence[Role] | None, streams: int) -> Plan:
        """Plan these roles together, by default all that have a model, with so many conversations each.

        Punctuation that was not asked for by name is given up where the budget does not hold it as well.
        """
        needs = list(self._needs(roles, streams))
        plan = self._manager.plan(needs, thorough=True)
        if plan.fits or roles is not None or "punctuator" not in {need.role for need in needs}:
            return plan
        without = self._manager.plan([need for need in needs if need.role != "punctuator"], thorough=True)
        return replace(without, gives=("text comes without punctuation and capitals", *without.gives))

    def at_once(self, jobs: int, *, punctuation: bool) -> int:
        """Return how many of `jobs` that listen the budget holds at once, and plan for as many from here on."""
        roles: list[Role] = ["vad", "recognizer"]
        with suppress(BudgetError):  # not even one: the planner says so below
            roles += ["punctuator"] if self.listeners(punctuation=punctuation)[2] else []
        found = self._manager.most(list(self._needs(roles, 1)), jobs)
        self._streams = max(1, found)
        return found

    def say_once(self, sentence: str) -> None:
        """Note a sentence, the first time it is to be said."""
        if sentence not in self._said:
            self._said.add(sentence)
            self._note(sentence)

    def _has_punctuator(self) -> bool:
        """Whether there is a model for the language; said once where there is none."""
        try:
            found = models.candidates("punctuator", self.language)
        except NotFoundError:
            self.say_once(f"There are no punctuation and capitals for {self.language!r} yet; the text has none.")
            return False
        return any(engines.available(model.engine) for model in found)

    def _needs(self, roles: Sequence[Role] | None, streams: int) -> Iterator[Need]:
        """Name the models that may serve these roles, by default all roles that have one installed."""
        names = {"recognizer": self._model, "synthesizer": models.speaking(self.voice)}
        for role in roles or ("vad", "recognizer", "punctuator", "synthesizer"):
            name = names.get(role)
            try:
                yield self._need(role, None if role == "vad" else self.language, name, streams)
            except NotFoundError as error:
                if roles is not None or name:
                    raise
                if role != "punctuator":
                    self._note(f"Left out of the plan: {error}")

    def _need(self, role: Role, language: str | None, name: str | None, streams: int) -> Need:
        """Name the models that may serve a role; NotFoundError where there is none, or the best one's engine lacks."""
        found = models.candidates(role, language, name)
        engines.require(found[0].engine)
        return Need(role, tuple(model for model in found if engines.available(model.engine)), streams)


def _listening(model: Model) -> Model:
    """Return a model as one that hears a recording, where that takes more than speaking alone."""
    more = engines.entry(model.engine).listening is not None
    return replace(model, variant=engines.LISTENING) if more else model
