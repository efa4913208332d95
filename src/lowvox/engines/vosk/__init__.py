"""Vosk: recognisers of Kaldi in many languages."""
