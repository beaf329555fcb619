"""What only TFLite needs on the board; travels with its runtime file."""
