"""`named_entities`: the response tags the entities of a text; F1 over entities (conlleval's and seqeval's definition).

    response -> read_tags ([("Anna", "B-PER"), …], <PER>Anna</PER>, or JSON) -> a tag for each token -> entities -> F1

An entity is right when its type and both ends are. As tower-eval does, pairs are taken by their position whatever the
words in them say, a tag that is none is O, an answer that is too short goes on with O, and what is too long is cut. In
tagged text an entity stands where its characters stand, white space aside; tower-eval asks spaCy for the tokens.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rewards.annotation.tallies import Tally
from rewards.records import Probe, RewardResult, RewardSpec, Row
from rewards.registry import reward
from rewards.spans import final_part

OUTSIDE = "O"
LONGEST_ANSWER = 200_000
_PAIR = re.compile(r"""[(\[]\s*(["'])(.{0,200}?)\1\s*,\s*["']([\w-]{1,40})["']\s*[)\]]""")
_XML = re.compile(r"<(/?)([A-Za-z]\w{0,39})>")
_LABELLED = re.compile(r"[BI]-\w+")


class Entity(NamedTuple):
    """A run of tokens with one type."""

    type: str
    start: int
    end: int


def entities_of(tags: Sequence[str]) -> set[Entity]:
    """Entities of IOB tags; I- behind O, or of another type than before, begins one, as in conlleval."""
    found, start, kind = set[Entity](), 0, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, this = tag.partition("-")
        if kind and (tag == OUTSIDE or prefix == "B" or this != kind):
            found.add(Entity(kind, start, place))
            kind = ""
        if tag != OUTSIDE and not kind:
            start, kind = place, this
    return found


def tally_tags(tags: Sequence[str], gold: Sequence[str]) -> Tally:
    """Entities found rightly, found, and wanted."""
    ours, theirs = entities_of(tags), entities_of(gold)
    return Tally(len(ours & theirs), len(ours), len(theirs))


def read_tags(response: str, tokens: Sequence[str], types: Sequence[str] | None = None) -> list[str] | None:
    """A tag for each token; None when the response is no answer in any of the forms."""
    text, _ = final_part(response)
    if len(text) > LONGEST_ANSWER:
        return None
    pairs = [match[3] for match in _PAIR.finditer(text)]
    if pairs:
        tags = [tag if _LABELLED.fullmatch(tag) else OUTSIDE for tag in pairs[: len(tokens)]]
        tags += [OUTSIDE] * (len(tokens) - len(tags))
    else:
        found = _from_json(text, tokens)
        found = _from_tagged(text, tokens) if found is None else found
        if found is None:
            return None
        tags = found
    return [tag if types is None or tag[2:] in types else OUTSIDE for tag in tags]


def _from_json(text: str, tokens: Sequence[str]) -> list[str] | None:
    """[{"text": "Anna", "type": "PER"}, …]: each the next place where its words stand."""
    try:
        entries = json.loads(text) if text.lstrip().startswith("[") else None
    except (ValueError, RecursionError):
        return None  # no JSON after all: the other forms are looked for
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    plain, after, places = "".join(tokens), dict[str, int](), list[Entity]()
    for entry in entries[: len(tokens)]:
        words, kind = entry.get("text"), entry.get("type", entry.get("label"))
        if not isinstance(words, str) or not isinstance(kind, str) or not words.strip():
            continue
        words = "".join(words.split())
        start = plain.find(words, after.get(words, 0))
        if start >= 0:
            after[words] = start + len(words)
            places.append(Entity(kind, start, after[words]))
    return _tags_at(places, tokens)


def _from_tagged(text: str, tokens: Sequence[str]) -> list[str] | None:
    """<PER>Anna</PER> lives here.; None where the text without its tags is another one."""
    plain = "".join(_XML.sub("", text).split())
    return _tags_at(list(_tagged(text)), tokens) if plain == "".join(tokens) and plain else None


def _tagged(text: str) -> Iterator[Entity]:
    """Entities by their characters, white space left out; of nested ones the innermost."""
    opened: tuple[str, int] | None = None
    length = after = 0
    for tag in _XML.finditer(text):
        length += len("".join(text[after : tag.start()].split()))
        after = tag.end()
        if not tag[1]:
            opened = (tag[2], length)
        elif opened is not None and opened[0] == tag[2]:
            yield Entity(opened[0], opened[1], length)
            opened = None


def _tags_at(places: Sequence[Entity], tokens: Sequence[str]) -> list[str]:
    """Tags of the tokens that the places touch; of two places on one token the first counts."""
    token_of = [number for number, token in enumerate(tokens) for _ in token]
    tags = [OUTSIDE] * len(tokens)
    for place in places:
        if place.start == place.end:
            continue
        covered = range(token_of[place.start], token_of[place.end - 1] + 1)
        if all(tags[number] == OUTSIDE for number in covered):
            for number in covered:
                tags[number] = f"{'B' if number == covered[0] else 'I'}-{place.type}"
    return tags


def tagged_tokens(text: str) -> tuple[list[str], list[str]]:
    """Tokens (between white space) and tags of a gold text with tags; ValueError when its tags do not close."""
    names = [(tag[1], tag[2]) for tag in _XML.finditer(text)]
    closed = all(a == ("", b[1]) and b[0] for a, b in zip(names[::2], names[1::2], strict=False))
    if len(names) % 2 or not closed:
        raise ValueError("a tag of the tagged text has no end, or stands inside of another; correct it")
    spaced = re.sub(r"(</\w+>)(?=\w)|(?<=\w)(?=<[A-Za-z]\w*>)", r"\1 ", text)
    tokens = _XML.sub("", spaced).split()
    return tokens, _tags_at(list(_tagged(text)), tokens)


def check_args(args: Mapping[str, Any]) -> None:
    """ValueError when tokens and tags are malformed or not of one length."""
    tokens, tags = args.get("tokens"), args.get("tags")
    for name, value in (("tokens", tokens), ("tags", tags)):
        if not isinstance(value, (list, tuple)) or not value or not all(isinstance(v, str) and v for v in value):
            raise ValueError(f"argument {name!r} is {value!r:.60}; give a list of texts")
    assert tokens is not None and tags is not None
    if len(tokens) != len(tags):
        raise ValueError(f"there are {len(tokens)} tokens and {len(tags)} tags; give each token one")
    wrong = next((tag for tag in tags if tag != OUTSIDE and not _LABELLED.fullmatch(tag)), None)
    if wrong is not None:
        raise ValueError(f"tag {wrong!r:.40} is neither O nor B- or I- with a type, such as B-PER")


def gold(spec: RewardSpec, row: Row) -> str:
    """The pairs of tokens and tags, as Tower's data has them."""
    tokens, tags = spec.argument("tokens", row), spec.argument("tags", row)
    return json.dumps([list(pair) for pair in zip(tokens, tags, strict=True)], ensure_ascii=False)


def cheats(spec: RewardSpec, row: Row) -> list[Probe]:
    """Every token an entity of the first type."""
    tokens, tags = spec.argument("tokens", row), spec.argument("tags", row)
    kind = next((tag[2:] for tag in tags if tag != OUTSIDE), "PER")
    everything = json.dumps([[token, f"B-{kind}"] for token in tokens])
    return [Probe("everything is one", everything), Probe("brackets", "[" * 10_000)]


@reward("named_entities", timeout_s=5, validate=check_args, gold=gold, cheats=cheats)
def named_entities(response: str, tokens: list[str], tags: list[str], types: list[str] | None = None) -> RewardResult:
    """F1 over entities; `types` are those that count, all where it is not given."""
    found = read_tags(response, tokens, types)
    if found is None:
        return RewardResult("named_entities", 0.0, "ok", "no pairs, no JSON list, and not the text with tags")
    wanted = [tag if types is None or tag[2:] in types else OUTSIDE for tag in tags]
    tally = tally_tags(found, wanted)
    return RewardResult("named_entities", tally.f(), "ok", tally.in_words("entities"))
