"""How to quantize (recipes) and with what (sets)."""
