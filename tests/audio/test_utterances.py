from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lowvox.audio.utterances import FRAME, FRAME_BYTES, FRAME_S, Limits, Segmenter, Utterance


def frame(number: int, loudness: int = 100) -> bytes:
    """A frame that can be told from all others: its number, then a steady level."""
    return number.to_bytes(4, "little") + loudness.to_bytes(2, "little", signed=True) * (FRAME - 2)


def run(probabilities: list[float], limits: Limits, loudness: list[int] | None = None) -> list[Utterance]:
    segmenter = Segmenter(limits)
    found = []
    for number, probability in enumerate(probabilities):
        done = segmenter.push(frame(number, loudness[number] if loudness else 100), probability)
        assert done is None or isinstance(done, Utterance)
        found += [done] if done else []
    last = segmenter.finish()
    assert segmenter.finish() is None
    return found + ([last] if last else [])


def numbers(utterance: Utterance) -> list[int]:
    pcm = utterance.pcm
    return [int.from_bytes(pcm[at : at + 4], "little") for at in range(0, len(pcm), FRAME_BYTES)]


some_limits = st.builds(
    Limits,
    pause_s=st.floats(0.1, 1),
    pad_s=st.floats(0, 0.5),
    longest_s=st.floats(1, 3),
)


@settings(max_examples=200)
@given(st.lists(st.sampled_from([0.0, 0.4, 0.9]), max_size=300), some_limits)
def test_utterances_are_slices_of_the_stream(probabilities: list[float], limits: Limits) -> None:
    found = run(probabilities, limits)
    heard = [number for utterance in found for number in numbers(utterance)]
    assert heard == sorted(set(heard)), "nothing twice, nothing out of order"
    for utterance in found:
        inside = numbers(utterance)
        assert inside == list(range(inside[0], inside[-1] + 1)), "nothing left out"
        assert abs(utterance.start - inside[0] * FRAME_S) < 1e-9
        assert abs(utterance.end - (inside[-1] + 1) * FRAME_S) < 1e-9
        assert len(inside) <= round(limits.longest_s / FRAME_S)
        assert any(probabilities[number] >= limits.enter for number in inside) or found.index(utterance) > 0
    spoken = {number for number, probability in enumerate(probabilities) if probability >= limits.enter}
    assert spoken <= set(heard), "no speech is lost"


@given(st.integers(1, 400))
def test_silence_is_no_utterance(length: int) -> None:
    assert run([0.1] * length, Limits()) == []


def test_a_pause_ends_an_utterance_and_both_sides_are_padded() -> None:
    limits = Limits(pause_s=0.7, pad_s=0.3)
    first, second = run([0.0] * 50 + [0.9] * 30 + [0.0] * 60 + [0.9] * 30 + [0.0] * 60, limits)
    pad = round(0.3 / FRAME_S)
    assert numbers(first)[0] == 50 - pad
    assert numbers(first)[-1] == 79 + pad
    assert numbers(second)[0] == 140 - pad
    assert not first.cut


def test_doubt_carries_speech_on_but_does_not_begin_it() -> None:
    assert run([0.4] * 100, Limits()) == []
    (only,) = run([0.9] * 3 + [0.4] * 60 + [0.0] * 60, Limits())
    assert numbers(only)[-1] >= 62


def test_a_long_utterance_is_cut_at_its_quietest_place_and_goes_on_there() -> None:
    limits = Limits(longest_s=3.2)  # 100 frames
    loudness = [1000] * 250
    loudness[70:75] = [10] * 5
    loudness[20:25] = [1] * 5  # quieter still, but in the first half
    first, second, *_ = run([0.9] * 250, limits, loudness)
    assert first.cut
    assert numbers(first)[-1] == 71
    assert numbers(second)[0] == 72
    assert abs(second.start - first.end) < 1e-9


def test_what_is_going_on_can_be_seen() -> None:
    segmenter = Segmenter()
    segmenter.push(frame(0), 0.0)
    segmenter.push(frame(1), 0.9)
    assert segmenter.speaking
    assert segmenter.start == 0
    assert segmenter.sound == frame(0) + frame(1)
