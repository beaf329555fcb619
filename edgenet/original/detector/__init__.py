"""A detector's outputs as one row of numbers: scores of every anchor, then the codes of every box."""
