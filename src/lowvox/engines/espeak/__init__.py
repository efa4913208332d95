"""espeak-ng in its own library: voices of over a hundred languages."""
