"""How a card comes to be: its questions, its presets, its text, and what frameworks say of their models."""
