"""`onnx.windows`: pieces of one length whose output is that of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lowvox.onnx.windows import Growing, Reach, Whole, pieces, run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

REACHES = st.builds(Reach, left=st.integers(0, 9), right=st.integers(0, 9), hop=st.integers(1, 4))
WINDOWS = st.integers(1, 20)


@given(length=st.integers(1, 200), window=WINDOWS, reach=REACHES)
def test_pieces_cover_the_whole_once_and_see_far_enough(length: int, window: int, reach: Reach) -> None:
    found = list(pieces(length, window, reach))
    assert [piece.keep for piece in found] == [0, *(piece.upto for piece in found[:-1])]
    assert found[-1].upto == length
    for piece in found:
        assert 0 <= piece.begin <= max(0, piece.keep - reach.left)
        assert min(length, piece.upto + reach.right) <= piece.end <= length
        assert piece.keep < piece.upto


@given(length=st.integers(1, 200), window=WINDOWS, reach=REACHES)
def test_pieces_of_a_long_whole_are_of_one_length(length: int, window: int, reach: Reach) -> None:
    sizes = {piece.end - piece.begin for piece in pieces(length, window, reach)}
    assert sizes == {min(length, reach.left + window + reach.right)}


def looking(reach: Reach, seen: list[int]) -> Any:
    """A network that adds up exactly what it may see, zeros beyond the ends, `hop` samples a frame."""

    def network(feeds: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        frames = feeds["frames"]
        seen.append(frames.shape[-1])
        padded = np.pad(frames, ((0, 0), (reach.left, reach.right)))
        width = reach.left + 1 + reach.right
        sums = np.stack([padded[:, at : at + width].sum(-1) for at in range(frames.shape[-1])], -1)
        found: NDArray[Any] = np.repeat(sums, reach.hop, -1) * feeds["times"]
        return found

    return network


@given(length=st.integers(1, 120), window=WINDOWS, reach=REACHES)
def test_windows_give_what_the_whole_gives(length: int, window: int, reach: Reach) -> None:
    frames = np.random.default_rng(length).integers(-99, 99, (2, length))
    times = {"times": np.array(3)}
    seen: list[int] = []
    made = list(run(looking(reach, seen), {"frames": Whole(frames, 1)}, times, length, window, reach))
    (whole,) = run(looking(reach, []), {"frames": Whole(frames, 1)}, times, length, length, reach)
    assert (np.concatenate(made, -1) == whole).all()
    assert len(set(seen)) == 1


@given(length=st.integers(1, 120), first=WINDOWS, then=WINDOWS, reach=REACHES)
def test_a_stage_takes_no_more_of_the_one_before_than_it_needs(
    length: int, first: int, then: int, reach: Reach
) -> None:
    near = Reach(reach.left, reach.right)
    frames = {"frames": Whole(np.random.default_rng(length).integers(-99, 99, (1, length)), 1)}
    times = {"times": np.array(1)}
    asked: list[int] = []
    made = Growing(run(looking(near, asked), frames, times, length, first, near))
    chained = run(looking(reach, []), {"frames": made}, times, length, then, reach)
    begun = next(chained)
    needed = min(length, reach.left + then + reach.right)
    assert len(asked) == next(
        number for number, piece in enumerate(pieces(length, first, near), 1) if piece.upto >= needed
    )
    (between,) = run(looking(near, []), frames, times, length, length, near)
    (whole,) = run(looking(reach, []), {"frames": Whole(between, 1)}, times, length, length, reach)
    assert (np.concatenate([begun, *chained], -1) == whole).all()


def test_what_a_network_adds_at_the_end_is_kept() -> None:
    def network(feeds: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        return np.append(np.repeat(feeds["frames"], 2, -1), [[7]], -1)

    made = list(run(network, {"frames": Whole(np.arange(9)[None], 1)}, {}, 9, 4, Reach(1, 1, 2)))
    assert np.concatenate(made, -1).tolist() == [[*np.repeat(np.arange(9), 2).tolist(), 7]]
