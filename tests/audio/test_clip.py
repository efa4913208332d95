from __future__ import annotations

from lowvox.audio.clip import PATH, clip


def test_the_clip_is_short_and_ships_with_the_package() -> None:
    assert PATH.stat().st_size < 200_000
    assert 7 < len(clip()) / 32000 < 8
