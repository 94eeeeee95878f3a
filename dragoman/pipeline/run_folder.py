"""The folder of a run: where it is, what is in it, and that only one process writes it.

<output>/<name>/recipe.yaml  data/  stages/<stage>/{model,manifest.json,evaluation.json(l),checkpoints}
                encoded/  metrics.jsonl  samples.jsonl  tensorboard/  report.html
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dragoman.errors import DragomanError

CODE = Path(__file__).resolve().parents[2]
OUTPUT_VARIABLE = "DRAGOMAN_OUTPUT"


class RunFolderError(DragomanError):
    """The run folder cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run."""

    root: Path

    @property
    def data(self) -> Path:
        """Rows written by the recipe's data builder."""
        return self.root / "data"

    @property
    def encoded(self) -> Path:
        """Rows as token sequences; made again where it is removed."""
        return self.root / "encoded"

    def stage(self, name: str) -> Path:
        """Folder of a stage."""
        return self.root / "stages" / name

    def model(self, name: str) -> Path:
        """Hugging Face checkpoint of a stage."""
        return self.stage(name) / "model"

    def checkpoints(self, name: str) -> Path:
        """Resumable states of a stage that is being trained."""
        return self.stage(name) / "checkpoints"

    @property
    def stacks(self) -> Path:
        """What processes were doing when nothing moved."""
        return self.root / "stacks"

    def lock(self) -> IO[str]:
        """Hold the run until the returned file is closed (or the process dies, however it dies)."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle = (self.root / ".lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            raise RunFolderError(
                f"{self.root} is in use by process {handle.read().strip() or '?'}; wait for it, stop it "
                "(`ray job list`, `ray job stop ID`), or give the run another name with --set name=..."
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        return handle


def output_folder(wanted: str | None) -> Path:
    """Where run folders go: `wanted`, else $DRAGOMAN_OUTPUT, else `runs/` beside the code.

    A job that was submitted with `--working-dir` runs from Ray's temporary copy of the code; nothing may be
    kept there, so the default is then `~/dragoman/runs`, and a relative path is refused.
    """
    wanted = wanted or os.environ.get(OUTPUT_VARIABLE)
    if not wanted:
        return Path.home() / "dragoman" / "runs" if is_temporary_copy(CODE) else CODE / "runs"
    path = Path(wanted).expanduser()
    if not path.is_absolute() and is_temporary_copy(Path.cwd()):
        raise RunFolderError(
            f"output {wanted!r} is relative, but this job runs in Ray's temporary copy of the working "
            "directory, which Ray deletes; give an absolute path"
        )
    return path.resolve()


def is_temporary_copy(path: Path) -> bool:
    """Whether a path lies in a folder that Ray unpacked for a job."""
    return "working_dir_files" in path.parts or "_ray_pkg_" in str(path)


def existing_run(run: Path) -> Path:
    """The folder itself; RunFolderError when it is missing."""
    if not run.is_dir():
        raise RunFolderError(f"run folder {run} is missing: start the run, or name another folder")
    return run


def stage_model(run: Path, stage: str) -> Path:
    """The model folder of a stage of a run; RunFolderError names the stages that there are."""
    folder = RunFolder(existing_run(run)).model(stage)
    if not folder.is_dir():
        made = ", ".join(sorted(p.parent.name for p in run.glob("stages/*/model"))) or "none"
        raise RunFolderError(f"{run} holds no model of stage {stage!r}; made so far: {made}")
    return folder
