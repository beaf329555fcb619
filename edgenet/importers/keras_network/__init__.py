"""Keras files: the architecture in JSON, the weights in HDF5, the layers as ONNX."""
