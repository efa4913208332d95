from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory import wire

messages = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.lists(messages))
def test_what_goes_in_comes_out_in_order(sent: list[object]) -> None:
    pipe = BytesIO()
    for message in sent:
        wire.send(pipe, message)
    pipe.seek(0)
    assert [wire.receive(pipe) for _ in sent] == sent
    with pytest.raises(EOFError):
        wire.receive(pipe)


@given(st.binary(min_size=1), st.data())
def test_a_message_that_breaks_off_is_the_end(body: bytes, data: st.DataObject) -> None:
    pipe = BytesIO()
    wire.send(pipe, body)
    whole = pipe.getvalue()
    with pytest.raises(EOFError):
        wire.receive(BytesIO(whole[: data.draw(st.integers(0, len(whole) - 1))]))
