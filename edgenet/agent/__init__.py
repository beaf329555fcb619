"""What runs on the board: Python 3.6 syntax, standard library, numpy and the runtime."""
