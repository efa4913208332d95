"""ONNX graphs to 8 bits: ranges, what is rounded, what is left, and the recipe."""
