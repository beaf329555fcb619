"""What only detection needs of the agent, and the host computes alike: anchors, box codings, suppression."""
