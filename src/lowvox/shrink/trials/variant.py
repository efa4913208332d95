"""What is known of a variant after it was measured: the words that trial, gate, reports and commands share.

A variant is a model at one precision, or one graph. Knows nothing of how it was measured or shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Measure = Literal["wer", "cer", "f1", "agreement"]
# Of which measures a larger value is the better one.
RISING: frozenset[Measure] = frozenset({"f1", "agreement"})


@dataclass(frozen=True, slots=True)
class Quality:
    """How good what came out is, in per cent: `value` of a `metric` over `count` inputs, with its 95 % interval.

    `worse` is the interval of the paired difference to the first variant, in points, above 0 where this one is worse;
    None for the first. `by` is what judged: the recogniser's name, or the reference.
    """

    metric: Measure
    value: float
    low: float
    high: float
    count: int
    by: str
    worse: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One variant with `batch` inputs at once, in a process of its own; MB of 2^20 bytes, times in seconds.

    `run_s` is the median time of a run after warm-up, `spread_s` its quarters (25 % and 75 %); `rtf` is that over the
    length of the sound, None where there is none. `first_output_s` is until the first sound or result of a loaded
    model. `distance_db` is how far the output lies from the first variant's, None for that one: signal to difference
    in dB where outputs answer to each other sample by sample, the higher the nearer.

    `cpu_s` and `cpu_spread_s` are the same as `run_s` and `spread_s` by processor time, summed over threads. `way` says
    how inputs come together: "stacked" along the first axis, or so many runs "at once". `by_mel` says that
    `distance_db` compares spectra (see `distance.voices`) and not samples. `also` are measures that nobody judges by.
    """

    variant: str
    batch: int
    provider: str
    threads: int
    size_mb: float
    load_s: float
    first_output_s: float
    run_s: float
    spread_s: tuple[float, float]
    rtf: float | None
    peak_rss_mb: float
    peak_uss_mb: float
    runs: int
    quality: Quality | None = None
    distance_db: float | None = None
    cpu_s: float | None = None
    cpu_spread_s: tuple[float, float] | None = None
    way: Literal["stacked", "at once"] = "at once"
    by_mel: bool = False
    also: tuple[Quality, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a variant: what was measured, what the first variant had, and what follows.

    `passed` is None where the measurement cannot tell (the interval holds the limit).
    """

    name: Literal["disk", "peak", "speed", "quality"]
    passed: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a variant is worth having instead of the first; `blame` names operators or layers, the worst first."""

    variant: str
    checks: tuple[Check, ...]
    blame: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no check failed; what is undecided does not fail."""
        return all(check.passed is not False for check in self.checks)
