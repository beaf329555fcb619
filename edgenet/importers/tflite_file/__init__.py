"""A TFLite file as an ONNX graph: the flatbuffer, every offset checked, then operator by operator."""
