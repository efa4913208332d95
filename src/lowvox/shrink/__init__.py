"""Making models smaller and freeing them from PyTorch: `lowvox shrink`.

The only part of the package that imports torch, and only when it is asked to work. Nothing that runs a model needs it.
"""
