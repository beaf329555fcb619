"""TensorRT on the board: the generations' dialects, building, the driver; travels with its runtime file."""
