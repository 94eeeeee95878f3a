"""What a package is, and what a model in packages is. Frozen records; table.py and models.py fill them."""

from dataclasses import dataclass
from typing import Literal

Origin = Literal["wheel", "deb"]
"""A Python package, which pip brings, or a package of Debian, which apt brings"""


@dataclass(frozen=True)
class Package:
    """One file of a package index, pinned."""

    name: str
    version: str
    sha256: str
    """Of the file"""
    licence: str
    """SPDX name, or the short name by which it is accepted"""
    licence_text: str
    """Where its text lies: a file inside the package, or an address"""
    note: str
    """What is taken from it"""
    origin: Origin = "wheel"

    @property
    def file_name(self) -> str:
        """In the cache."""
        ending = "whl" if self.origin == "wheel" else "deb"
        return f"{self.name}-{self.version}-{self.sha256[:16]}.{ending}"

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
