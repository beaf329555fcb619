"""What the board keeps below ``~/.edgenet``: blobs, runtimes, deployments, engines; and how room is made."""
