"""The module `gated_chrf`; its script is what `evaluate.load` reads."""
