"""Instructed localisation: translations under two to four rules that a program can check, from any parallel text.

    pairs of a direction -> a text or a document of several (documents.py) -> the rules that its reference shows
    (rules.py, numbers.py, terms.py) -> two to four of them in words (wordings.yaml) -> a question whose reference
    follows them all

A rule is offered only where the reference itself follows it, so the right answer is always paid in full, and most where
an answer could break it. The judges are the instructions of the reward `mt_instructions`; nothing here asks a model.
"""

from dragoman.data.localisation.instructing import MOST_RULES, Instructed, instructed, term_questions
from dragoman.data.localisation.terms import Termbase

__all__ = ["MOST_RULES", "Instructed", "Termbase", "instructed", "term_questions"]
