"""How long a voice is silent behind a sentence, for voices that do not pause by themselves."""

from __future__ import annotations

# Seconds behind what a sentence ends with; readers take about twice as long between sentences as between clauses.
_PAUSES = {".": 0.35, "!": 0.35, "?": 0.4, "…": 0.5, ":": 0.25, ";": 0.25, ",": 0.15, "。": 0.35, "！": 0.35, "？": 0.4}
_CLOSING = "\"'”’»)]}」』）】"
_ELSE = 0.1  # a sentence that was cut because it is long, or a heading


def behind(sentence: str) -> float:
    """Return the seconds of silence behind a sentence, by the mark it ends with."""
    return _PAUSES.get(sentence.rstrip().rstrip(_CLOSING)[-1:], _ELSE)


def silence(seconds: float, rate: int) -> bytes:
    """Return that much silence as PCM."""
    return bytes(2 * round(seconds * rate))
