"""What a board needs that asks for signatures: a part that other boards never get (:mod:`..parts`)."""
