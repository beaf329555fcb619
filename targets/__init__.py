"""Boards edgenet knows, one TOML file each."""
