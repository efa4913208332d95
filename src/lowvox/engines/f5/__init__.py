"""F5-TTS: a voice like that of a recording, in three graphs."""
