from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.wire import Lane

messages = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.integers(4000, 9000).map(bytes),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def lane(pipe: BytesIO, slot: int = 0) -> Lane:
    return Lane(pipe, pipe, memoryview(bytearray(slot)))


@given(st.lists(messages), st.integers(0, 20_000))
def test_what_goes_in_comes_out_in_order(sent: list[object], slot: int) -> None:
    pipe = BytesIO()
    both = lane(pipe, slot)
    for message in sent:
        pipe.seek(0)
        both.send(message)
        pipe.seek(0)
        assert both.receive() == message
    with pytest.raises(EOFError):
        lane(BytesIO()).receive()


@given(st.binary(min_size=1), st.data())
def test_a_message_that_breaks_off_is_the_end(body: bytes, data: st.DataObject) -> None:
    pipe = BytesIO()
    lane(pipe).send(body)
    whole = pipe.getvalue()
    with pytest.raises(EOFError):
        lane(BytesIO(whole[: data.draw(st.integers(0, len(whole) - 1))])).receive()


def test_sound_goes_through_the_slot_and_all_else_through_the_pipe() -> None:
    pipe, slot = BytesIO(), memoryview(bytearray(10_100))
    sent = (1, "accept", (b"a" * 6000, b"b" * 6000, b"c" * 4100, b"d" * 100))
    Lane(pipe, pipe, slot).send(sent)
    assert slot.tobytes() == b"a" * 6000 + b"c" * 4100  # what no longer fits takes the pipe
    assert b"b" * 6000 in pipe.getvalue()
    assert b"d" * 100 in pipe.getvalue()
    assert len(pipe.getvalue()) < 6400
    pipe.seek(0)
    assert Lane(pipe, pipe, slot).receive() == sent


def test_what_cannot_be_pickled_writes_nothing() -> None:
    pipe = BytesIO()
    with pytest.raises(AttributeError):
        lane(pipe).send(lambda: None)
    assert pipe.getvalue() == b""


def test_closing_twice_and_with_nobody_at_the_other_end(tmp_path: Path) -> None:
    import os

    reading, writing = os.pipe()
    os.close(reading)
    outgoing = os.fdopen(writing, "wb")
    outgoing.write(b"unsent")
    open_lane = Lane(BytesIO(), outgoing, memoryview(b""))
    open_lane.close()
    open_lane.close()
    assert outgoing.closed
