"""vosk-tts: Russian VITS voices, read with the help of a BERT."""
