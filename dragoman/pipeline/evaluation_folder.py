"""The folder of an evaluation outside of a run.

OUT/answers.jsonl       every answer with its key; a repeated command asks for none of them again
OUT/evaluation.json(l)  metrics and outcomes, as those of a run's stage
OUT/about.json          who answered, how, on which rows, with which packages
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from dragoman.data.rows import Prompt
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.standalone import Job
from dragoman.files import write_json
from dragoman.pipeline.manifest import package_versions
from dragoman.pipeline.run_folder import RunFolder, RunFolderError


def describe(job: Job, folder: Path) -> None:
    """Write what the figures depend on."""
    write_json(folder / "about.json", {
        "answerer": {"name": job.answerer.name, "fingerprint": job.answerer.fingerprint},
        "decoding": job.decoding.model_dump(mode="json"),
        "shots": job.shots,
        "choose": job.choose,
        "suites": {
            loaded.name: {
                "rows": len(loaded.suite.prompts),
                "content": content_hash(loaded.suite.prompts),
                "settings": loaded.settings.model_dump(mode="json") if loaded.settings is not None else None,
            }
            for loaded in job.suites
        },
        "packages": package_versions(),
    })  # fmt: skip


def content_hash(prompts: Iterable[Prompt]) -> str:
    """Hash of what a suite asks and of what it takes for right."""
    digest = hashlib.sha256()
    for prompt in prompts:
        row = [prompt.id, [dict(m) for m in prompt.messages], prompt.reference, list(prompt.more_references)]
        digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace"))
    return digest.hexdigest()[:24]


def trained_on(run: Path, stage: str) -> tuple[str, ...]:
    """Reward kinds that a run's stage, or one before it, optimised; empty where no run says so."""
    folder = RunFolder(run).stage(stage)
    known = all((folder / name).is_file() for name in ("evaluation.json", "evaluation.jsonl"))
    return Evaluation.load(folder).shown.optimised if known else ()


def read_evaluation(folder: Path) -> Evaluation:
    """What `dragoman evaluate`, or a stage, wrote into a folder."""
    if not (folder / "evaluation.json").is_file() or not (folder / "evaluation.jsonl").is_file():
        raise RunFolderError(f"{folder} holds no evaluation; name the --out folder of `dragoman evaluate`")
    return Evaluation.load(folder)
