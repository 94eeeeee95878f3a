"""Hugging Face folders as files: what a checkpoint is and what is wrong with it, a smaller vocabulary, export.

Nothing here trains or generates, and nothing loads a model: sizes come from headers, vocabularies from JSON.
"""
