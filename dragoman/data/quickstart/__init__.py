"""Corpora: small multilingual data generated from CLDR and num2words, for the quickstart and for tests."""
