"""Silero TE: punctuation and capitals, converted by `lowvox shrink export silero-te`."""
