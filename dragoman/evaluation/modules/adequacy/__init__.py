"""The module `adequacy`; its script is what `evaluate.load` reads."""
