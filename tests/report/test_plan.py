"""A plan as people and as programs read it."""

from __future__ import annotations

import msgspec

from lowvox.memory.planner import MB, Plan, Planned
from lowvox.report.plan import fit, summary, text
from lowvox.types import Choice, Model, Placement, Profile, Role


def part(
    name: str,
    role: Role,
    mb: float,
    placement: Placement = "worker",
    *,
    measured: bool = True,
    streams: int = 1,
    residents: int = 1,
) -> Planned:
    choice = Choice(Model(name, name, role, ()), Profile(), placement, runs=min(2, streams))
    return Planned(role, choice, streams, residents, round(0.9 * mb * MB), round(mb * MB), measured)


BASE = (("audio libraries", 20 * MB), ("lowvox itself", 14 * MB))
PARTS = (part("silero-vad", "vad", 5, "in-process"), part("pocketsphinx-en-us", "recognizer", 129))
FITS = Plan(True, 300 * MB, 168 * MB, PARTS, BASE, 149 * MB)
TIGHT = Plan(True, 170 * MB, 168 * MB - 1, PARTS, BASE, None, ("utterances are cut at 6 s, not 15: saves 14 MB",))
NOT = Plan(False, 100 * MB, 149 * MB, PARTS, BASE, 149 * MB, ("small runs in lowvox's own process: saves 5 MB",))
UNKNOWN = Plan(False, 100 * MB, 1834 * MB, (part("large", "recognizer", 1800, measured=False),), BASE, 1834 * MB)


def test_one_line_in_whole_mb_that_adds_up() -> None:
    assert summary(FITS) == "needs 168 MB of 300 at its peak; leaves 132"
    assert summary(TIGHT) == "needs 168 MB of 170 at its peak; leaves 2"
    assert summary(Plan(True, None, 168 * MB, PARTS, BASE)) == "needs 168 MB at its peak; no budget is set"
    assert summary(NOT) == "does not fit 100 MB; the least there is needs 149 MB at its peak"
    assert summary(UNKNOWN) == "does not fit 100 MB; the least there is needs at least 1834 MB at its peak"
    # A budget and a need that differ by less than they are rounded.
    assert summary(Plan(True, 168 * MB + 9, 168 * MB + 5, PARTS, BASE)).endswith("of 169 at its peak; leaves 0")


def test_text() -> None:
    assert text(FITS) == (
        "needs 168 MB of 300 at its peak; leaves 132\n"
        "\n"
        "part                role        runs in           streams  resident MB  peak MB\n"
        "silero-vad          vad         lowvox's process  1                4.5      5.0\n"
        "pocketsphinx-en-us  recognizer  its own process   1              116.1    129.0\n"
        "audio libraries                                                            20.0\n"
        "lowvox itself                                                              14.0\n"
        "all of it                                                                 168.0\n"
        "\n"
        "The smallest budget that holds these roles is 152 MB.\n"
    )
    assert max(map(len, text(FITS).splitlines())) <= 80


def test_what_is_given_up() -> None:
    assert text(TIGHT).endswith("\nGiven up against the best:\n  utterances are cut at 6 s, not 15: saves 14 MB\n")
    assert "The smallest budget" not in text(NOT)  # the error that follows says it


def test_several_streams_and_names_that_the_terminal_cannot_show() -> None:
    plan = Plan(True, None, 50 * MB, (part("модель", "recognizer", 50, streams=3),))
    assert "its own process  3, 2 at once" in text(plan)
    apart = Plan(True, None, 50 * MB, (part("m", "recognizer", 50, streams=3, residents=2),))
    assert "2 own processes  3  " in text(apart)
    assert "??????" in text(plan, "ascii")


def test_what_was_not_measured_is_not_told_as_if() -> None:
    row = next(line for line in text(UNKNOWN).splitlines() if line.startswith("large"))
    assert row.split()[-2:] == ["-", "-"]
    told = fit(UNKNOWN)
    assert (told.peak_mb, told.smallest_budget_mb) == (None, None)
    assert (told.parts[0].resident_mb, told.parts[0].peak_mb) == (None, None)


def test_json() -> None:
    told = msgspec.json.decode(msgspec.json.encode(fit(NOT)))
    assert told == {
        "fits": False,
        "budget_mb": 100.0,
        "peak_mb": 149.0,
        "parts": [
            {
                "role": "vad",
                "model": "silero-vad",
                "variant": "default",
                "profile": "default",
                "resident_mb": 4.5,
                "peak_mb": 5.0,
                "placement": "in-process",
                "streams": 1,
                "residents": 1,
                "runs": 1,
                "cap": None,
                "threads": 1,
                "window": None,
                "tuned": False,
            },
            {
                "role": "recognizer",
                "model": "pocketsphinx-en-us",
                "variant": "default",
                "profile": "default",
                "resident_mb": 116.1,
                "peak_mb": 129.0,
                "placement": "worker",
                "streams": 1,
                "residents": 1,
                "runs": 1,
                "cap": None,
                "threads": 1,
                "window": None,
                "tuned": False,
            },
        ],
        "base": [{"name": "audio libraries", "peak_mb": 20.0}, {"name": "lowvox itself", "peak_mb": 14.0}],
        "smallest_budget_mb": 152,
        "gives": ["small runs in lowvox's own process: saves 5 MB"],
    }
    assert fit(Plan(True, None, MB, ())).budget_mb is None
    assert fit(FITS).smallest_budget_mb == 152
