"""Rewards that ask a model: COMET, regression heads, sentence embeddings, a judge; and their caches."""
