"""What an answer must be: the float reference, the golden set, and an artifact held to its graph."""
