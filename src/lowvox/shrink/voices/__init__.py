"""Voices of VITS in parts that run in windows, and these in 8 bits."""
