"""The table of variants as text, Markdown and JSON."""

from __future__ import annotations

from dataclasses import fields, replace

import msgspec

from lowvox.report import variants
from lowvox.shrink.trials.variant import Check, Quality, Row, Verdict

WER = Quality("wer", 7.43, 4.5, 11.0, 50, "pocketsphinx-en-us")
FIRST = Row(
    variant="fp32",
    batch=1,
    provider="cpu",
    threads=1,
    size_mb=13.76,
    load_s=0.398,
    first_output_s=0.254,
    run_s=0.14814,
    spread_s=(0.14063, 0.16091),
    rtf=0.0332,
    peak_rss_mb=79.5,
    peak_uss_mb=46.3,
    runs=100,
    quality=WER,
    cpu_s=0.0458612345,
    cpu_spread_s=(0.045, 0.047),
    also=(replace(WER, metric="cer"),),
)
INT8 = replace(
    FIRST,
    variant="in|t8",
    batch=8,
    size_mb=4.12,
    distance_db=18.4,
    by_mel=True,
    quality=replace(WER, value=9.2, worse=(-0.39, 4.53)),
)
VERDICT = Verdict(
    "in|t8",
    (Check("disk", True, "Smaller."), Check("peak", False, "Larger."), Check("quality", None, "?")),
    ("Time: a_b.",),
)


def test_the_table_is_aligned_and_says_how_it_was_measured() -> None:
    said = variants.text([FIRST, INT8], [VERDICT])
    head, *lines = said.splitlines()
    assert head.split()[:4] == ["variant", "batch", "disk", "MB"]
    assert lines[0].split() == [
        *("fp32", "1", "13.76", "398", "254.00", "148.14", "140.63-160.91", "45.86", "0.0332", "79.5", "46.3"),
        *("7.4", "(4.5-11.0)", "7.4", "(4.5-11.0)", "–"),
    ]
    assert lines[1].endswith("18.4")
    assert "Medians of 100 runs after warm-up, 1 thread on cpu. A batch is so many runs at once." in said
    assert "WER by pocketsphinx-en-us, 50 inputs" in said
    assert "the first one's spectra" in said
    assert said.endswith("  ✓ Smaller.\n  ✗ Larger.\n  ? ?\n    Time: a_b.\n")


def test_what_nobody_measured_has_no_column() -> None:
    bare = replace(FIRST, quality=None, also=(), rtf=None, cpu_s=None, cpu_spread_s=None)
    head, line = variants.cells([bare])
    assert "RTF" not in head
    assert "dB" not in head
    assert "cpu ms" not in head
    assert len(head) == len(line)
    assert "A batch" not in variants.text([bare])


def test_a_terminal_without_such_signs() -> None:
    said = variants.text([FIRST, INT8], [VERDICT], "ascii")
    assert said.isascii()
    assert "  + Smaller.\n  - Larger.\n" in said


def test_the_headline_says_what_follows() -> None:
    good = Verdict("a", (Check("disk", True, ""),))
    assert variants.headline(good) == "a: smaller, faster and as good."
    assert "not worth having" in variants.headline(VERDICT)
    assert "not everything is decided" in variants.headline(Verdict("a", (*good.checks, Check("speed", None, ""))))


def test_markdown_is_a_table_whatever_the_names() -> None:
    said = variants.markdown([FIRST, INT8], [VERDICT]).splitlines()
    columns = len(variants.cells([FIRST, INT8])[0])
    assert [line.replace("\\|", "").count("|") for line in said[:4]] == [columns + 1] * 4
    assert "- ✗ Larger." in said
    assert "  - Time: a\\_b." in said


def test_the_object_has_all_fields_rounded() -> None:
    told = variants.document([FIRST, INT8], [VERDICT])
    again = msgspec.json.decode(msgspec.json.encode(told))
    assert set(again["rows"][0]) == {field.name for field in fields(Row)}
    assert again["rows"][0]["cpu_s"] == 0.045861
    assert again["rows"][1]["quality"]["worse"] == [-0.39, 4.53]
    assert again["verdict"][0]["passed"] is False
    assert [check["passed"] for check in again["verdict"][0]["checks"]] == [True, False, None]
