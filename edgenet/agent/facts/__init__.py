"""What the board is: facts and sensors, from small files and programs of the system."""
