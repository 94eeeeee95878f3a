"""Quotation marks of every script, as pairs: “English”, „Deutsch“, « français », »dansk«, ”suomi”, 「日本語」."""

PAIRS = ('""', "“”", "„“", "„”", "””", "«»", "»«", "「」", "『』", "﹁﹂", "﹃﹄", "〝〞", "〝〟", "＂＂", "❝❞", "‟”")
QUOTATION_MARKS = "".join(sorted({mark for pair in PAIRS for mark in pair} | set("‘’‚‹›")))


def is_quoted(text: str) -> bool:
    """Whether one pair of double marks holds the whole text: `“A” and “B”` are two.

    Straight marks do not say which of them opens: with them, as in the original, only the two ends count.
    """
    if len(text) < 2 or text[0] + text[-1] not in PAIRS:
        return False
    opening, closing = text[0], text[-1]
    depth = 0
    for character in text[:-1]:
        depth += (character == opening) - (character == closing)
        if opening != closing and depth == 0:
            return False
    return bool(text[1:-1].strip())


def bare_end(text: str) -> str:
    """The text in lower case without white space and quotation marks at its end."""
    return text.lower().rstrip(f"{QUOTATION_MARKS} \n\t\r\u00a0\u202f")
