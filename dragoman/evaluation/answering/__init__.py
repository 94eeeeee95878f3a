"""Who answers: a model folder, an OpenAI-compatible endpoint or a file of outputs, behind one protocol.

    prompts -> questions (one for each answer that is wanted) -> answers, each kept as it comes -> choice among samples

`records` has the nouns, `asking` the loop with its file of answers, `choosing` best-of-n and minimum Bayes risk. The
answerer that starts an engine is in `dragoman.pipeline`, which knows rollout.
"""

from dragoman.evaluation.answering.asking import AnswerStore, ask_all
from dragoman.evaluation.answering.endpoint import EndpointAnswerer
from dragoman.evaluation.answering.outputs import OutputsAnswerer
from dragoman.evaluation.answering.questions import questions_of
from dragoman.evaluation.answering.records import Answer, Answerer, AnsweringError, Decoding, Question

__all__ = [
    "Answer",
    "AnswerStore",
    "Answerer",
    "AnsweringError",
    "Decoding",
    "EndpointAnswerer",
    "OutputsAnswerer",
    "Question",
    "ask_all",
    "questions_of",
]
