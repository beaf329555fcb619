"""From float ranges to int8 scales."""
