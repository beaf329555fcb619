"""From a prepared graph (NCHW, ONNX) to a TFLite file (NHWC): one small function an operator."""
