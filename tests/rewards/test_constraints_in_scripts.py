"""IFBench's constraints in scripts other than Latin, and where they are stricter than the original.

Each line: id, kwargs, a response that follows it, one that does not; counted by hand.
"""

from __future__ import annotations

from typing import Any

import pytest

from rewards.constraints import INSTRUCTIONS, follows
from rewards.constraints.registry import IFEVAL_FAMILIES, listed

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    # zh, ja, th: a character is a word
    ("count:word_count_range", {"min_words": 5, "max_words": 6}, "你好，世界啊。", "你好。"),
    ("count:word_count_range", {"min_words": 2, "max_words": 2}, "हिन्दी भाषा", "हिन्दी"),
    ("count:word_count_range", {"min_words": 4, "max_words": 4}, "น้ำใส", "น้ำ"),
    ("count:unique_word_count", {"N": 3}, "人山人海", "人人山山"),
    ("count:unique_word_count", {"N": 3}, "дом, лес и дом", "дом, Дом лес"),
    ("count:numbers", {"N": 2}, "٣ كتب و ١٢ قلما", "٣ كتب"),
    ("count:numbers", {"N": 2}, "我有3本书和１２支笔", "我有三本书"),
    ("count:conjunctions", {"small_n": 2, "language": "zh"}, "我和你，但是他不来", "我和你和他"),
    ("count:conjunctions", {"small_n": 2, "language": "ru"}, "Я и ты, но не он", "Я и ты и он"),
    ("count:conjunctions", {"small_n": 2, "language": "ja"}, "寒い。しかし行く。だから歩く。", "寒い。しかし行く。"),
    ("count:pronouns", {"N": 2, "language": "zh"}, "我爱你", "我走了"),
    ("count:pronouns", {"N": 2, "language": "de"}, "Ich sehe dich.", "Ich sehe Berge."),
    ("count:person_names", {"N": 2}, "我认识Emma和Leo。", "我认识Emma。"),
    ("count:punctuation", {}, "一。二，三！四？五；六：七？！", "一。二，三！四？五；六："),
    ("count:punctuation", {}, "a، b؛ c: d؟! e! f؟ g.", "a، b؛ c: d؟ e! f؟ g."),
    ("count:words_japanese", {"N": 2}, "one 二 three 四", "one two 三 four"),
    (
        "count:keywords_multiple",
        {f"keyword{i}": k for i, k in enumerate("甲乙丙丁戊", 1)},
        "甲乙乙丙丙丙丁丁丁丁丁戊戊戊戊戊戊戊",
        "甲甲乙乙丙丙丙丁丁丁丁丁戊戊戊戊戊戊戊",
    ),
    ("ratio:stop_words", {"percentage": 20, "language": "zh"}, "山高水长月明", "我的是了不"),
    ("ratio:stop_words", {"percentage": 20, "language": "de"}, "Hunde bellen laut", "Das ist die Stadt"),
    ("ratio:sentence_type", {}, "雨天。晴天。你呢？", "雨天。你呢？"),
    ("ratio:sentence_type", {}, "هذا بيت. هذا قلم. أين أنت؟", "هذا بيت. أين أنت؟"),
    ("ratio:sentence_balance", {}, "雨天。你呢？好！", "雨天。你呢？"),
    ("ratio:sentence_words", {}, "天下雨。我回家。他睡觉。", "天下雨。我下雨。他睡觉。"),
    ("words:alphabet", {}, "Аня берёт воду, где дом", "Аня воду берёт"),
    ("words:alphabet", {}, "Yes zebras are big", "Yes are zebras"),
    ("words:vowel", {}, "мама мыла раму", "мама и ёлка, эхо"),
    ("words:consonants", {}, "стол спит", "мама спит"),
    ("words:palindrome", {}, " ".join(["топот", "казак", "ротор", "радар", "шабаш"] * 2), "топот казак"),
    ("words:palindrome", {}, "、".join(["上海自来水来自海上"] * 10), "上海自来水"),
    ("words:prime_lengths", {}, "да лес, школа", "он идёт"),
    ("words:prime_lengths", {}, "天气，好日子。", "今天天气，好。"),
    ("words:repeats", {"small_n": 1}, "山水", "山水山"),
    ("words:no_consecutive", {}, "山水山", "山山水"),
    ("words:no_consecutive", {}, "дом лес", "дом дуб"),
    ("words:last_first", {}, "我爱山。山很高。", "我爱山。海很大。"),
    ("words:last_first", {}, "Я вижу дом. Дом стоит.", "Я вижу дом. Лес стоит."),
    ("words:paragraph_last_first", {}, "山中有山", "山中有水"),
    ("words:keywords_specific_position", {"keyword": "北京", "n": 2, "m": 3}, "你好。我在北京。", "你好。北京在我。"),
    ("words:words_position", {"keyword": "爱"}, "我爱他也爱你", "我爱他也喜欢你"),
    ("sentence:keyword", {"word": "北京", "N": 2}, "你好。北京很大。", "北京很大。你好。"),
    ("sentence:keyword", {"word": "дом", "N": 2}, "Это лес. Вот Дом.", "Вот дом. Это лес."),
    ("sentence:increment", {"small_n": 1}, "下雨。下雨了。下大雨了。", "下雨。下雪。"),
    ("sentence:increment", {"small_n": 1}, "ยา। ยาด।", "ยา।ยา"),
    ("sentence:alliteration_increment", {}, "Дом пуст. Дикие дети пели. Два дуба давно стоят.", "Дом дымит. Я сплю."),
    ("format:parentheses", {}, "一（二【三（四【五（六）】）】）", "（一）"),
    ("format:parentheses", {}, "（（（（（深）））））", "（（（（浅））））"),
    ("format:quotes", {}, "「他说『她说「好」』」", "「他说『好』」"),
    ("format:options", {"options": "да/нет"}, "Да.", "Возможно"),
    ("format:newline", {}, "дом\nлес", "дом лес\nдуб"),
    ("format:emoji", {}, "今天下雨。🌧️明天晴天😀。", "今天下雨。明天晴天😀。"),
    ("format:emoji", {}, "Привет 😀! Пока. 🎉", "Привет! Пока. 🎉"),
    ("format:line_indent", {}, "一\n 二\n  三", "一\n二"),
    ("format:quote_unquote", {}, "“山”就是山。", "山就是“山”"),
    ("format:list", {"sep": "…"}, "…一\n…二", "一…二…"),
    ("format:thesis", {}, "<em>山</em>很高", "<em> </em>很高"),
    ("format:sub-bullets", {}, "* 一\n- 二", "一\n二"),
    ("format:no_bullets_bullets", {}, "下雨。下雪。\n* 一\n* 二", "下雨。\n* 一\n* 二"),
    ("format:title_case", {}, "Большой Дом", "Большой дом"),
    ("format:title_case", {}, "Das Haus", "山水"),
    ("format:output_template", {}, "My Answer: 一 My Conclusion: 二 Future Outlook: 三", "My Answer: 一"),
    ("format:no_whitespace", {}, "山水", "山\u3000水"),
    ("custom:multiples", {}, "14、21、28、35、42、49", "7、14、21、28、35、42、49"),
    ("custom:date_format_list", {}, "1796-05-10, 1815-06-18", "1796-02-30"),
    ("repeat:repeat_change", {"prompt_to_repeat": "Напиши стих о доме"}, "Сочини стих о доме", "Сочини стих"),
    ("repeat:repeat_span", {"prompt_to_repeat": "а б в г д", "n_start": 1, "n_end": 3}, "Б в", "б в г"),
]
ENGLISH_TASKS = listed(
    "custom:mcq_count_length custom:reverse_newline custom:word_reverse custom:character_reverse "
    "custom:sentence_alphabet custom:european_capitals_sort custom:csv_city custom:csv_special_character "
    "custom:csv_quotes repeat:repeat_simple ratio:overlap"
)
"""Tasks whose answer is English or a table, and the overlap in characters: in test_ifbench_agreement.py only."""


@pytest.mark.parametrize(("id", "kwargs", "good", "bad"), CASES)
def test_a_constraint_works_in_other_scripts(id: str, kwargs: dict[str, Any], good: str, bad: str) -> None:
    assert follows(good, id, kwargs)
    assert not follows(bad, id, kwargs)


def test_every_constraint_of_ifbench_is_tried_in_another_script() -> None:
    ifbench = {id for id in INSTRUCTIONS if id.split(":")[0] not in IFEVAL_FAMILIES}
    assert len(ifbench) >= 30
    assert {case[0] for case in CASES} | ENGLISH_TASKS == ifbench


@pytest.mark.parametrize("id", ["words:vowel", "words:consonants", "words:alphabet"])
def test_scripts_without_known_vowels_do_not_follow_constraints_on_letters(id: str) -> None:
    assert not follows("山水画", id)


@pytest.mark.parametrize("id", sorted({case[0] for case in CASES}))
def test_punctuation_alone_follows_nothing_about_words(id: str) -> None:
    kwargs = next(case[1] for case in CASES if case[0] == id)
    if id not in ("format:no_whitespace", "format:parentheses", "format:quotes", "format:line_indent"):
        assert not follows("- ; -", id, kwargs)
