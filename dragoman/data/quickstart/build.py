"""The quickstart's data: every file of every stage, from a seed.

    build(folder, seed=0)

    meanings, problems, programs, requests --split by hash--> train | preference | rl | development | eval
    train      -> cpt_mono.jsonl, cpt_parallel.jsonl, cpt_instructions.jsonl, cpt_sums.jsonl, sft.jsonl, lat.jsonl
    preference -> preference.jsonl        rl -> rl.jsonl        (half of their general prompts: train's, in new words)
    eval       -> eval/{translation_*,math,code,constraints}.jsonl
    development -> development/ (the same suites, other rows: settings are chosen there, figures reported on eval)

What is split is the question, not its wording (`Example.key`; docs/data.md says what makes one for each task). Which
directions a stage may see is a setting (directions.py): by default four are seen by none, and are zero-shot as in
arXiv 2403.14399. The mixture follows Tower+ (arXiv 2506.17080): monolingual, parallel and a little instruction-like
text; then translation beside general tasks. The same seed and sizes give the same bytes.
"""

from collections.abc import Sequence
from pathlib import Path

from dragoman.data.quickstart.draws import Draws
from dragoman.data.quickstart.file_rows import FileRow
from dragoman.data.quickstart.settings import QuickstartSizes
from dragoman.data.quickstart.suites import development_files, evaluation_files
from dragoman.data.quickstart.training import training_files
from dragoman.files import write_lines


def build(output: Path, *, seed: int = 0, sizes: QuickstartSizes | None = None) -> None:
    """Write every file of the quickstart under `output`.

    Raises ValueError when a size asks for more than the slots can make; nothing is written then.
    """
    wanted = sizes or QuickstartSizes()
    draws = Draws(seed, wanted.instruction)
    files: dict[str, Sequence[FileRow]] = {
        **training_files(draws, wanted),
        **evaluation_files(draws, wanted),
        **development_files(draws, wanted),
    }
    for name, rows in files.items():
        write_lines(output / f"{name}.jsonl", (row.columns() for row in rows))
