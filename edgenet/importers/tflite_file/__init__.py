"""A TFLite file as an ONNX graph: the flatbuffer read with every offset checked, then one operator after the other."""
