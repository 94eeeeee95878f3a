"""Language codes in settings: one that CLDR does not know is an error of the recipe."""

from typing import Annotated

from pydantic import AfterValidator

from dragoman.text.languages import LanguageError, language_name


def known_code(code: str) -> str:
    """The code itself; ValueError for an unknown one."""
    try:
        language_name(code)
    except LanguageError as error:
        raise ValueError(str(error)) from None
    return code


LanguageCode = Annotated[str, AfterValidator(known_code)]
