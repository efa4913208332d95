"""Variants measured, judged by the gate, and compared."""
