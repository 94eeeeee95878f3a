"""Which licences are taken without asking, and the sentence that asks for the others.

Apache, MIT and BSD ask for a notice and nothing else; they are shown, not asked for. Any other one (use restrictions as
in the Gemma terms, copyleft, share-alike, unknown) is accepted by its name: a flag of the command, a key of the recipe.
"""

from collections.abc import Iterable

from dragoman.packages.errors import PackageError
from dragoman.packages.records import Package

PERMISSIVE = frozenset({"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause"})


def needs_acceptance(package: Package) -> bool:
    """Whether its licence has to be accepted by name."""
    return package.licence not in PERMISSIVE


def check_accepted(packages: Iterable[Package], accepted: Iterable[str]) -> None:
    """Raise PackageError for the first package under a licence that was not accepted; case does not count."""
    known = {licence.lower() for licence in accepted}
    for package in packages:
        if needs_acceptance(package) and package.licence.lower() not in known:
            raise PackageError(
                f"{package.title} is under the licence {package.licence}, which is not permissive: read it "
                f"({package.licence_text}) and accept it with --accept-licence {package.licence} on the command line, "
                f"or accept_licences: [{package.licence}] in the recipe"
            )
