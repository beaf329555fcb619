"""Forms that only their own framework reads: converted by a process of the Python that has the framework."""
