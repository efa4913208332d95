from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

import lowvox
from lowvox import models
from lowvox.audio import reading
from lowvox.audio.clip import PATH, TEXT, clip
from lowvox.errors import BudgetError, DamagedError, EngineError, NotFoundError, UsageError
from lowvox.memory import meter, running
from lowvox.memory.budget import Budget
from lowvox.memory.home import Home
from lowvox.memory.lending import Lent
from lowvox.types import Footprint, Model
from replicas.standins import MB, know, register, until

SAID = TEXT.lower().replace(".", "").replace(",", "")


def live(sound: bytes) -> Iterator[bytes]:
    return (sound[at : at + 3200] for at in range(0, len(sound), 3200))


def in_use(speech: lowvox.Speech) -> bool:
    return any(holding.leases for holding in speech.manager.holdings())


def held(speech: lowvox.Speech) -> list[str]:
    return [holding.model for holding in speech.manager.holdings()]


@pytest.fixture
def speech(home: Path) -> Iterator[lowvox.Speech]:
    with lowvox.Speech(language="en", punctuation=False) as opened:
        yield opened


def test_a_file_becomes_a_transcript(speech: lowvox.Speech) -> None:
    heard: list[tuple[float, float]] = []
    transcript = speech.transcribe(PATH, lambda position, length: heard.append((position, length)))
    assert transcript.text == SAID
    assert (transcript.language, transcript.model) == ("en", "pocketsphinx-en-us")
    assert transcript.duration_s == pytest.approx(7.46, abs=0.01)
    assert transcript.rtf > 0
    assert heard[-1][0] == pytest.approx(heard[-1][1])
    assert transcript.memory.budget_mb is None
    assert transcript.memory.peak_pss_mb > 100
    names = [part.name for part in transcript.memory.parts]
    assert names == ["lowvox itself", "silero-vad", "pocketsphinx-en-us"]


def test_the_second_file_finds_everything_loaded(speech: lowvox.Speech) -> None:
    speech.transcribe(PATH)
    processes = meter.tree()
    assert speech.transcribe(PATH).text == SAID
    assert meter.tree() == processes


def test_leaving_a_loop_ends_the_work(speech: lowvox.Speech) -> None:
    segments = speech.segments(PATH)
    assert next(segments).text == SAID
    segments.close()
    assert not in_use(speech)


def test_two_threads_hear_two_files(speech: lowvox.Speech) -> None:
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(speech.transcribe(PATH).text)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [SAID, SAID]


