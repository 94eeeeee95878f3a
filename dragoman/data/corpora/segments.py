"""What a file of parallel text is read as: segments, each with the place it came from."""

from dataclasses import dataclass, replace

from dragoman.data.rows import DataError


class InputError(DataError):
    """An input that cannot be read; the text names the file, the place in it and the mend."""


def writable(text: str) -> str:
    """The text with U+FFFD for half of a surrogate pair, which no file can hold."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


@dataclass(frozen=True)
class Segment:
    """A text and its translation."""

    source: str
    target: str
    source_language: str
    target_language: str
    """BCP 47, as the input says but in one spelling: `de`, `pt_BR`, `zh_Hant`"""
    place: str
    """`file:line` or `file#unit`"""
    draft: str = ""
    """The translation before somebody edited it, where the file has it"""
    state: str = ""
    """Of the translation, in the file's own word: `final`, `needs-review-translation`, `fuzzy`, …"""
    domain: str = ""
    provenance: str = ""
    licence: str = ""

    @property
    def direction(self) -> tuple[str, str]:
        """Source and target language."""
        return self.source_language, self.target_language

    def turned(self) -> "Segment":
        """The opposite direction; its draft is one of the other text, so it goes."""
        return replace(
            self, source=self.target, target=self.source, source_language=self.target_language,
            target_language=self.source_language, draft="",
        )  # fmt: skip
