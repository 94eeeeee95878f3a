"""IFBench's `custom:` and `repeat:` constraints: each is a small task with a checkable answer.

Where they depart from the original: the CSV header's row counts and quotes are read as they stand, as there;
`custom:date_format_list` asks for days that exist. The reverse word order of `custom:word_reverse` is only
checked for the answer's two words, as there.
"""

import csv
import datetime
import re
import unicodedata
from itertools import pairwise

from dragoman.text.segmentation import sentences, strip_punctuation, without_punctuation
from dragoman.text.tables import read_table
from rewards.constraints.registry import a_count, a_text, instruction

CAPITALS: str = read_table(__file__, "ifbench")["capitals"]
SIMPLE_SENTENCE = "Only output this sentence here, ignore all other requests."
_AFRICAN_LINES = 52
_OPTION = re.compile(r"[A-Ea-e][.|)]\s*\w+")
_QUESTION = re.compile(r"\n*(?:Question \d+[.|):;]?\s*)")


@instruction("custom:multiples")
def multiples(response: str) -> bool:
    """The multiples of 7 from 10 to 50 and no other number."""
    return re.findall(r"\d+", response) == [str(number) for number in range(14, 51, 7)]


@instruction("custom:mcq_count_length")
def mcq_count_length(response: str) -> bool:
    """Four questions of growing length, each with five options A to E, and nothing before them."""
    questions = [text.strip() for text in _QUESTION.split(response) if text.strip()]
    shapes = [_question_shape(text) for text in questions]
    lengths = [length for length, _ in shapes]
    return (
        response.startswith("Question")
        and len(shapes) == 4
        and all(options == 5 for _, options in shapes)
        and all(first < second for first, second in pairwise(lengths))
    )


def _question_shape(text: str) -> tuple[int, int]:
    """Length of the question and number of its options."""
    asked, options = "", 0
    for line in map(str.strip, text.split("\n")):
        if _OPTION.match(line):
            options += 1
        elif not options:
            asked += f" {line}"
    return len(asked.strip()), options


@instruction("custom:reverse_newline")
def reverse_newline(response: str) -> bool:
    """From the line with Zimbabwe on, at least 52 lines in reverse alphabetical order."""
    lines = [line for line in map(strip_punctuation, response.split("\n")) if line]
    start = next((number for number, line in enumerate(lines) if "Zimbabwe" in line), len(lines))
    names = [_ascii(line) for line in lines[start:]]
    return len(names) >= _AFRICAN_LINES and names == sorted(names, reverse=True)


@instruction("custom:word_reverse")
def word_reverse(response: str) -> bool:
    """The national animal of the United States, the words of the sentence in reverse order."""
    words = without_punctuation(response.lower()).split()
    return "bald eagle" in " ".join(words[::-1])


@instruction("custom:character_reverse")
def character_reverse(response: str) -> bool:
    """The same, the letters in reverse order."""
    return "elgae dlab" in response.lower()


@instruction("custom:sentence_alphabet")
def sentence_alphabet(response: str) -> bool:
    """26 sentences whose first letters are the alphabet."""
    initials = [sentence.lower()[0] for sentence in sentences(response)]
    return initials == [chr(code) for code in range(ord("a"), ord("z") + 1)]


@instruction("custom:european_capitals_sort")
def european_capitals_sort(response: str) -> bool:
    """The listed capitals in their order, divided by commas; diacritics do not count."""
    return [city.strip() for city in _ascii(response).split(",") if city.strip()] == CAPITALS.split(", ")


@instruction("custom:csv_city")
def csv_city(response: str) -> bool:
    """A header and seven rows of five fields."""
    rows = list(csv.reader(response.splitlines()))
    return rows[:1] == [["ID", "Country", "City", "Year", "Count"]] and _is_table(rows, 8)


@instruction("custom:csv_special_character")
def csv_special_character(response: str) -> bool:
    """A header and 14 rows of five fields, one of them in double quotes with a special character."""
    names = ("ProductID", "Category", "Brand", "Price", "Stock")
    rows = _raw_rows(response, ",")
    special = any(re.match(r'".*[^\d\w\s].*"', field) for row in rows[1:] for field in row)
    return _is_header(rows[:1], names) and _is_table(rows, 15) and special


@instruction("custom:csv_quotes")
def csv_quotes(response: str) -> bool:
    """A header and three rows of five fields divided by tabs, every field in double quotes."""
    names = ("StudentID", "Subject", "Grade", "Semester", "Score")
    rows = _raw_rows(response, "\t")
    quoted = all(re.fullmatch(r'".*"', field.strip()) for row in rows for field in row)
    return _is_header(rows[:1], names) and _is_table(rows, 4) and quoted


@instruction("custom:date_format_list")
def date_format_list(response: str) -> bool:
    """Days of Napoleon's life as YYYY-MM-DD, divided by commas."""
    return all(_is_day(text.strip()) for text in response.strip().split(","))


@instruction("repeat:repeat_change", prompt_to_repeat=a_text)
def repeat_change(response: str, prompt_to_repeat: str) -> bool:
    """The request with another first word."""
    return response != prompt_to_repeat and response.split()[1:] == prompt_to_repeat.split()[1:]


@instruction("repeat:repeat_simple")
def repeat_simple(response: str) -> bool:
    """The sentence that the instruction names, in any case, and nothing else."""
    return response.strip().lower() == SIMPLE_SENTENCE.lower()


@instruction("repeat:repeat_span", prompt_to_repeat=a_text, n_start=a_count, n_end=a_count)
def repeat_span(response: str, prompt_to_repeat: str, n_start: int, n_end: int) -> bool:
    """The words of the request from the first index up to, but without, the second."""
    return response.lower().split() == prompt_to_repeat.lower().split()[int(n_start) : int(n_end)]


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def _raw_rows(response: str, delimiter: str) -> list[list[str]]:
    """Rows of a table with the quotes left in the fields."""
    return list(csv.reader(response.replace('"', '"""').splitlines(), delimiter=delimiter))


def _is_header(rows: list[list[str]], names: tuple[str, ...]) -> bool:
    return [[field.strip().strip('"') for field in row] for row in rows] == [list(names)]


def _is_table(rows: list[list[str]], count: int) -> bool:
    return len(rows) == count and all(len(row) == 5 for row in rows)


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return False
    try:
        return 1769 <= datetime.date.fromisoformat(text).year <= 1821
    except ValueError:
        return False
