"""`Speech`: the front of lowvox. Wires sound, roles and the memory manager together; all work is done elsewhere.

    with Speech(budget="300 MB", language="en") as speech:
        transcript = speech.transcribe("talk.flac")
        for audio in speech.say("Done."):
            play(audio)

One `Speech` may be used from several threads. From asyncio, wrap any of its iterators in `in_thread`.
"""

from __future__ import annotations

import time
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lowvox import engines, models, settings
from lowvox.casting import Casting
from lowvox.dictation import Dictation, until
from lowvox.memory import meter, running, stated
from lowvox.memory.manager import Manager
from lowvox.memory.monitor import Monitor
from lowvox.report import timeline
from lowvox.types import Audio, Event, MemoryReport, Segment, Transcript

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from lowvox.audio.reading import Recording
    from lowvox.audio.utterances import Limits
    from lowvox.dictation import Source
    from lowvox.memory.budget import Budget
    from lowvox.memory.planner import Plan
    from lowvox.punctuation import Borrowed
    from lowvox.text.aloud.lexicon import Lexicon
    from lowvox.text.ssml import Passage
    from lowvox.types import Choice, PunctuatorStream, Role, Usage

    # Told (position, length) in seconds.
    Progress = Callable[[float, float], None]


class Speech:
    """Dictation, transcription and synthesis inside one budget.

    Arguments left out come from the settings. `budget` is a size ("300 MB"), "auto" or None for no limit; `model` is a
    name, or a folder on disk; `keep_alive` says how long what is idle stays ("60m", "0", "-1": for ever);
    `punctuation` puts marks and capitals into what was heard, `spoken_commands` writes "comma" as what it stands for;
    `on_note` receives sentences for the person who waits. Raises NotFoundError when a model is missing, BudgetError,
    before anything loads, when the budget cannot hold one.
    """

    def __init__(
        self,
        *,
        budget: str | float | Budget | None = None,
        language: str | None = None,
        model: str | None = None,
        voice: str | None = None,
        threads: int | None = None,
        keep_alive: str | float | None = None,
        punctuation: bool | None = None,
        spoken_commands: bool | None = None,
        on_note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = settings.load()
        self._model = model or self.settings.audio.model
        self._note = on_note
        usual = self.settings.recognition
        self._punctuation = usual.punctuation_enabled if punctuation is None else punctuation
        self._commands = usual.spoken_commands if spoken_commands is None else spoken_commands
        self._keeps_timeline = timeline.wanted()
        self.monitor = Monitor(history=running.history())
        self.manager = Manager(
            stated.budget(budget, self.settings.memory.budget),
            threads=threads or self.settings.recognition.threads,
            session=cache(partial(stated.session, self.settings.onnx, on_note)),
            keep_alive=stated.keep_alive(keep_alive, self.settings.memory.keep_alive),
            on_note=on_note,
            on_mark=self.monitor.mark,
            on_busy=lambda busy: self.monitor.pace(busy=busy),
        )
        self._casting = Casting(
            self.manager,
            language or self.settings.audio.language,
            on_note,
            model=self._model,
            # A language that was asked for beats a voice that is merely usual.
            voice=voice or (None if language else self.settings.speech.voice),
        )
        self.monitor.budget = self.manager.stated
        self.monitor.on_sample = self._look
        self.monitor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Unload everything; may be called twice."""
        self.manager.close()
        self.monitor.stop()
        if self._keeps_timeline:
            self._keeps_timeline = False
            self._note(timeline.keep(self.monitor, self.memory()))

    def listeners(self) -> tuple[Choice, Choice, Choice | None]:
        """Return what will listen: the VAD, the best recogniser for the language that the budget holds, a punctuator.

        There is none of the last where it is switched off, has no model for the language, or does not fit beside them.
        """
        return self._casting.listeners(punctuation=self._punctuation)

    def speaker(self) -> Choice:
        """Return what will speak."""
        return self._casting.speaker(self.voice)

    def fit(self, roles: Sequence[Role] | None = None, streams: int = 1) -> Plan:
        """Plan these roles together, by default all that have a model, with so many conversations each.

        Nothing is loaded; what was never measured on this machine is measured. Punctuation that was not asked for by
        name is given up where the budget does not hold it as well.
        """
        return self._casting.fit(roles, streams)

    def at_once(self, jobs: int) -> int:
        """Return how many of `jobs` that listen the budget holds at once, and plan for as many from here on."""
        return self._casting.at_once(jobs, punctuation=self._punctuation)

    def preload(self, *roles: Role) -> bool:
        """Load the models of these roles for later, where that evicts nothing; False where it would."""
        return self.manager.preload(*self._casting.chosen(*roles))

    def unload(self, *roles: Role) -> None:
        """Unload the models of these roles: now what is idle, what is in use after its job."""
        self.manager.unload(*roles)

    @property
    def language(self) -> str:
        """The language of what is heard and said from here on, such as "en"."""
        return self._casting.language

    @language.setter
    def language(self, code: str) -> None:
        self._casting.language = code

    @property
    def voice(self) -> str | None:
        """The voice that speaks where none is asked for, None: the best one for the language."""
        return self._casting.voice

    @property
    def punctuation(self) -> bool:
        """Whether text gets punctuation and capitals; switching it off unloads the model."""
        return self._punctuation

    @punctuation.setter
    def punctuation(self, on: bool) -> None:
        self._punctuation = on
        if not on:
            self.unload("punctuator")

    def segments(self, source: str | Path, on_progress: Progress = lambda *_: None) -> Generator[Segment, None, None]:
        """Recognise a file, or standard input for "-", and give each utterance as it is done, in flat memory.

        `on_progress` is told how many seconds of sound have been read, and of how many.
        """
        from lowvox import recognition
        from lowvox.audio import reading

        *choices, punctuator = self.listeners()
        with reading.opened(source) as recording, self.manager.lease(*choices) as (hears, understands):
            found = None
            blocks = _counted(recording, on_progress)
            heard = recognition.segments(blocks, hears, understands, self._limits(choices[1]))
            for found in self._written(heard, punctuator):
                yield found
            if found is None:
                self._note(f"{recording.name}: no words were found in it.")
        self._advise()

    def transcribe(self, source: str | Path, on_progress: Progress = lambda *_: None) -> Transcript:
        """Recognise a whole file, or standard input for "-"."""
        begun = time.perf_counter()
        duration = 0.0

        def count(position: float, length: float) -> None:
            nonlocal duration
            duration = position
            on_progress(position, length)

        segments = tuple(self.segments(source, count))
        return Transcript(
            text=" ".join(segment.text for segment in segments),
            language=self.language,
            model=self.listeners()[1].model.name,
            duration_s=round(duration, 3),
            rtf=round((time.perf_counter() - begun) / max(duration, 1e-3), 4),
            segments=segments,
            memory=self.memory(),
        )

    def dictate(self, blocks: Iterable[bytes] | Source | None = None) -> Dictation:
        """Recognise live sound: the microphone, or `blocks` of PCM at 16 kHz that come at the speed of life.

        A function in their place is called with the event that says when to stop. The work is done by whoever iterates.
        `stop` ends it with the last words kept, `close` at once.
        """
        return Dictation(partial(self._events, blocks))

    def say(
        self,
        text: str | Iterable[str],
        *,
        voice: str | None = None,
        rate: float | None = None,
        pitch: float | None = None,
        volume: float | None = None,
        lexicon: str | Path | None = None,
        **more: object,
    ) -> Generator[Audio, None, None]:
        """Speak text, or pieces of text of any total length, sentence by sentence in flat memory.

        `rate`, `pitch` and `volume` are factors; 1.0 is the voice's own. `lexicon` is a file of words and how they are
        said: NotFoundError where there is none, DamagedError where it has a broken line. `more` are options of the
        engine alone, such as `seed` or `reference`; UsageError for one that it does not have. Text that begins with
        `<speak` is SSML. All sound has the rate of the first voice.
        """
        from lowvox.audio.resampling import same_rate
        from lowvox.text.ssml import passages

        words = _lexicon(lexicon) if lexicon else None
        usual = self.settings.speech
        options: dict[str, Any] = {
            "pitch": usual.pitch if pitch is None else pitch,
            "volume": usual.volume if volume is None else volume,
        } | more
        rate = usual.rate if rate is None else rate
        sound_rate = 0
        for passage in passages([text] if isinstance(text, str) else text):
            options["rate"] = rate * passage.manner.rate
            spoken = self._spoken(passage, voice or self.voice, options, words)
            for audio in same_rate(spoken, sound_rate):
                sound_rate = audio.rate
                yield audio

    def punctuate(self, text: str | Iterable[str]) -> Generator[str, None, None]:
        """Put punctuation and capitals into text that comes in pieces, as it comes; each line is a text of its own.

        Words stay as they are and in order, and memory does not follow the length of the text.
        """
        from lowvox.text.restoration import flowing

        choice = self._casting.chosen("punctuator")[0]
        with self.manager.lease(choice, language=self.language) as (stream,):
            yield from flowing([text] if isinstance(text, str) else text, stream, self.language)

    def memory(self) -> MemoryReport:
        """Report what lowvox has taken so far: the peaks of its process tree and what each part accounts for."""
        self.monitor.sample()
        budget, peak = self.manager.budget, self.monitor.peak
        return MemoryReport(
            budget_mb=None if budget is None else round(budget.bytes / meter.MB, 1),
            peak_pss_mb=round(peak.pss / meter.MB, 1),
            peak_rss_mb=round(self.monitor.peak_rss / meter.MB, 1),
            peak_uss_mb=round(peak.uss / meter.MB, 1),
            parts=self.manager.parts(),
        )

    def _events(
        self, blocks: Iterable[bytes] | Source | None, stopped: threading.Event
    ) -> Generator[Event, None, None]:
        """Recognise live sound until the event is set."""
        from lowvox import recognition
        from lowvox.audio.ahead import Ahead

        *choices, punctuator = self.listeners()
        # Whoever speaks is heard from now on, while the models are still loading.
        with closing(Ahead(self._live(blocks, stopped))) as sound, self.manager.lease(*choices) as (hears, understands):
            limits = self._limits(choices[1])
            heard = recognition.events(sound, hears, understands, limits, since=lambda: sound.since)
            yield from self._written_live(heard, punctuator)
        self._advise()

    def _spoken(
        self, passage: Passage, voice: str | None, options: dict[str, Any], lexicon: Lexicon | None
    ) -> Generator[Audio, None, None]:
        """Speak what is said in one manner; another language has its own voice."""
        from lowvox import synthesis

        if passage.manner.language:
            voice = None
        language = passage.manner.language or self.language
        speaker = self._casting.speaker(voice, language, hears="reference" in options)
        name, _, who = (voice or "").partition("+")
        if speaker.model.engine == "espeak" and name != "espeak":  # the voice is one of its languages
            language = name or language
        else:
            voice = f"+{who}" if who else None
        with self.manager.lease(speaker, language=language, voice=voice, **options) as (stream,):
            pauses = not engines.entry(speaker.model.engine).pauses
            yield from synthesis.spoken(passage, stream, language, speaker.cap, pauses=pauses, lexicon=lexicon)

    def _written(self, heard: Iterable[Segment], choice: Choice | None) -> Iterable[Segment]:
        """Turn what was heard into what is written."""
        from lowvox import punctuation

        if self._commands:
            heard = (punctuation.commanded(segment, self.language) for segment in heard)
        return punctuation.segments(heard, self._borrowed(choice), self.language) if choice else heard

    def _written_live(self, heard: Iterable[Event], choice: Choice | None) -> Iterable[Event]:
        """Turn what is heard into what is written."""
        from lowvox import punctuation

        if self._commands:
            heard = (punctuation.commanded_live(event, self.language) for event in heard)
        return punctuation.events(heard, self._borrowed(choice), self.language) if choice else heard

    def _borrowed(self, choice: Choice) -> Borrowed:
        """Return a punctuator that is leased for each use, and adds nothing while it is switched off."""
        from lowvox.punctuation import Borrowed

        def lend() -> AbstractContextManager[Sequence[PunctuatorStream]]:
            return self.manager.lease(choice, language=self.language)

        return Borrowed(lend, lambda: self._punctuation, self._casting.say_once)

    def _live(self, blocks: Iterable[bytes] | Source | None, stopped: threading.Event) -> Iterable[bytes]:
        if blocks is None:
            from lowvox.audio.microphone import listen

            return listen(self.settings.audio.microphone_id, stopped)
        return blocks(stopped) if callable(blocks) else until(stopped, blocks)

    def _look(self, now: Usage) -> None:
        """Hold a look at the process tree against what is known of it, and against the budget."""
        self.monitor.attributed = self.manager.charge
        self.manager.guard(now)

    def _advise(self) -> None:
        """Say once which download would understand better."""
        if not self._model and (advice := models.advice(self.listeners()[1].model, self.language)):
            self._casting.say_once(advice)

    def _limits(self, recognizer: Choice) -> Limits:
        from lowvox import recognition

        return recognition.limits(self.settings.audio.vad_sensitivity, recognizer.cap)


def transcribe(source: str | Path, **options: Any) -> Transcript:
    """Recognise one file; `options` are those of `Speech`."""
    with Speech(**options) as speech:
        return speech.transcribe(source)


def dictate(blocks: Iterable[bytes] | Source | None = None, **options: Any) -> Iterator[Event]:
    """Recognise the microphone, or live blocks of PCM at 16 kHz; `options` are those of `Speech`."""
    with Speech(**options) as speech:
        yield from speech.dictate(blocks)


def say(text: str | Iterable[str], path: str | Path, **options: Any) -> None:
    """Speak text into a sound file; `options` are those of `Speech`."""
    from lowvox.audio.writing import Writer

    with Speech(**options) as speech, Writer(path) as writer:
        for audio in speech.say(text):
            writer.write(audio)


def punctuate(text: str, **options: Any) -> str:
    """Put punctuation and capitals into text, line by line; `options` are those of `Speech`."""
    with Speech(**options) as speech:
        return "".join(speech.punctuate(text))


def _lexicon(path: str | Path) -> Lexicon:
    from lowvox.text.aloud import lexicon

    return lexicon.read(Path(path))


def _counted(recording: Recording, on_progress: Progress) -> Iterator[bytes]:
    """Read blocks and tell how many seconds they make."""
    done = 0
    for block in recording.blocks():
        done += len(block)
        on_progress(done / 32000, recording.seconds)
        yield block
