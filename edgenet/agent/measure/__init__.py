"""What is measured on the board: the time of runs, this process's memory, what one core can do at most."""
