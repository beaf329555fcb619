"""The verbs: types in, types out, no printing."""
