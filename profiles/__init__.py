"""How to measure (protocols) and what real boards measured (reference)."""
