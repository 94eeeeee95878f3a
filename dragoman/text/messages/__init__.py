"""Messages of user interfaces as what they are: placeholders, plurals and choices by their own grammars.

    text -> parse -> Message: the placeholders of every way through its choices -> compare with the source's

| grammar | read by |
|---|---|
| ICU and Java MessageFormat | pyicumessageformat (MIT); Java's `choice` here (icu.py) |
| Fluent | fluent.syntax (Mozilla, Apache-2.0) (fluent.py) |
| Android `<plurals>`, iOS stringsdict | the standard library's parsers of XML and property lists (resources.py) |
| printf of C, Python, Objective-C, Java; Qt, Laravel, .NET, Mustache, JSX, Ruby, … | one token each (tokens.py) |

A message that its own grammar cannot read would crash its program, and so is no translation. What looks like a
placeholder of no known form is compared letter by letter, and said to be unknown.
"""

from dragoman.text.messages.comparison import Comparison, compare
from dragoman.text.messages.tokens import find_placeholders

__all__ = ["Comparison", "compare", "find_placeholders"]
