"""What `lowvox ps` shows adds up as it stands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.attribution import BASE, UNATTRIBUTED, Line
from lowvox.memory.meter import MB
from lowvox.memory.survey import Snapshot
from lowvox.report.holdings import NOTHING, document, headline, span, status, table, tenths
from lowvox.types import Holding, Usage

VAD = Holding("silero-vad", "vad", "in-process", None, "leased", 9 * MB, 10 * MB, 2, 2, 0.0, 3600.0, False)
HEARS = Holding("pocketsphinx", "recognizer", "worker", 4712, "idle", 105 * MB, 131 * MB, 1, 0, 185.0, -1.0, True)


def snapshot(lines: tuple[Line, ...], budget: int | None = 300 * MB, shared: bool = False) -> Snapshot:
    whole = sum(line.bytes for line in lines)
    return Snapshot(4711, "lowvox dictate", budget, shared, 140 * MB, Usage(whole, whole + MB, whole - MB, 0), lines)


SHOWN = snapshot(
    (
        Line(BASE, 28 * MB),
        Line("silero-vad", 9 * MB, VAD),
        Line("pocketsphinx", 106 * MB, HEARS),
        Line(UNATTRIBUTED, 8 * MB + MB // 4),
    )
)


def test_the_table_on_a_terminal() -> None:
    assert table([SHOWN]) == (
        "lowvox dictate (pid 4711): 151.2 MB of 300 MB\n"
        "  NAME           ROLE        WHERE        STATUS      KEPT       MB   PEAK\n"
        "  lowvox itself                                                28.0\n"
        "  silero-vad     vad         in-process   leased x2   1 h       9.0   10.0\n"
        "  pocketsphinx   recognizer  worker 4712  idle 3 min  pinned  106.0  131.0\n"
        "  unattributed                                                  8.2\n"
        "  total                                                       151.2\n"
    )


def test_several_processes_and_their_sum() -> None:
    lines = table([SHOWN, snapshot((Line(BASE, 20 * MB, cut=True), Line(UNATTRIBUTED, 0)), None)]).splitlines()
    assert lines[8] == "lowvox dictate (pid 4711): 20 MB; no budget"
    assert lines[10].startswith("  lowvox itself*")
    assert "shared with other programs, or swapped out" in lines[13]
    assert lines[-1] == "all of lowvox: 171.2 MB"


def test_a_shared_budget_is_said() -> None:
    assert headline(snapshot(SHOWN.lines, shared=True)).endswith("of 300 MB, shared: 140 MB reserved")


def test_nothing_runs() -> None:
    assert table([]) == NOTHING + "\n"
    assert document([]) == {"parts": [], "unattributed_mb": 0, "total_mb": 0, "processes": []}


def test_json_says_it_all() -> None:
    found = document([SHOWN, SHOWN])
    assert (found["unattributed_mb"], found["total_mb"], len(found["parts"])) == (16.4, 302.4, 6)
    process = found["processes"][0]
    assert process["budget_mb"] == 300
    assert process["parts"][0] == {"name": "lowvox itself", "resident_mb": 28, "peak_mb": None}
    assert found["parts"][2] == {
        "pid": 4711,
        "name": "pocketsphinx",
        "resident_mb": 106,
        "peak_mb": 131,
        "role": "recognizer",
        "placement": "worker",
        "worker_pid": 4712,
        "status": "idle",
        "streams": 1,
        "leases": 0,
        "idle_s": 185,
        "keep_alive_s": -1,
        "pinned": True,
    }
    assert document([snapshot(SHOWN.lines, None)])["processes"][0]["budget_mb"] is None


def test_how_long_it_is_kept() -> None:
    def kept(seconds: float) -> str:
        holding = Holding("a", "vad", "in-process", None, "loading", 0, 0, 1, 0, 0.0, seconds, False)
        assert status(holding) == "loading"
        return table([snapshot((Line(BASE, 1), Line("a", 1, holding), Line(UNATTRIBUTED, 0)))]).splitlines()[3]

    assert "for ever" in kept(-1)
    assert "not kept" in kept(0)
    assert "5 min" in kept(300)
    assert "30 s" in kept(30)
    assert span(7200) == "2 h"


def test_names_from_files_cannot_command_a_terminal() -> None:
    evil = snapshot((Line("\x1b[2Jevil\nname", 5), Line(UNATTRIBUTED, 0)))
    assert "?[2Jevil name" in table([evil])
    assert "\x1b" not in table([evil])
    assert table([evil], "ascii").isascii()


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=9))
def test_figures_add_up_as_they_stand(sizes: list[int]) -> None:
    figures = tenths([Line("a", size) for size in sizes])
    assert round(sum(figures), 1) == round(sum(sizes) / MB, 1)
    assert all(abs(figure - size / MB) <= 0.2 for figure, size in zip(figures, sizes, strict=True))
