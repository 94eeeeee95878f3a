"""The quickstart as a source; the generator, which needs Babel, is imported when something is written."""

from pathlib import Path

from dragoman.data.quickstart.settings import QuickstartSizes
from dragoman.data.sources import Source, SourceError


class Quickstart(Source[QuickstartSizes]):
    """Small multilingual data with every task, generated and verified."""

    name = "quickstart"
    settings_type = QuickstartSizes

    def write(self, folder: Path, seed: int, settings: QuickstartSizes) -> None:
        from dragoman.data.quickstart.build import build

        try:
            build(folder, seed=seed, sizes=settings)
        except ValueError as error:
            raise SourceError(f"data.sizes: {error}") from None


QUICKSTART = Quickstart()
