"""Tasks of the evaluation, one object each: required columns, how an answer is judged, metrics and their names.

A suite's rows name their task. One that is not registered is a task of the user's own: its answers are judged by their
reward. To judge it otherwise, subclass `Task` and register it from a module that the recipe's `extensions` names.
"""

from dragoman.evaluation.tasks.annotated import ErrorSpans, Grammar, NamedEntities, PostEditing, Quality
from dragoman.evaluation.tasks.base import Judgement, MetricColumn, Task, find_column, find_task, register_task
from dragoman.evaluation.tasks.choice import Choice
from dragoman.evaluation.tasks.instructed import InstructedTranslation, Terminology
from dragoman.evaluation.tasks.pairwise import Pairwise
from dragoman.evaluation.tasks.perplexity import Perplexity
from dragoman.evaluation.tasks.translation import Translation
from dragoman.evaluation.tasks.verified import Code, Constraints, Math, Reasoning

__all__ = [
    "Choice",
    "Code",
    "Constraints",
    "ErrorSpans",
    "Grammar",
    "InstructedTranslation",
    "Judgement",
    "Math",
    "MetricColumn",
    "NamedEntities",
    "Pairwise",
    "Perplexity",
    "PostEditing",
    "Quality",
    "Reasoning",
    "Task",
    "Terminology",
    "Translation",
    "find_column",
    "find_task",
    "register_task",
]
