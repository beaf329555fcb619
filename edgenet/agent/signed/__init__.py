"""What only the part for signatures needs (:mod:`..trust.signed`)."""
