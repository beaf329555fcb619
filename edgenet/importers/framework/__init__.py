"""Forms that only their own framework reads: converted by a process of the Python that has the framework."""

__all__ = ["FRAMEWORK_PYTHON"]

# The user's choice of that Python; --python of the commands sets it for one run.
FRAMEWORK_PYTHON = "EDGENET_FRAMEWORK_PYTHON"
