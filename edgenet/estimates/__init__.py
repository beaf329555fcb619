"""How long a network would take on a board that nobody measured: ESTIMATED, never taken for measured."""
