"""Text on its way to speech: where it may be cut."""
