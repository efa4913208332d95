"""Silero TE to ONNX, from its TorchScript."""
