"""From real weights to int8 ones: to nearest, by second moments, layer by layer."""
