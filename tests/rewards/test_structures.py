"""Trees whose texts are translated: right answers and near misses in ten locales, grades by hand, hostile documents."""

import json
import time

import pytest

from dragoman.text.trees import MOST_CHARACTERS, TreeError, leaves, text_of
from rewards.translation.guards import direction
from rewards.translation.instructions import finding, mt_instructions

SOURCE = json.dumps(
    {
        "files": {"count": "{n, plural, one {# file} other {# files}}", "open": "Open {name}", "limit": 10},
        "tips": ["Save often", "See <b>Help</b>"],
        "beta": None,
    }
)


def translated(count, **changes):
    files = {"count": count, "open": "A {name}", "limit": 10} | changes
    return json.dumps({"files": files, "tips": ["B", "C <b>D</b>"], "beta": None})


# locale -> a message with the categories that CLDR asks for, and a near miss with what is wrong with it
PLURALS = {
    "de": ("{n, plural, one {# Datei} other {# Dateien}}", "{n, plural, other {# Dateien}}", "'one'"),
    "fr": ("{n, plural, one {# fichier} other {# fichiers}}", "{m, plural, one {#} other {#}}", "another plural"),
    "cs": ("{n, plural, one {# s} few {# s} other {# s}}", "{n, plural, one {# s} other {# s}}", "'few'"),
    "pl": ("{n, plural, one {#} few {#} many {#} other {#}}", "{n, plural, one {#} few {#} other {#}}", "'many'"),
    "ru": ("{n, plural, one {#} few {#} many {#} other {#}}", "{n, plural, one {#} many {#} other {#}}", "'few'"),
    "sl": ("{n, plural, one {#} two {#} few {#} other {#}}", "{n, plural, one {#} few {#} other {#}}", "'two'"),
    "lv": ("{n, plural, zero {#} one {#} other {#}}", "{n, plural, one {#} other {#}}", "'zero'"),
    "ar": (
        "{n, plural, zero {#} one {#} two {#} few {#} many {#} other {#}}",
        "{n, plural, zero {#} one {#} few {#} many {#} other {#}}",
        "'two'",
    ),
    "ja": ("{n, plural, other {#個}}", "{n, plural, one {#個} other {#個}}", "no plural category 'one'"),
    "pt-BR": ("{n, plural, one {#} other {#}}", "{n, plural, one {#} other {#}", "would crash as ICU"),
}


@pytest.mark.parametrize("locale", PLURALS)
def test_a_message_in_a_tree_has_the_plurals_of_its_locale(locale):
    right, near, wrong = PLURALS[locale]
    assert finding(translated(right), "mt:json_tree", {}, SOURCE, locale).value == 1
    missed = finding(translated(near), "mt:json_tree", {}, SOURCE, locale)
    assert not missed.followed and wrong in missed.note and missed.note.startswith("$.files.count: ")
    assert missed.value == pytest.approx(5 / 6)  # six places, one wrong


@pytest.mark.parametrize(
    ("change", "share", "note"),
    [
        ({"open": "A"}, 5 / 6, "$.files.open: lost {name}"),
        ({"limit": 11}, 5 / 6, "$.files.limit: changed"),
        ({"limit": "10"}, 5 / 6, "$.files.limit: changed"),
        ({"open": " "}, 5 / 6, "$.files.open: no text"),
        ({"more": "x"}, 6 / 7, "added $.files.more"),
        ({"open": {"deep": "A {name}"}}, 5 / 7, "lost $.files.open; added $.files.open.deep"),
    ],
)
def test_what_is_wrong_with_a_place_and_what_it_costs(change, share, note):
    found = finding(translated(PLURALS["de"][0], **change), "mt:json_tree", {}, SOURCE, "de")
    assert (found.followed, found.note) == (False, note) and found.value == pytest.approx(share)


def test_a_fence_is_no_fault_and_grades_count_in_the_mean():
    fenced = f"```json\n{translated(PLURALS['de'][0])}\n```"
    assert finding(fenced, "mt:json_tree", {}, SOURCE, "de").value == 1
    rules = [{"id": "mt:json_tree"}, {"id": "mt:max_characters", "kwargs": {"max_characters": 1000}}]
    half = mt_instructions(translated(PLURALS["de"][0], limit=1), rules, SOURCE)
    assert half.value == pytest.approx((5 / 6 + 1) / 2)
    assert mt_instructions(translated(PLURALS["de"][0], limit=1), rules, SOURCE, all_or_nothing=True).value == 0


