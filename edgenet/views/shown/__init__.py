"""What a notebook shows of the types that lie below: one file a type, found by the type's name.

Each has ``html(value)``, an element with its own style, and ``rows(value, part)``, what a frame holds.
"""
