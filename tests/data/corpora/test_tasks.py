"""Tower's tasks from parallel text: what is damaged is known, shares hold, and nothing held out is shown."""

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import yaml

from dragoman.data.catalogs.items import is_paid
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.data.corpora.source import CORPUS
from dragoman.data.corpora.tasks import TASKS
from dragoman.data.corpora.tasks.base import Material
from dragoman.data.corpora.tasks.damages import KINDS, Damaged, Mark, Words, damaged, shortened, words_for
from dragoman.data.corpora.tasks.mixing import check_shares, file_of, furthest_behind
from dragoman.data.corpora.tasks.prompts import PROMPTS, drawn_language
from dragoman.data.corpora.tasks.rewording import is_rewording
from dragoman.data.rows import read_conversations, read_prompts
from dragoman.data.sources import SourceError
from rewards.calling import call
from rewards.records import RewardSpec
from rewards.registry import find_kind

GOLDEN = Path(__file__).with_name("task_prompts.yaml")
NO_WORDS = Words((), (), spaceless=False, sentence=True)
SLOTS = {
    "source_language": "S-LANGUAGE", "target_language": "T-LANGUAGE", "source": "SOURCE", "draft": "DRAFT",
    "translation": "TRANSLATION", "low": "0", "high": "100", "first": "FIRST", "second": "SECOND",
    "context": "CONTEXT", "examples": "EXAMPLES", "language": "LANGUAGE", "text": "TEXT",
    "types": "TYPES", "tokens": "TOKENS",
}  # fmt: skip
SHARES = {
    "post_editing": 0.1, "error_spans": 0.08, "quality": 0.08, "preference_label": 0.07, "context_translation": 0.06,
    "document_translation": 0.06, "few_shot_translation": 0.05, "grammar": 0.1,
}  # fmt: skip
NOUNS = {"house": "Haus", "garden": "Garten", "street": "Pfad", "river": "Fluss", "mountain": "Berg",
         "window": "Fenster", "forest": "Wald", "market": "Markt", "village": "Dorf", "bridge": "Steg"}  # fmt: skip
ADJECTIVES = {"old": "alt", "green": "grün", "narrow": "eng", "quiet": "still", "broken": "kaputt",
              "hidden": "versteckt", "famous": "berühmt",
              "empty": "leer", "crowded": "voll", "steep": "steil"}  # fmt: skip


def lines():
    """900 sentences in English and German; each word of the one has one of the other."""
    for noun, hauptwort in NOUNS.items():
        for first, erst in ADJECTIVES.items():
            for second, zweit in ADJECTIVES.items():
                if first != second:
                    yield (
                        f"Our neighbours say that the {noun} is {first} and {second} today.",
                        f"Unsere Nachbarn sagen, dass hier {hauptwort} heute {erst} und {zweit} ist.",
                    )


def asked_for(folder, **more):
    path = folder / "lines.tsv"
    path.write_text("\n".join(["source\ttarget", *("\t".join(pair) for pair in lines())]), encoding="utf-8")
    inputs = [{"path": str(path), "languages": ["en", "de"]}]
    return CorpusSizes.model_validate({"inputs": inputs, "filters": ["empty"], "instructed": 0, **more})


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    CORPUS.write(folder / "data", 0, asked_for(folder, tasks=SHARES, sft=1000))
    return folder / "data"


