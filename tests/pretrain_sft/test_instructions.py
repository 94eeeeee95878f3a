"""Wrong instructions in any wording: names replaced as they are written, words borrowed where no name is known."""

from random import Random

import pytest

from dragoman.data.rows import Conversation, DataError, ParallelPair
from pretrain_sft.instructions import WrongInstructions, redirect

TEXT = "Nur der Text: Deutsch, French, 中文."


def row(content, source="de", target="fr", name="r", text=TEXT):
    messages = ({"role": "user", "content": content.format(text)}, {"role": "assistant", "content": "x"})
    return Conversation(name, messages, pair=ParallelPair(source, target, text, "x"))


@pytest.mark.parametrize(
    ("content", "pair", "target", "wanted"),
    [
        ("Übersetze aus dem Deutschen ins Französische: {}", ("de", "fr"), "es",
         "Übersetze aus dem Deutschen ins Spanische: {}"),
        ("Übersetze aus dem Deutschen ins Französische: {}", ("de", "fr"), "hi",
         "Übersetze aus dem Deutschen ins Hindi: {}"),
        ("请将以下德语文本翻译成法语：{}", ("de", "fr"), "es", "请将以下德语文本翻译成西班牙语：{}"),
        ("{}\n上の英語をドイツ語に訳してください。", ("en", "de"), "fr", "{}\n上の英語をフランス語に訳してください。"),
        ("Traduis ce texte de l'anglais vers l'allemand : {}", ("en", "de"), "it",
         "Traduis ce texte de l'anglais vers l'italien : {}"),
        ("English to Simplified Chinese: {}", ("en", "zh_CN"), "pt_BR", "English to Brazilian Portuguese: {}"),
        ("แปลเป็นภาษาไทยจากอังกฤษ: {}", ("en", "th"), "de", "แปลเป็นภาษาเยอรมันจากอังกฤษ: {}"),
    ],
)  # fmt: skip
def test_names_are_replaced_in_whichever_language_the_instruction_is_written(content, pair, target, wanted):
    assert redirect(row(content, *pair), target) == wanted.format(TEXT)


def test_a_wording_that_names_nothing_known_borrows_the_words_of_another_row():
    """Czech declines its names of languages, and a code in brackets is no name at all."""
    rows = [
        row("Přelož z němčiny do francouzštiny: {}", name="a"),
        row("[2es] {}", target="es", name="b", text="Zwei."),
        row("{} -> italsky", target="it", name="c", text="Drei."),
        row("Into German: {}", "fr", "de", name="d", text="Quatre."),
    ]
    wrong = WrongInstructions(rows, "keep_source")
    assert wrong.unnamed == {"a", "b", "c"}
    drawn = {wrong.draw(rows[0], Random(n)) for n in range(30)}
    assert drawn == {f"[2es] {TEXT}", f"{TEXT} -> italsky"}  # from German into others than French
    assert {wrong.draw(rows[3], Random(n)) for n in range(30)} == {"Into Spanish: Quatre.", "Into Italian: Quatre."}


def test_the_published_rule_takes_any_other_instruction():
    rows = [
        row("From German to French: {}", name="a"),
        row("Traduire : {}", name="b", text="Zwei."),
        row("From German to Spanish: {}", target="es", name="c", text="Drei."),
        row("From German to French: {}", name="d", text="Vier."),
    ]
    wrong = WrongInstructions(rows, "other_instruction")
    drawn = {wrong.draw(rows[0], Random(n)) for n in range(30)}
    assert drawn == {f"Traduire : {TEXT}", f"From German to Spanish: {TEXT}"}


def test_a_row_that_gets_no_wrong_instruction_is_named():
    lonely = row("Übertrage: {}", name="lonely")
    with pytest.raises(DataError, match=r"row lonely: .*no other row's words can be put around its text"):
        WrongInstructions([lonely, row("Into German: {}", "fr", "de", name="x")], "keep_source")
    apart = Conversation("apart", ({"role": "user", "content": "Do it."}, {"role": "assistant", "content": "x"}),
                         pair=ParallelPair("de", "fr", TEXT, "x"))  # fmt: skip
    with pytest.raises(DataError, match="row apart: the instruction does not name its target language 'fr'"):
        WrongInstructions([apart, row("Into Spanish: {}", target="es", name="y")], "keep_source")
