from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.errors import UsageError
from lowvox.memory.keeping import FOR_EVER, KeepAlive
from lowvox.types import Model

VAD = Model("silero-vad", "silero-vad", "vad", ())
EARS = Model("ears", "x", "recognizer", ())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        (90, 90),
        (0.5, 0.5),
        ("60m", 3600),
        ("60 m", 3600),
        ("1.5h", 5400),
        ("2s", 2),
        ("0", 0),
        ("-1", FOR_EVER),
        (-1, FOR_EVER),
        (" 3s ", 3),
    ],
)
def test_one_time_for_all(text: str | float, seconds: float) -> None:
    assert KeepAlive.parse(text).of(VAD) == seconds


def test_a_models_own_time_beats_its_roles() -> None:
    kept = KeepAlive.parse("1h, recognizer=5, ears = -1, vad=0")
    assert kept.of(EARS) == FOR_EVER
    assert kept.of(Model("other", "x", "recognizer", ())) == 5
    assert kept.of(VAD) == 0
    assert kept.of(Model("voice", "x", "synthesizer", ())) == 3600
    assert KeepAlive.parse("vad=3").of(EARS) == FOR_EVER
    assert KeepAlive().of(VAD) == FOR_EVER


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "-2",
        "-1h",
        "1d",
        "1 h 2",
        "=5",
        " =5",
        "vad=",
        "vad",
        "5,",
        ",5",
        "1e9",
        "vad=soon",
        "0x5",
        "-0",
    ],
)
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        KeepAlive.parse(text)
    assert str(caught.value) == (
        f'{text!r} is no keep-alive: write it as "60m", "0" or "-1" (for ever), or "60m, synthesizer=0".'
    )


@given(st.text())
def test_whatever_is_read_is_a_time_or_refused(text: str) -> None:
    try:
        kept = KeepAlive.parse(text)
    except UsageError as error:
        assert "is no keep-alive" in str(error)
    else:
        assert all(seconds >= 0 or seconds == FOR_EVER for seconds in (kept.usual, *kept.named.values()))


@given(
    st.integers(0, 10**6),
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9.-]{0,9}", fullmatch=True), st.integers(0, 10**6)),
)
def test_what_is_written_is_read(usual: int, named: dict[str, int]) -> None:
    text = ", ".join([str(usual), *(f"{name}={seconds}" for name, seconds in named.items())])
    assert KeepAlive.parse(text) == KeepAlive(usual, dict(named))
