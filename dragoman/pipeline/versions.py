"""Reused stages that were made by other packages or other code: not built again, but said.

A changed setting, data file, plug-in, reward model or parent builds a stage again. Another version of a package or of
this project may change a result, or may not; to build all again for every patch would be worse than a warning.
"""

from collections.abc import Iterator, Sequence

from dragoman.pipeline.manifest import Manifest, code_hash, package_versions, read_manifest
from dragoman.pipeline.plan import PlannedStage
from dragoman.pipeline.run_folder import RunFolder


def version_warnings(folder: RunFolder, stages: Sequence[PlannedStage]) -> list[str]:
    """One sentence for each stage that is reused although packages or code differ, naming what differs."""
    reused = [(planned.name, read_manifest(folder.stage(planned.name))) for planned in stages if planned.ready]
    found = [(name, list(_differences(manifest))) for name, manifest in reused if manifest is not None]
    return [
        f"stage {name} is reused, made with {', '.join(told)}; remove {folder.stage(name)} to build it again"
        for name, told in found
        if told
    ]


def _differences(manifest: Manifest) -> Iterator[str]:
    now = package_versions()
    for package in sorted({*manifest.packages, *now}):
        before, after = manifest.packages.get(package, "none"), now.get(package, "none")
        if before != after:
            yield f"{package} {before} (now {after})"
    if manifest.code != code_hash():
        yield "other code of this project or of an extension"
