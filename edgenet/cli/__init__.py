"""The command line: a thin skin over :mod:`edgenet.steps`, one file a command."""
