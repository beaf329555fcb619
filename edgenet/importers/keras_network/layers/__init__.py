"""Keras' layers as ONNX operators, a file a kind; :mod:`.table` lists them all."""
