"""Exports of Pocket TTS that others made: read as they are and shown as one of ours."""
