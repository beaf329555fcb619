"""What ``.h5`` and ``.keras`` files have in common: the architecture in JSON, the weights in HDF5, the layers as ONNX."""
