"""The catalogs as a source; what reads packages is imported when something is written."""

from pathlib import Path

from dragoman.data.catalogs.settings import CatalogSizes
from dragoman.data.sources import Source


class Catalogs(Source[CatalogSizes]):
    """Real text with every task, from packages."""

    name = "catalogs"
    settings_type = CatalogSizes

    def write(self, folder: Path, seed: int, settings: CatalogSizes) -> None:
        from dragoman.data.catalogs.build import build

        build(folder, seed=seed, sizes=settings)


CATALOGS = Catalogs()
