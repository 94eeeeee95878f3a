"""Rewards of Tower's annotation tasks: marked errors, named entities, corrections, ratings."""
