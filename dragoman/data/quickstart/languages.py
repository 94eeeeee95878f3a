"""The languages of the quickstart, one entry each in languages.yaml, with everything that a language needs there."""

from collections.abc import Mapping

from dragoman.settings import Settings
from dragoman.text.languages import language_name
from dragoman.text.tables import read_table


class Language(Settings):
    """One language of the quickstart."""

    code: str
    """ISO 639-1 code; also the CLDR locale and the num2words language."""
    sentences: Mapping[str, str]
    """Template id -> sentence with {slots}; every language has every template."""
    listing: str
    """Opening of a list answer, with {count} (spelled out) and {noun}."""
    nouns: Mapping[str, str]
    """Topic of a list answer -> plural noun."""

    @property
    def name(self) -> str:
        """The language's English name, as instructions write it."""
        return language_name(self.code)


LANGUAGES = {code: Language(code=code, **entry) for code, entry in read_table(__file__).items()}
