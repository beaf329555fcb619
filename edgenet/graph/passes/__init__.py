"""Passes over ONNX graphs, one file each: in place, with a count of their changes."""
