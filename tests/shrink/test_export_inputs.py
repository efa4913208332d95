"""What a network takes, in one line for each input: read, refused, and drawn. Needs no PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.errors import UsageError
from lowvox.shrink.export.inputs import LENGTHS, TYPES, Spec, cases, lengths, parse, several

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,8}", fullmatch=True)
SIZES = st.lists(st.one_of(st.integers(1, 999), NAMES), max_size=4)


@given(NAMES, st.sampled_from(TYPES), SIZES, st.integers(1, 10**6))
def test_what_is_written_is_read(name: str, dtype: str, sizes: list[int | str], below: int) -> None:
    text = f"{name}:{dtype}:{','.join(map(str, sizes))}"
    assert parse(text) == Spec(name, dtype, tuple(sizes))
    if not dtype.startswith("float"):
        assert parse(f"{text}:{below}") == Spec(name, dtype, tuple(sizes), below)


@given(st.text(max_size=20))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        spec = parse(text)
    except UsageError as error:
        assert str(error).endswith(".")
    else:
        assert spec.dtype in TYPES
        assert all(size for size in spec.sizes)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mel", "'mel' is not an input: write NAME:TYPE:SIZES, such as mel:float32:1,80,T"),
        ("mel:float32", "is not an input"),
        ("mel:float:1,T", "'float' in 'mel:float:1,T' is not a type; there are float32"),
        ("2:float32:1", "'2' in '2:float32:1' is not a name"),
        ("mel:float32:1,,T", "'' in 'mel:float32:1,,T' is neither a size"),
        ("mel:float32:1,-80", "'-80' in .* is neither a size"),
        ("mel:float32:0,T", "'0' in .* is neither a size"),
        ("mel:float32:1,T:20", "'20' in .* is not the number that"),
        ("ids:int64:1,T:0", "'0' in .* is not the number that"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse(text)


def test_names_differ_and_there_is_one_at_least() -> None:
    with pytest.raises(UsageError, match="Say what the network takes: --input"):
        several([])
    with pytest.raises(UsageError, match="two inputs called 'x'"):
        several(["x:float32:1", "x:int64:1"])


def test_inputs_have_the_lengths_that_are_tried() -> None:
    specs = several(["ids:int64:B,P:7", "mel:float32:B,4,T", "mask:bool:B,P", "scale:float32:"])
    found = list(cases(specs, (10, 20)))
    assert [each["ids"].shape for each in found] == [(2, 10), (1, 20)]
    assert [each["mel"].shape for each in found] == [(2, 4, 11), (1, 4, 21)]
    assert found[0]["scale"].shape == ()
    assert {name: str(value.dtype) for name, value in found[0].items()} == {
        "ids": "int64", "mel": "float32", "mask": "bool", "scale": "float32",
    }  # fmt: skip
    assert found[1]["ids"].max() == 6
    again = list(cases(specs, (10, 20)))
    assert all(np.array_equal(one[name], other[name]) for one, other in zip(found, again, strict=True) for name in one)


def test_lengths() -> None:
    assert lengths(None) == LENGTHS
    assert lengths("8, 30") == (8, 30)
    for text in ("8", "8,8", "8,x", "", "8,0"):
        with pytest.raises(UsageError, match="is not two lengths or more that differ"):
            lengths(text)
