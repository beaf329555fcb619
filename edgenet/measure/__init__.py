"""From samples to figures: drift, energy, layers, roofline, verdict."""