def test_asyncio_goes_on_while_work_is_done(speech: lowvox.Speech) -> None:
    async def listen() -> tuple[str, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        beside = asyncio.ensure_future(tick())
        texts = [event.text async for event in lowvox.in_thread(speech.dictate(live(clip()))) if event.kind == "final"]
        beside.cancel()
        return " ".join(texts), ticks

    text, ticks = asyncio.run(listen())
    assert text == SAID
    assert ticks > 1000, "the event loop was held up"


def test_dictation_is_live_and_ends_with_finals(speech: lowvox.Speech) -> None:
    events = list(speech.dictate(live(clip())))
    assert events[-1].kind == "final"
    assert events[-1].text == SAID
    assert any(event.kind == "partial" for event in events)


def test_stopping_keeps_the_last_words(speech: lowvox.Speech) -> None:
    def microphone(stopped: threading.Event) -> Iterator[bytes]:
        yield clip()[:80_000]
        assert stopped.wait(60)

    dictation = speech.dictate(microphone)
    first = next(dictation)
    assert first.kind == "partial"
    dictation.stop()
    *_, last = dictation
    assert last.kind == "final"
    assert last.segment is not None
    assert SAID.startswith(last.text[:12])
    assert last.segment.end < 3


def test_stopping_ends_blocks_that_know_no_end(speech: lowvox.Speech) -> None:
    stopped = threading.Event()

    def endless() -> Iterator[bytes]:
        yield from live(clip()[:80_000])
        assert stopped.wait(60)
        yield from iter(lambda: bytes(3200), None)

    dictation = speech.dictate(endless())
    next(dictation)
    dictation.stop()
    stopped.set()
    *_, last = dictation
    assert last.kind == "final"


def test_closing_gives_everything_back(speech: lowvox.Speech) -> None:
    taken, closed = 0, threading.Event()

    def counted() -> Iterator[bytes]:
        nonlocal taken
        try:
            for block in live(clip() * 20):
                taken += 1
                yield block
        finally:
            closed.set()

    dictation = speech.dictate(counted())
    next(dictation)
    dictation.close()
    assert list(dictation) == []
    assert closed.wait(60)
    assert taken < 700, "a minute of sound waits, and no more"
    assert not in_use(speech)


def test_who_speaks_is_heard_while_models_are_loading(speech: lowvox.Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, load = threading.Event(), Home.open

    def loading(home: Home, *args: Any) -> int:
        assert heard.wait(60), "nobody listens before the models are there"
        return load(home, *args)

    def spoken() -> Iterator[bytes]:
        yield from live(clip())
        heard.set()

    monkeypatch.setattr(Home, "open", loading)
    *_, last = speech.dictate(spoken())
    assert last.text == SAID


def test_what_cannot_be_loaded_ends_the_listening(measured: Path) -> None:
    closed = threading.Event()

    def microphone(stopped: threading.Event) -> Iterator[bytes]:
        try:
            while True:
                yield bytes(3200)
        finally:
            closed.set()

    speech = lowvox.Speech(language="en")
    speech.close()
    with pytest.raises(EngineError, match=r"This Speech is closed; open another\."):
        list(speech.dictate(microphone))
    assert closed.wait(60)


def test_a_budget_is_refused_before_anything_loads(measured: Path) -> None:
    before = meter.tree()
    with lowvox.Speech(budget="60 MB") as speech:
        with pytest.raises(BudgetError, match="nothing was loaded"):
            speech.transcribe(PATH)
        assert meter.tree() == before


def test_a_budget_is_kept(measured: Path) -> None:
    mine = meter.tree_usage().pss // meter.MB  # the other tests' libraries, and an X server perhaps
    with lowvox.Speech(budget=f"{mine + 200} MB") as speech:
        memory = speech.transcribe(PATH).memory
    assert memory.budget_mb == mine + 200
    assert memory.peak_pss_mb <= mine + 200
    assert all(part.peak_mb is not None and part.peak_mb >= part.resident_mb for part in memory.parts)


def test_settings_are_the_defaults(home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('[audio]\nlanguage = "de"\n[memory]\nbudget = "123 MB"\n')
    with lowvox.Speech() as speech:
        assert speech.language == "de"
        assert speech.memory().budget_mb == 123
        with pytest.raises(NotFoundError, match="lowvox pull vosk-model-small-de"):
            speech.transcribe(PATH)
    with lowvox.Speech(language="en", budget="5 GB") as speech:
        assert speech.language == "en"
        assert speech.memory().budget_mb == 5120


def test_silence_is_an_empty_transcript_and_is_said(home: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", [0.0] * 48000, 16000)
    told: list[str] = []
    with lowvox.Speech(on_note=told.append) as speech:
        transcript = speech.transcribe(tmp_path / "silence.wav")
    assert (transcript.text, transcript.segments) == ("", ())
    note, advice = told
    assert "lowvox pull vosk-model-small-en-us-0.15" in advice
    assert note == "silence.wav: no words were found in it."


def test_a_broken_file_leaves_the_next_one_alone(speech: lowvox.Speech, tmp_path: Path) -> None:
    (tmp_path / "cut.flac").write_bytes(PATH.read_bytes()[: PATH.stat().st_size // 2])
    with pytest.raises(DamagedError, match="breaks off"):
        speech.transcribe(tmp_path / "cut.flac")
    assert speech.transcribe(PATH).text == SAID


def test_one_liners(home: Path) -> None:
    assert lowvox.transcribe(PATH, language="en", punctuation=False).text == SAID
    *_, last = lowvox.dictate(live(clip()), language="en", punctuation=False)
    assert last.text == SAID


def test_speech_comes_back_as_speech(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    lowvox.say("Good morning. This is a test.", tmp_path / "out.wav")
    info = soundfile.info(tmp_path / "out.wav")
    assert 1.5 < info.duration < 6
    with lowvox.Speech(language="de") as speech:
        blocks = speech.say(["Guten ", "Morgen. ", "Das ist ", "ein Test."], rate=1.5)
        first = next(blocks)
        assert first.rate == 22050  # espeak's
        assert first.seconds == pytest.approx(len(first.samples) / first.rate)
        rest = sum(audio.seconds for audio in blocks)
        assert 0.5 < first.seconds + rest < 4


# What stays in memory.


def test_loading_ahead_and_unloading(measured: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    with lowvox.Speech(language="en") as speech:
        assert speech.preload("synthesizer")
        (before,) = speech.manager.holdings()
        assert (before.model, before.leases) == ("lowvox-voice", 0)
        spoken = speech.say("Good morning.")
        assert next(spoken).seconds > 0
        spoken.close()
        (after,) = speech.manager.holdings()
        assert after.pid == before.pid
        speech.unload("synthesizer")
        until(speech.manager, lambda state: not state.helds)


def test_nothing_is_evicted_to_load_ahead(measured: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    with lowvox.Speech(language="en") as speech:
        plan = speech.fit(("vad", "recognizer"))
    with lowvox.Speech(language="en", budget=Budget(plan.peak + 4 * MB)) as speech:
        assert speech.preload("vad", "recognizer")
        before = held(speech)
        with speech.manager.lease(*speech.listeners()[:2]):  # idle they would leave room enough
            assert not speech.preload("synthesizer")
        assert held(speech) == before == ["silero-vad", "pocketsphinx-en-us"]


def test_marked_up_text_is_said_as_it_is_marked(measured: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")

    with lowvox.Speech(language="en") as speech:

        def seconds(text: str) -> float:
            return sum(audio.seconds for audio in speech.say(text))

        plain = seconds("Good morning.")
        assert seconds('<speak>Good morning.<break time="2s"/></speak>') == pytest.approx(plain + 2, abs=0.01)
        assert seconds('<speak><prosody rate="50%">Good morning.</prosody></speak>') > 1.5 * plain
        german = sum(audio.seconds for audio in speech.say("777 777.", voice="de"))
        assert abs(german - seconds("777 777.")) > 0.1
        told = seconds('<speak>Hi. <lang xml:lang="de">777 777.</lang></speak>')
        assert told == pytest.approx(seconds("Hi.") + german, abs=0.05)


def test_what_is_heard_is_written_as_sentences(measured: Path) -> None:
    with lowvox.Speech(language="en") as speech:
        written = speech.transcribe(PATH)
        speech.punctuation = False
        until(speech.manager, lambda state: "lowvox-te" not in str(state.helds))
        heard = speech.transcribe(PATH)
    assert heard.text == heard.text.lower()
    assert written.text != heard.text
    assert [word.strip(",.?!:;—") for word in written.text.lower().split()] == heard.text.split()
    assert written.text[0].isupper()
    assert written.text.endswith((".", "?", "!"))
    assert [word.word for segment in written.segments for word in segment.words] == written.text.split()
    assert "lowvox-te" in [part.name for part in written.memory.parts]


def test_a_dictation_under_way_can_be_told_to_stop_punctuating(measured: Path) -> None:
    with lowvox.Speech(language="en") as speech, reading.opened(PATH) as recording:
        events = speech.dictate(recording.blocks())
        for event in events:
            if event.text:
                break
        speech.punctuation = False
        finals = [event.text for event in events if event.kind == "final" and event.text]
        until(speech.manager, lambda state: "lowvox-te" not in str(state.helds))
    assert finals
    assert all(text == text.lower() for text in finals)


def test_text_is_punctuated(measured: Path) -> None:
    assert lowvox.punctuate("how are you\ni am fine", language="en") == "How are you?\nI am fine."
    with lowvox.Speech(language="en", budget="1 GB") as speech:
        assert list(speech.punctuate(["how are ", "you\ni am ", "fine\n"])) == ["How are you?\n", "I am fine.\n"]
    with pytest.raises(BudgetError):
        lowvox.punctuate("how are you", language="en", budget="20 MB")
    with pytest.raises(NotFoundError, match="'xx'"):
        lowvox.punctuate("how are you", language="xx")


def test_punctuation_is_switched_off_at_run_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Engine", role="punctuator")
    with lowvox.Speech(language="en") as speech:
        assert speech.punctuation
        with speech.manager.lease(Model("commas", "engine", "punctuator", ("en",))):
            speech.punctuation = True
            assert held(speech) == ["commas"]
        speech.punctuation = False
        assert not speech.punctuation
        until(speech.manager, lambda state: not state.helds)
    monkeypatch.setenv("LOWVOX_RECOGNITION_PUNCTUATION_ENABLED", "false")
    with lowvox.Speech(language="en") as speech:
        assert not speech.punctuation


def test_how_long_what_is_idle_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Engine")
    model = Model("ears", "engine", "recognizer", ("en",))
    monkeypatch.setenv("LOWVOX_MEMORY_KEEP_ALIVE", "60m, recognizer=0")
    with lowvox.Speech() as speech:
        assert speech.manager.keep_alive.of(Model("v", "engine", "vad", ())) == 3600
        with speech.manager.lease(model):
            assert held(speech) == ["ears"]
        until(speech.manager, lambda state: not state.helds)
    with lowvox.Speech(keep_alive=-1) as speech:
        with speech.manager.lease(model):
            pass
        assert held(speech) == ["ears"]


def test_a_wrong_setting_is_named_and_a_wrong_argument_is_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"^'soon' is no keep-alive"):
        lowvox.Speech(keep_alive="soon")
    with pytest.raises(UsageError, match=r"^'12 parsecs' is not a memory size"):
        lowvox.Speech(budget="12 parsecs")
    monkeypatch.setenv("LOWVOX_MEMORY_KEEP_ALIVE", "soon")
    with pytest.raises(UsageError, match=r"^The setting memory\.keep_alive: 'soon' is no keep-alive"):
        lowvox.Speech()
    monkeypatch.setenv("LOWVOX_MEMORY_BUDGET", "12 parsecs")
    with pytest.raises(UsageError, match=r"^The setting memory\.budget: '12 parsecs' is not"):
        lowvox.Speech()


def test_a_small_budget_makes_sentences_shorter_and_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    espeak = models.find("synthesizer", "de")
    # 20 MB, and a MB more for every 4 characters.
    know(espeak, Footprint(resident=19 * MB, stream=MB, work=100 * MB, load_s=0.1, slope=MB / 4, longest=400.0))
    spoken: list[str] = []
    told: list[str] = []
    speak = Lent.speak

    def heard(lent: Lent, text: str) -> Iterator[bytes]:
        spoken.append(text)
        return speak(lent, text)

    monkeypatch.setattr(Lent, "speak", heard)
    mine = meter.usage(os.getpid()).rss
    with lowvox.Speech(language="de", budget=Budget(mine + 90 * MB), on_note=told.append) as speech:
        assert speech.speaker().cap == 200
        for _ in range(2):
            for _ in speech.say("many words without any end " * 20):
                pass
    assert max(map(len, spoken)) <= 200
    assert len(spoken) == 2 * 3
    (note,) = told
    assert note.startswith("To fit the budget: ")
    assert "200" in note


def test_a_budget_of_the_settings_is_shared_and_one_of_an_argument_is_not(
    measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claims() -> list[bool]:
        return [claim.shared for state in running.read() for claim in state.claims.values()]

    monkeypatch.setenv("LOWVOX_MEMORY_BUDGET", "4 GB")
    with lowvox.Speech() as speech:
        assert speech.preload("vad")
        until(speech.manager, lambda _: claims() == [True])
    assert claims() == []
    with lowvox.Speech(budget="4 GB") as speech:
        assert speech.preload("vad")
        until(speech.manager, lambda _: claims() == [False])
