"""What a package is, and what a model in packages is. Frozen records; table.py and models.py fill them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """One wheel of a package index, pinned."""

    name: str
    version: str
    sha256: str
    """Of the wheel"""
    licence: str
    """SPDX name, or the short name by which it is accepted"""
    licence_text: str
    """Where its text lies: a file inside the wheel, or an address"""
    note: str
    """What is taken from it"""

    @property
    def title(self) -> str:
        """`name version`, as messages call it."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class PackagedModel:
    """A model that lies as a GGUF file in one wheel, or in pieces in several."""

    name: str
    """What a recipe calls it, after `package:`"""
    packages: tuple[Package, ...]
    """In the order of the file's pieces"""
    members: tuple[str, ...]
    """The file's pieces, one in each wheel"""
    sha256: str
    """Of the whole GGUF file"""
    turn_end: str
    """The token that ends an assistant's turn: `eos_token` of what is written"""
    document_end: str
    """The token that ends a document in pretraining"""
    chat_template: str | None = None
    """None: the file has one of its own"""
    note: str = ""

    @property
    def version(self) -> str:
        """Of the first package."""
        return self.packages[0].version
