"""The user's graph in one form before any pass: the same numbers, in float32, static, for one picture."""