def rows(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def segment(source="The price is 42 euros in Vienna.", target="Der Preis beträgt 42 Euro in Wien."):
    return Segment(source, target, "en", "de", "prices.tsv:7")


PLACES = {"garden": "Garten", "balcony": "Balkon", "window": "Fenster", "yard": "Hof"}
OTHERS = tuple(
    (
        f"q-{word}",
        Segment(f"Our {word} has flowers everywhere.", f"Unser {wort} hat überall Blumen.", "en", "de", "x:1"),
    )
    for word, wort in PLACES.items()
)


# -- damages ----------------------------------------------------------------------------------------------------------


def test_each_damage_of_a_word_is_what_its_name_says_and_its_place_is_known():
    def only(kind, text, words=NO_WORDS):
        made = damaged(text, words, 1, Random(0), [kind])
        return made.text, made.marks

    assert only("repeated", "Es ist Morgen.") == ("Es ist Morgen Morgen.", (Mark(7, 20, "minor"),))
    assert only("capital", "Es ist Morgen.") == ("Es ist morgen.", (Mark(7, 13, "minor"),))
    assert only("exchanged", "Es ist Abxd.") == ("Es ist Axbd.", (Mark(7, 11, "minor"),))
    assert only("untranslated", "Es ist Morgen.", Words(("dawn",), (), False, True)) == (
        "Es ist Dawn.", (Mark(7, 11, "major"),),
    )  # fmt: skip
    assert only("strange", "Es ist hell.", Words((), ("wolke",), False, True))[0] == "Es ist wolke."
    text, (mark,) = only("number", "Es kostet 7 DM.")
    assert text[:10] + "7" + text[11:] == "Es kostet 7 DM." != text and mark == Mark(10, 11, "major")
    lost, (mark,) = only("lost", "Es ist Morgen.")
    assert lost in {"Es ist Mrgen.", "Es ist Mogen.", "Es ist Moren.", "Es ist Morgn."} and mark[:2] == (7, 12)
    assert set(KINDS) == {"repeated", "capital", "exchanged", "untranslated", "strange", "number", "lost"}


def test_marks_of_several_damages_cover_all_that_differs():
    reference = segment().target
    words = words_for(reference, segment().source, [other.target for _, other in OTHERS])
    for seed in range(50):
        made = damaged(reference, words, 2, Random(seed))
        rest, at = "", 0
        for mark in made.marks:
            rest, at = rest + made.text[at : mark.start] + "|", mark.end
        pieces = (rest + made.text[at:]).split("|")
        assert len(made.marks) == 2 and made.text != reference
        assert reference.startswith(pieces[0]) and reference.endswith(pieces[2]) and pieces[1] in reference


def test_words_brought_in_are_none_of_the_reference():
    words = words_for("Der Preis in Wien.", "The price in Wien today.", ["Der Abend, price und Preis."])
    assert words.source == ("price", "today") and words.strange == ("Abend",)


def test_markup_short_texts_and_headings_are_spared():
    for text in (
        "%(count)s Dateien geladen",
        "<b>Datei</b> geladen",
        "{name} geladen",
        "siehe https://a.example",
        "so",
    ):
        assert damaged(text, NO_WORDS, 1, Random(0)) is None, text
    heading = words_for("Neue Termine", "New dates", [])
    assert damaged("Neue Termine", heading, 1, Random(0), ["capital"]) is None  # a matter of style there


def test_texts_without_spaces_are_damaged_by_characters():
    made = damaged("今日天气很好", words_for("今日天气很好", "It is fine", []), 1, Random(1), ["repeated"])
    (mark,) = made.marks
    piece = made.text[mark.start : mark.end]
    assert piece[:2] == piece[2:] and made.text.replace(piece, piece[:2], 1) == "今日天气很好"


def test_a_shortened_text_lacks_a_quarter_of_its_words():
    made = shortened("eins zwei drei vier fünf sechs sieben acht", Random(0))
    assert len(made.text.split()) == 6 and made.marks == () and made.score == 80
    assert shortened("eins zwei drei", Random(0)) is None


def test_scores_are_mqm_s():
    minor, major = Mark(0, 1, "minor"), Mark(2, 3, "major")
    assert Damaged("x").score == 100
    assert Damaged("x", (minor,)).score == 96  # 1 of 25
    assert Damaged("x", (minor, minor, major)).score == 72  # 7 of 25
    assert Damaged("x", (major,) * 6).score == 0  # 30, at most 25
    assert Damaged("x", unmarked=("critical",)).score == 0


# -- tasks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_task_pays_its_right_answer_and_not_a_lazy_one(name):
    before = (segment("First.", "Erstens."), segment("It was cold.", "Es war kalt."))
    after, renderings = (
        (segment("It is a lot of money.", "Das ist viel Geld."),),
        ("In Wien kostet das zurzeit 42 Euro.",),
    )
    material = Material("q", segment(), OTHERS, before, after, renderings)
    made = [item for seed in range(40) for item in TASKS[name].make(material, Random(seed))]
    assert len(made) >= 20 and {item.task for item in made} == {name}
    paid = 0
    for item in made:
        assert is_paid(item), item
        spec, *_ = item.rewards
        lazy = "No errors." if name == "error_spans" else "I do not know."
        value = call(find_kind(spec["kind"]), RewardSpec(spec["kind"], args=spec["args"]), {"response": lazy}).value
        paid += value > 0.5 and item.answer != lazy
    assert paid == 0


def test_a_preference_is_asked_in_both_orders():
    material = Material("q", segment(), OTHERS)
    one, other = next(found for seed in range(9) if (found := TASKS["preference_label"].make(material, Random(seed))))
    assert {one.answer, other.answer} == {"A", "B"}
    for item in (one, other):
        texts = re.search(r"\bA(?: \(\w+\))? ?: (.*)\n.*\bB(?: \(\w+\))? ?: (.*)", item.prompt)
        better, worse = texts.groups() if item.answer == "A" else texts.groups()[::-1]
        assert better == segment().target != worse


def test_a_known_draft_is_what_is_post_edited():
    drafted = Segment("One.", "Eins.", "en", "de", "p", draft="Einss.")
    (item,) = TASKS["post_editing"].make(Material("q", drafted), Random(0))
    assert "Einss." in item.prompt and item.answer == "Eins."


def test_context_is_what_stands_before_and_a_document_goes_on():
    before, after = (segment("First.", "Erstens."),), (segment("Last.", "Zuletzt."),)
    material = Material("q", segment("Second.", "Zweitens."), (), before, after)
    (context,) = TASKS["context_translation"].make(material, Random(0))
    assert context.answer == "Zweitens." and context.prompt.index("First.") < context.prompt.index("Second.")
    (whole,) = TASKS["document_translation"].make(material, Random(0))
    assert whole.answer == "Zweitens.\nZuletzt." and "Second.\nLast." in whole.prompt
    assert TASKS["document_translation"].make(Material("q", segment()), Random(0)) == []


@pytest.mark.parametrize(
    ("text", "other", "wanted"),
    [
        ("There are no materials matching your criteria.", "There are no entries that match your search.", True),
        ("Choose a volume", "Select a volume", True),
        ("Das alte Haus ist grün.", "Das alte Haus ist grün!", False),  # the same words
        ("Deleted application credentials", "Delete application credential", False),  # other endings
        ("Number of times", "A number of times", False),  # an article
        ("eins zwei drei vier fünf", "eins zwei drei acht neun", True),  # three of five shared: just enough differs
        ("eins zwei drei vier", "eins zwei drei acht", False),  # three of four
        ("Gib eine Zahl bis 255 ein", "Bitte etwas unter 256 wählen", False),  # another number
        ("Löschen", "Entfernen", False),  # one word each
        ("eins zwei drei", "aaa bbb ccc ddd eee fff", False),  # twice as long
        ("今日天气很好", "今天是个晴天", True),
    ],
)
def test_a_rewording_has_other_words_and_enough_of_them(text, other, wanted):
    assert is_rewording(text, other) is is_rewording(other, text) is wanted


def test_a_paraphrase_is_another_translation_and_no_copy():
    said = ("In Wien kostet das zurzeit 42 Euro.", "Der Preis beträgt 42 Euro in Wien!")
    (item,) = TASKS["paraphrase"].make(Material("q", segment(), renderings=said), Random(0))
    assert segment().target in item.prompt and item.answer == said[0]

    def values(response):
        specs = [RewardSpec(one["kind"], args=one["args"]) for one in item.rewards]
        return {spec.kind: call(find_kind(spec.kind), spec, {"response": response}).value for spec in specs}

    assert values(item.answer) == {"chrf": 1, "source_copy": 1, "direction": 1}
    assert values(segment().target)["source_copy"] == 0
    assert values("The price in Vienna is 42 euros at the moment.")["direction"] == 0
    assert TASKS["paraphrase"].make(Material("q", segment(), renderings=said[1:]), Random(0)) == []


def test_paraphrases_are_found_by_their_source_in_one_split(tmp_path):
    first = {en: de for en, de in lines()}
    second = {en: de.replace("Unsere Nachbarn sagen, dass hier", "Nebenan meint man,") for en, de in lines()}
    pairs = [f"{en}\t{said[en]}" for said in (first, second) for en in first]
    (tmp_path / "two.tsv").write_text("\n".join(["source\ttarget", *pairs]), encoding="utf-8")
    inputs = {"path": str(tmp_path / "two.tsv"), "languages": ["en", "de"]}
    tasks = {"paraphrase": 0.2}
    sizes = {"inputs": inputs, "filters": ["empty"], "instructed": 0, "tasks": tasks, "sft": 400, "both_ways": False}
    CORPUS.write(tmp_path / "data", 0, CorpusSizes.model_validate(sizes))
    sides = {de: en for said in (first, second) for en, de in said.items()}
    for name in ("sft", "rl"):
        found = [row for row in rows(tmp_path / "data", name) if row["task"] == "paraphrase"]
        assert abs(len(found) / len(rows(tmp_path / "data", name)) - 0.2) <= 0.01 + 1 / len(found)
        for row in found:
            answer = row["messages"][1]["content"] if name == "sft" else row["gold_response"]
            asked = next(de for de in sides if de in row["messages"][0]["content"])
            assert sides[asked] == sides[answer] and asked != answer


# -- prompts ----------------------------------------------------------------------------------------------------------


def test_every_template_renders_as_it_was_read_by_people():
    rendered = {
        language: {task: [text.format(**SLOTS) for text in texts] for task, texts in tasks.items()}
        for language, tasks in PROMPTS.items()
    }
    assert rendered == yaml.safe_load(GOLDEN.read_text(encoding="utf-8"))


def test_every_instruction_language_has_every_task_with_the_slots_of_english():
    def named(text):
        return {name for name in SLOTS if "{" + name + "}" in text}

    assert set(PROMPTS) == {"en", "de", "fr", "es"}
    for tasks in PROMPTS.values():
        assert set(tasks) == {*TASKS, "named_entities", "tagged_entities"}
        for task, texts in tasks.items():
            must = named(PROMPTS["en"][task][0]) - {"source_language", "target_language"}
            assert len(texts) >= 2 and all(
                named(text) - {"source_language", "target_language"} == must for text in texts
            )


def test_a_row_is_asked_in_english_or_in_a_language_of_its_own():
    random = Random(0)
    drawn = Counter(drawn_language(("de_DE", "fr"), random) for _ in range(2000))
    assert set(drawn) == {"en", "de", "fr"} and 0.6 < drawn["en"] / 2000 < 0.7  # 65 %
    assert {drawn_language(("cs", "ja"), random) for _ in range(50)} == {"en"}


# -- shares -----------------------------------------------------------------------------------------------------------


def test_the_task_that_lacks_most_rows_comes_first():
    # of nine rows 4.5, 1.8 and 2.7 are due, so 0.5, -0.2 and 0.7 are lacking
    assert furthest_behind({"a": 0.5, "b": 0.2, "": 0.3, "c": 0}, {"a": 4, "b": 2, "": 2}) == ["", "a", "b"]


def test_a_task_that_the_text_cannot_give_is_named():
    with pytest.raises(SourceError, match=r"tasks\.quality asks for 10\.0% of sft, and the text gives 4 of 1000 rows"):
        check_shares({"quality": 0.1, "": 0.9}, {"quality": 4, "": 996}, "sft")
    check_shares({"quality": 0.1, "": 0.9}, {"quality": 91, "": 909}, "sft")  # 0.9 %


@pytest.mark.parametrize("name", ["sft", "rl"])
def test_shares_are_realised_within_a_hundredth(written, name):
    made = rows(written, name)
    counts = Counter(row["task"] for row in made)
    assert set(counts) == {*SHARES, "translation"} and len(made) >= 100
    for task, share in SHARES.items():
        assert abs(counts[task] / len(made) - share) <= 0.01 + 1 / len(made), (task, counts[task])


def test_stages_read_the_rows_and_their_right_answers_are_paid(written):
    assert len(read_conversations(written / "sft.jsonl")) == 1000
    for prompt, row in zip(read_prompts(written / "rl.jsonl"), rows(written, "rl"), strict=True):
        values = [call(find_kind(s.kind), s, row | {"response": row["gold_response"]}).value for s in prompt.specs]
        assert values == pytest.approx([1.0] * len(values)), row["id"]


def test_no_held_out_text_stands_in_any_prompt_or_answer(written):
    held = {
        row[side].removesuffix(".")
        for split in ("eval", "development")
        for row in rows(written / split, "translation_supervised")
        for side in ("source", "reference")
    }
    trained = "\n".join(m["content"] for name in ("sft", "rl") for row in rows(written, name) for m in row["messages"])
    assert len(held) > 100 and not [text for text in held if text in trained]


def test_context_stands_right_before_the_text_in_the_file(written):
    order = {text: number for pair in [*zip(*lines(), strict=True)] for number, text in enumerate(pair)}
    found = [row for row in rows(written, "sft") if row["task"] == "context_translation"]
    assert len(found) >= 50
    for row in found:
        known = sorted(order[text] for text in order if text in row["messages"][0]["content"])
        assert len(known) >= 2 and known == list(range(known[0], order[row["source"]] + 1)), known


def test_the_same_seed_gives_the_same_rows_and_no_tasks_none(written, tmp_path):
    CORPUS.write(tmp_path / "again", 0, asked_for(tmp_path, tasks=SHARES, sft=1000))
    for name in ("sft", "rl"):
        assert (tmp_path / "again" / f"{name}.jsonl").read_bytes() == (written / f"{name}.jsonl").read_bytes()
    CORPUS.write(tmp_path / "other", 1, asked_for(tmp_path, tasks=SHARES, sft=1000))
    assert (tmp_path / "other" / "sft.jsonl").read_bytes() != (written / "sft.jsonl").read_bytes()
    CORPUS.write(tmp_path / "none", 0, asked_for(tmp_path, sft=1000))
    assert {row["task"] for row in rows(tmp_path / "none", "sft")} == {"translation"}


def test_settings_name_what_is_no_task_and_shares_that_are_too_much():
    for tasks, reason in (
        ({"summaries": 0.1}, "'summaries' is no task; known are post_editing"),
        ({"quality": 1.5}, "quality: 1.5 is no share"),
        ({"quality": 0.7, "grammar": 0.6}, "add up to 1.3"),
    ):
        with pytest.raises(ValueError, match=reason):
            CorpusSizes.model_validate({"tasks": tasks})


def test_the_file_of_a_place():
    assert file_of("a:b.tsv:12") == "a:b.tsv" and file_of("memory.tmx#u:7") == "memory.tmx"


def test_a_corpus_that_cannot_give_a_task_stops_and_writes_no_such_file(tmp_path):
    asked = asked_for(tmp_path, tasks={"document_translation": 0.3}, sft=200)
    alone = [{"source": en, "target": de, "source_language": "en", "target_language": "de"} for en, de in lines()]
    paths = []
    for number, row in enumerate(alone[:60]):  # a file for each segment: nothing follows it
        paths.append({"path": str(tmp_path / f"{number}.jsonl")})
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(row), encoding="utf-8")
    asked = CorpusSizes.model_validate(asked.model_dump() | {"inputs": paths})
    with pytest.raises(
        SourceError, match=r"tasks\.document_translation asks for 30\.0% of sft, and the text gives 0 of"
    ):
        CORPUS.write(tmp_path / "data", 0, asked)
    assert not (tmp_path / "data" / "sft.jsonl").exists()


def test_a_row_whose_right_answer_is_not_paid_is_not_made(tmp_path):
    asked = asked_for(tmp_path, tasks={"post_editing": 0.5}, sft=50, both_ways=False)
    wrong = [asked.inputs[0].model_copy(update={"languages": ("en", "fr")})]  # the text is German: the gate is shut
    with pytest.raises(
        SourceError, match=r"tasks\.post_editing asks for 50\.0% of sft, and the text gives 0 of 50 rows"
    ):
        CORPUS.write(tmp_path / "data", 0, asked.model_copy(update={"inputs": tuple(wrong)}))
