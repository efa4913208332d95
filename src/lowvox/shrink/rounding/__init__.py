"""ONNX graphs to 8 bits: ranges, what is rounded, what is left, and the recipe."""

RECIPE = ".recipe.json"  # what the file beside a rounded one ends in
