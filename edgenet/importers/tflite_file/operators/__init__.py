"""TFLite's operators as ONNX nodes, one family a file; which there are stands in ``table.py``."""
