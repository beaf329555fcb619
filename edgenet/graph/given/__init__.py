"""Models that come quantized: any Q/DQ graph, with the scales it has, in the form that the backends read."""
