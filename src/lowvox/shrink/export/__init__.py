"""TorchScript, modules and programs of PyTorch to ONNX."""
