"""TensorRT on the board. Nothing here imports it: the module is handed in, so a double can stand for it."""