PAGE = '<h1>Tips</h1><ul class="a"><li>Save<li>See <a href="/h" title="go">Help</a></ul><img src="x" alt="A cat">'
DEUTSCH = (
    '<h1>Tipps</h1>\n<ul class="a"><li>Sichern</li><li><a title="los" href="/h">Hilfe</a></li></ul>'
    '<img alt="Katze" src="x"/>'
)


def test_pages_are_compared_as_a_browser_reads_them():
    kwargs = {"format": "html"}
    assert [leaf.path for leaf in leaves(PAGE, "html")] == ["/h1", "/ul", "/ul/li", "/ul/li", "/ul/li/a", "/img"]
    missed = finding(DEUTSCH, "mt:markup_tree", kwargs, PAGE)
    assert (missed.value, missed.note) == (pytest.approx(5 / 6), "/ul/li: no text")  # its "See" is lost
    assert finding(DEUTSCH.replace("<li><a", "<li>Siehe <a"), "mt:markup_tree", kwargs, PAGE).value == 1
    for bad, note in (("</ul>", "<ul> is not closed"), ("<h1>", "</h1> closes nothing")):
        assert note in finding(DEUTSCH.replace(bad, "", 1), "mt:markup_tree", kwargs, PAGE).note
    lost = finding(DEUTSCH.replace(' class="a"', ""), "mt:markup_tree", kwargs, PAGE)
    assert "/ul: changed" in lost.note


def test_xml_must_be_well_formed():
    source = '<r><s name="a">Open &amp; go</s><s name="b">Close</s></r>'
    right = '<r><s name="b">Schließen</s><s name="a">Öffnen &amp; los</s></r>'  # side by side in another order
    assert finding(right, "mt:markup_tree", {"format": "xml"}, source).value == 1
    broken = finding(right.replace("&amp;", "&"), "mt:markup_tree", {"format": "xml"}, source)
    assert broken.value == 0 and broken.note.startswith("it is no XML: ") and broken.spans


HOSTILE = {
    "json": ['{"a":' * 100_000, "[" * 900 + "]" * 900, '{"a": NaN}', '{"a": 1, "a": 2}', "9" * 100_000,
             "[" + "1," * 45_000 + "1]",
             "{" + ",".join(f'"{n}":1' for n in [*range(9_000), 8_999]) + "}", '{"' + "k" * 90_000 + '": 1}'],
    "xml": ['<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>', "<a>" * 5_000 + "</a>" * 5_000,
            "<a " + "b='c' " * 30_000 + "/>", "<a>" + "&" * 100_000 + "</a>"],
    "html": ["<b>" * 60_000, "</b>" * 60_000, "<p>" * 30_000, "<" * 90_000, "<a " + "x=" * 40_000,
             "<!--" * 20_000, "&" * 90_000, "<li>" * 20_000, "<a b=\"" * 15_000, "<a " * 30_000, "</" * 45_000,
             "<script>" * 12_000, "<a b='>" * 14_000, "<a\0" * 30_000],
}  # fmt: skip


@pytest.mark.parametrize("form", HOSTILE)
def test_hostile_documents_are_read_in_bounded_time(form):
    sources = {"json": '{"a": "b"}', "xml": "<a>b</a>", "html": "<b>b</b>"}
    id, kwargs = ("mt:json_tree", {}) if form == "json" else ("mt:markup_tree", {"format": form})
    for text in HOSTILE[form]:
        began = time.process_time()
        assert finding(text, id, kwargs, sources[form]).value < 1, text[:40]
        assert time.process_time() - began < 5, text[:40]  # the reward's own deadline
    with pytest.raises(TreeError, match="more than 100,000 characters"):
        leaves("x" * (MOST_CHARACTERS + 1), form)


def test_the_language_of_a_document_is_that_of_its_texts():
    keys = {f"this_is_the_english_name_of_a_setting_{n}": n for n in range(30)}
    answer = json.dumps(keys | {"text": "Das Haus ist alt."})
    assert text_of(answer, "json") == "Das Haus ist alt."
    assert direction(answer, "de", "en", format="json").value == 1
    assert direction(json.dumps(keys | {"text": "The house is old."}), "de", "en", format="json").value == 0
    assert text_of("no document", "json") == "no document"
