from __future__ import annotations

from lowvox.audio.clip import PATH, clip, crowd


def test_the_clip_is_short_and_ships_with_the_package() -> None:
    assert PATH.stat().st_size < 200_000
    assert 7 < len(clip()) / 32000 < 8


def test_a_crowd_is_as_long_as_asked_and_not_one_voice() -> None:
    assert len(crowd(15)) == 15 * 32000
    assert crowd(7)[:32000] != clip()[:32000]
