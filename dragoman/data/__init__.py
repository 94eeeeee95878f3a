"""Rows of training and evaluation data, mixtures of them, and the generators that write some."""
