"""Boards: reaching them, running the agent on them, finding the runtime that fits them."""
