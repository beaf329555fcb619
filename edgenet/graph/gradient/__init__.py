"""Gradients as ONNX graphs: the chain rule for the operators of a prepared graph, run by ONNX Runtime."""
