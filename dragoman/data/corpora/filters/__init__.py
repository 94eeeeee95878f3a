"""What keeps a segment out, one filter a fault; `FILTERS` is their table, the cheap ones first.

| filter | leaves out | source |
|---|---|---|
| empty | a side without a letter or digit | |
| encoding | control characters, U+FFFD, half surrogates, text decoded by the wrong table ("FÃ¼r") | ftfy's badness |
| length | a side longer than `longest` | |
| length_ratio | one side `length_ratio` times the other, Han characters weighted | |
| copy | a target that is the source, or nearly | |
| script | letters that are mostly in another script than the language's | |
| numbers | other numbers than the source's, in any digits | |
| placeholders | other placeholders or tags, messages that would crash | |
| duplicates | a pair that was there already, in the same direction | |
| near_duplicates | a source nearly equal to one that was there | MinHash, Broder 1997, by datasketch |
| contamination | a side that stands in a text held out for measuring | |
| language | a side in another language than it says; both sides swapped | |
| quality | less than `least` by a kind of reward | any reward |

A filter says its fault in words, or nothing. Those with a memory see the segments in order, so the first of several
equal ones stays.
"""

from dragoman.data.corpora.filters.base import FILTERS, Filter, register_filter
from dragoman.data.corpora.filters.texts import Empty

from dragoman.data.corpora.filters.repetitions import Duplicates  # isort: skip - the table's order is the imports'
from dragoman.data.corpora.filters.judged import Language  # isort: skip

__all__ = ["FILTERS", "Duplicates", "Empty", "Filter", "Language", "register_filter"]
