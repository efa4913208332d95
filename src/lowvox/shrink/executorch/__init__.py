"""Graphs to programs of ExecuTorch, and how these run."""
