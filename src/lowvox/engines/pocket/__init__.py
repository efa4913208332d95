"""Pocket TTS: a language model of speech, whose voices are recordings of a few seconds."""
