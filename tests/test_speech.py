from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

import lowvox
from lowvox.audio.clip import PATH, TEXT, clip
from lowvox.errors import BudgetError, DamagedError, NotFoundError
from lowvox.memory import meter

SAID = TEXT.lower().replace(".", "").replace(",", "")


def live(sound: bytes) -> Iterator[bytes]:
    return (sound[at : at + 3200] for at in range(0, len(sound), 3200))


@pytest.fixture
def speech(home: Path) -> Iterator[lowvox.Speech]:
    with lowvox.Speech(language="en") as opened:
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
    assert not any(seat.holder for seat in speech.manager._seats)


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
    dictation = speech.dictate(live(clip() * 3))
    first = next(dictation)
    assert first.kind == "partial"
    dictation.stop()
    *_, last = dictation
    assert last.kind == "final"
    assert last.segment is not None
    assert last.segment.end < 3


def test_closing_gives_everything_back(speech: lowvox.Speech) -> None:
    taken = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for block in live(clip()):
            taken += 1
            yield block

    dictation = speech.dictate(counted())
    next(dictation)
    dictation.close()
    assert list(dictation) == []
    assert taken < 20, "sound is taken no faster than it is understood"
    assert not any(seat.holder for seat in speech.manager._seats)


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
    assert lowvox.transcribe(PATH, language="en").text == SAID
    *_, last = lowvox.dictate(live(clip()), language="en")
    assert last.text == SAID


def test_speech_comes_back_as_speech(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    lowvox.say("Good morning. This is a test.", tmp_path / "out.wav")
    info = soundfile.info(tmp_path / "out.wav")
    assert 1.5 < info.duration < 6
    with lowvox.Speech(language="de") as speech:
        blocks = speech.say(["Guten ", "Morgen. ", "Das ist ", "ein Test."], rate=1.5)
        first = next(blocks)
        assert first.rate == info.samplerate
        assert first.seconds == pytest.approx(len(first.samples) / first.rate)
        rest = sum(audio.seconds for audio in blocks)
        assert 0.5 < first.seconds + rest < 4
