"""The module `off_target`; its script is what `evaluate.load` reads."""
