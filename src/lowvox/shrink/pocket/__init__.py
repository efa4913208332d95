"""Pocket TTS to ONNX, from its own package."""
