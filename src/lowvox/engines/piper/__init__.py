"""Piper: VITS voices that read phonemes of espeak-ng."""
