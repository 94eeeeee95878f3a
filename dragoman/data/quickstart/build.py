"""The quickstart's data: every file of every stage, from a seed.

    build(folder, seed=0)

    meanings, problems, programs, requests --split by hash--> train | preference | rl | development | eval
    train      -> cpt_mono.jsonl, cpt_parallel.jsonl, cpt_instructions.jsonl, cpt_sums.jsonl, sft.jsonl, lat.jsonl
    preference -> preference.jsonl        rl -> rl.jsonl
    eval       -> eval/{translation_supervised,translation_zero_shot,math,code,constraints}.jsonl
    development -> development/ (the same suites, other rows: settings are chosen there, figures reported on eval)

Continued pretraining sees parallel text in all directions; instructions are only ever given for
English-centred ones, so that the remaining directions are zero-shot, as in arXiv 2403.14399. The mixture
follows Tower+ (arXiv 2506.17080): monolingual, parallel and a little instruction-like text; then
translation beside general tasks. The same seed and sizes give the same bytes. Files are written aside and
renamed.
"""

from __future__ import annotations

from pathlib import Path

from dragoman.data.quickstart.draws import Draws
from dragoman.data.quickstart.languages import DirectionSet
from dragoman.data.quickstart.settings import QuickstartSizes
from dragoman.data.quickstart.suites import development_files, evaluation_files
from dragoman.data.quickstart.training import training_files
from dragoman.files import write_lines


def build(
    output: Path,
    *,
    seed: int = 0,
    sizes: QuickstartSizes | None = None,
    parallel_directions: DirectionSet = "all",
    sampled_directions: DirectionSet = "all",
) -> None:
    """Write every file of the quickstart under `output`.

    `parallel_directions` are those of cpt_parallel.jsonl; `sampled_directions` those of preference.jsonl and
    rl.jsonl. Raises ValueError when a size asks for more than the slots can make; nothing is written then.
    """
    draws, wanted = Draws(seed), sizes or QuickstartSizes()
    files = {
        **training_files(draws, wanted, parallel_directions, sampled_directions),
        **evaluation_files(draws, wanted),
        **development_files(draws, wanted),
    }
    for name, rows in files.items():
        write_lines(output / f"{name}.jsonl", rows)
