"""Everything linguistic that rewards, data and evaluation share: languages, scripts, words, numbers, markup, wordings.

A leaf: imports nothing of ours.
"""
