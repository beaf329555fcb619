"""The host's side of the demo: where pictures come from, and what is recorded."""
