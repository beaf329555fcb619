"""Many networks, builds and boards: which of them is the most accurate that keeps up with the camera."""
