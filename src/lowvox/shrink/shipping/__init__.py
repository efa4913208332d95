"""Graphs made ready to be mapped, and what is needed to load them."""
