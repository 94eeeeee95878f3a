"""Examples of the same direction, never of a zero-shot one; the answer ends where the next example would begin."""

from dragoman.data.rows import Conversation, ParallelPair, Prompt
from dragoman.evaluation.few_shot import ended, few_shot_text


def shown(source, target, text, answer, task="translation"):
    messages = ({"role": "user", "content": f"do {text}"}, {"role": "assistant", "content": answer})
    return Conversation(text, messages, task, ParallelPair(source, target, text, answer))


def asked(source, target, text="Das Licht\nist an.", task="translation"):
    message = {"role": "user", "content": f"do {text}"}
    return Prompt("p", (message,), (), {}, task, ParallelPair(source, target, text, ""))


EXAMPLES = [
    shown("de", "fr", "rot", "rouge"),
    shown("en", "fr", "blue", "bleu"),
    shown("de", "en", "grün", "green"),
    shown("en", "de", "tree", "BAUM", task="mt_instructions"),
]


def always(_text):
    return True


def test_a_translation_is_shown_its_direction_first_then_its_target_language():
    text, end = few_shot_text(asked("de", "fr"), EXAMPLES, 2, 0, always)
    assert text == "German: rot\nFrench: rouge\n\nEnglish: blue\nFrench: bleu\n\nGerman: Das Licht ist an.\nFrench:"
    assert end == "\n"
    text, _ = few_shot_text(asked("es", "fr"), EXAMPLES, 5, 0, always)
    assert "Spanish" not in text.rpartition("\n\n")[0]


def test_other_tasks_are_questions_with_their_instruction():
    text, end = few_shot_text(asked("en", "de", "house", "mt_instructions"), EXAMPLES, 3, 0, always)
    assert text == "Question: do tree\nAnswer: BAUM\n\nQuestion: do house\nAnswer:"
    assert ended(" HAUS\n\nQuestion: do", end) == "HAUS"


def test_examples_that_do_not_fit_are_left_out():
    text, _ = few_shot_text(asked("de", "fr"), EXAMPLES, 2, 0, lambda text: len(text) < 70)
    assert text.count("French:") == 2


def test_an_answer_may_begin_on_the_next_line():
    assert ended("\n La lumière est allumée. \n\nGerman: x", "\n") == "La lumière est allumée."
