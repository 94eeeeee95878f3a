"""Files that are translated in place: everything but the translations stays as it is, byte for byte.

    file -> DocumentFormat.open -> Document: its slots -> answers of a translator, checked -> filled -> new bytes

A format is a class with `open`, registered by `register_document`. What is written is cut into the file's own text, so
that declarations, comments, the order of attributes and the ends of lines are never written anew.
"""

from dragoman.data.documents import exchange, json_catalogs, plain, po
from dragoman.data.documents.base import Answer, Asked, Document, DocumentFormat, Slot, open_document, register_document
from dragoman.data.documents.translating import Reply, Summary, translate_document

__all__ = [
    "Answer",
    "Asked",
    "Document",
    "DocumentFormat",
    "Reply",
    "Slot",
    "Summary",
    "exchange",
    "json_catalogs",
    "open_document",
    "plain",
    "po",
    "register_document",
    "translate_document",
]
