"""Sound: reading, cutting into utterances, microphone, loudspeaker, writing. Knows no engine."""
