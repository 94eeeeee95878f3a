"""Rules of a translation, each offered where the reference shows it: what must survive, length, address, no comment.

A rule is a function from a task to what it asks; `RULES` lists them. What a rule asks has an id and kwargs of
`mt_instructions` and the name of its wording with the words that stand in it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dragoman.data.rows import ParallelPair
from dragoman.text.addresses import find_addresses
from dragoman.text.languages import base_code
from dragoman.text.markup import has_tags
from dragoman.text.messages import find_placeholders
from dragoman.text.trees import Format
from rewards.translation.formality import MARKERS, address_levels
from rewards.translation.instructions import follows


@dataclass(frozen=True)
class Task:
    """What rules are looked for in."""

    source: str
    target: str
    """The reference"""
    source_language: str
    target_language: str
    form: Format | None = None
    """Of a document"""
    pairs: tuple[ParallelPair, ...] = ()
    """What it was made of"""

    def shows(self, id: str, kwargs: dict[str, Any]) -> bool:
        """Whether the reference follows an instruction that applies to it."""
        return follows(self.target, id, kwargs, self.source, self.target_language) is True


@dataclass(frozen=True)
class Asked:
    """A rule of one question."""

    id: str
    kwargs: dict[str, Any]
    wording: str
    """Key of wordings.yaml"""
    slots: dict[str, str] = field(default_factory=dict)


Rule = Callable[[Task, Random], Iterator[Asked]]


def kept(task: Task, random: Random) -> Iterator[Asked]:
    """Placeholders, tags, addresses and numbers that the source has."""
    if task.form is not None:
        return  # a document's verifier looks at its texts one by one
    if find_placeholders(task.source) and task.shows("mt:placeholders", {"locale": task.target_language}):
        yield Asked("mt:placeholders", {"locale": task.target_language}, "placeholders")
    if has_tags(task.source) and task.shows("mt:tags", {}):
        yield Asked("mt:tags", {}, "tags")
    if find_addresses(task.source) and task.shows("mt:urls", {}):
        yield Asked("mt:urls", {}, "addresses")
    if any(c.isdigit() for c in task.source) and task.shows("mt:numbers", {}):
        yield Asked("mt:numbers", {}, "numbers")


def names(task: Task, random: Random) -> Iterator[Asked]:
    """A name that both texts have: a word with a capital inside of a sentence."""
    words = [word.strip(".,;:!?()\"'") for word in task.source.split()[1:]]
    shared = {w for w in words if len(w) > 2 and w.isalpha() and w[0].isupper() and w in task.target}
    found = [name for name in sorted(shared) if task.shows("mt:do_not_translate", {"terms": [name]})]
    if found and task.form is None:
        name = random.choice(found)
        yield Asked("mt:do_not_translate", {"terms": [name]}, "name", {"name": name})


def address(task: Task, random: Random) -> Iterator[Asked]:
    """How the reader is addressed, where the reference says it clearly."""
    language = base_code(task.target_language)
    if language in MARKERS and task.form is None:
        levels = address_levels(task.target, language)
        if len(levels) == 1:
            level = next(iter(levels))
            yield Asked("mt:formality", {"language": language, "level": level}, level)


def length(task: Task, random: Random) -> Iterator[Asked]:
    """A limit a little above the reference, and only where a translation might well be longer."""
    if task.form is None and len(task.target) >= 12:
        most = (len(task.target) * 11 // 100 + 1) * 10
        yield Asked("mt:max_characters", {"max_characters": most}, "length", {"most": str(most)})


def bare(task: Task, random: Random) -> Iterator[Asked]:
    """Nothing around the translation."""
    if task.form is None and task.shows("mt:no_commentary", {}):
        yield Asked("mt:no_commentary", {}, "bare")


def structure(task: Task, random: Random) -> Iterator[Asked]:
    """A document's tree."""
    kwargs: dict[str, Any] = {"locale": task.target_language}
    if task.form == "json":
        yield Asked("mt:json_tree", kwargs, "json_tree")
    elif task.form is not None:
        yield Asked("mt:markup_tree", {"format": task.form, **kwargs}, "markup_tree", {"format": task.form.upper()})


RULES: tuple[Rule, ...] = (structure, kept, names, address, length, bare)
