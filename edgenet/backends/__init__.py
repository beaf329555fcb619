"""Compilers to each runtime, and the float truth they are held to."""
