"""Many boards: the same verb on each, rollouts, and what came of them."""
