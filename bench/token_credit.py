"""Credit at the fault against credit for the whole answer: same model, prompts, seeds, rewards and steps.

    python bench/token_credit.py [--seeds 0 1 2] [--output runs/token-credit]

One model is fine-tuned, and every side and seed of reinforcement learning starts from it; the seed decides the order of
prompts and what is sampled. The task is a word-by-word translation from English into German of sentences with two
numbers, two placeholders and two glossary terms. The fine-tuning data has each of these wrong with a chance of 0.3 (a
digit changed, another placeholder, the forbidden rendering), so the fine-tuned policy makes such errors at about that
rate. Reinforcement learning then has the rewards chrF and `mt_instructions` (numbers, placeholders, glossary) on every
side:

- `sequence`: one advantage for each answer, `rl.token_credit` off;
- `normalised`: the same, standardised over the batch as the sides with spans are (`span_weight` 0);
- `even`, `whole`: the spans that the same `mt_instructions` marks are credited, dealt over their tokens, or whole to
  each.

What is counted is held out and counted by this script, not by the verifiers: the share of the source's numbers,
placeholders and terms that the answer does not have, over sampled answers at temperature 1 and over greedy ones. The
intervals are paired: the same prompts, means over all seeds, prompts resampled 10,000 times. Prints a table, then one
JSON line.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from rich.console import Console
from rich.table import Table

from dragoman.evaluation.outcomes import Evaluation, Outcome
from dragoman.files import read_lines, write_lines

ROOT = Path(__file__).resolve().parent.parent
WORDS = {
    **{"the": "das", "old": "alte", "new": "neue", "small": "kleine", "big": "große", "red": "rote", "house": "Haus"},
    **{"garden": "Garten", "child": "Kind", "book": "Buch", "river": "Fluss", "bridge": "Brücke", "door": "Tür"},
    **{"window": "Fenster", "sees": "sieht", "finds": "findet", "takes": "nimmt", "opens": "öffnet", "today": "heute"},
    **{"never": "nie", "often": "oft", "here": "hier", "with": "mit", "under": "unter", "behind": "hinter"},
    **{"water": "Wasser", "light": "Licht", "paper": "Papier", "letter": "Brief", "table": "Tisch", "chair": "Stuhl"},
}
TERMS = {
    **{"server": ("Server", "Rechner"), "file": ("Datei", "Akte"), "account": ("Konto", "Benutzer")},
    **{"folder": ("Ordner", "Mappe"), "key": ("Schlüssel", "Taste"), "update": ("Aktualisierung", "Neuerung")},
}
"""English: the rendering that the glossary asks for, and the one that it forbids"""
PLACEHOLDERS = ("{name}", "{count}", "{date}", "{city}", "{user}", "{total}")
CHANCE = 0.3
SIDES = {
    "sequence": ["rl.token_credit.enabled=false"],
    "normalised": ["rl.token_credit.enabled=true"],
    "even": ["rl.token_credit.enabled=true", "rl.token_credit.spread=even"],
    "whole": ["rl.token_credit.enabled=true", "rl.token_credit.spread=whole"],
}
ROWS = {"sft": 6000, "rl": 1500, "eval": 150}


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--output", type=Path, default=ROOT / "runs" / "token-credit")
    parser.add_argument("--report", action="store_true", help="train nothing, read the runs that are there")
    options = parser.parse_args()
    started = time.monotonic()
    if not options.report:
        train(options.output.resolve(), options.seeds)
    report(options.output, options.seeds, time.monotonic() - started)


def train(output: Path, seeds: Sequence[int]) -> None:
    """The fine-tuned start, then every side from it."""
    write_data(output / "data")
    write_data(output / "data-normalised", credited=False)
    run(output, "start", "stages=[sft]", until="sft")
    model = output / "start" / "stages" / "sft" / "model"
    for seed in seeds:
        for side, settings in SIDES.items():
            run(output, f"{side}-{seed}", "stages=[rl]", f"seed={seed}", f"model.path={model}", *settings, until="rl")


def run(output: Path, name: str, *settings: str, until: str) -> None:
    """One run of the recipe; a Ray of its own."""
    data = output / ("data-normalised" if name.startswith("normalised") else "data")
    sets = [f"name={name}", "data.builder=null", f"data.path={data}", *settings]
    command = [sys.executable, "rl/train.py", "bench/token_credit.yaml", "--output", str(output), "--until", until]
    subprocess.run([*command, *(part for one in sets for part in ("--set", one))], cwd=ROOT, check=True)


def write_data(folder: Path, credited: bool = True) -> None:
    """Conversations with planted errors; prompts with rewards, for training and held out."""
    source = random.Random(0)
    (folder / "eval").mkdir(parents=True, exist_ok=True)
    taught = (conversation(f"sft-{n}", make_row(source, CHANCE)) for n in range(ROWS["sft"]))
    write_lines(folder / "sft.jsonl", taught)
    asked = (prompt(f"rl-{n}", make_row(source, 0), credited) for n in range(ROWS["rl"]))
    write_lines(folder / "rl.jsonl", asked)
    held_out = [prompt(f"held-out-{n}", make_row(random.Random(f"eval/{n}"), 0)) for n in range(ROWS["eval"])]
    write_lines(folder / "eval" / "planted.jsonl", held_out)


def make_row(source: random.Random, chance: float) -> dict[str, Any]:
    """A source and its translation, in which each item is wrong with a chance."""
    items = [("number", str(source.randint(10, 99))) for _ in range(2)]
    items += [("placeholder", p) for p in source.sample(PLACEHOLDERS, 2)] + [
        ("term", t) for t in source.sample(sorted(TERMS), 2)
    ]
    source.shuffle(items)
    english, german = [], []
    for kind, item in items:
        word = source.choice(sorted(WORDS))
        english += [word, item]
        german += [WORDS[word], rendering(source, kind, item, wrong=source.random() < chance)]
    return {"source": " ".join(english), "target": " ".join(german)}


def rendering(source: random.Random, kind: str, item: str, wrong: bool) -> str:
    """What stands for an item in the translation."""
    if kind == "term":
        return TERMS[item][wrong]
    if not wrong:
        return item
    if kind == "placeholder":
        return source.choice([p for p in PLACEHOLDERS if p != item])
    place = source.randrange(2)
    digit = source.choice([d for d in "123456789" if d != item[place]])
    return item[:place] + digit + item[place + 1 :]


def conversation(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row of fine-tuning."""
    answer = {"role": "assistant", "content": row["target"]}
    return {"id": name, "task": "planted", "messages": [{"role": "user", "content": row["source"]}, answer]}


def prompt(name: str, row: dict[str, Any], credited: bool = True) -> dict[str, Any]:
    """A row of RL or of the suite, with its rewards."""
    asked = [t for t in TERMS if t in row["source"].split()]
    glossary = {
        "terms": [{"source": t, "target": TERMS[t][0]} for t in asked],
        "forbidden": [TERMS[t][1] for t in asked],
    }
    instructions = [{"id": "mt:numbers"}, {"id": "mt:placeholders"}, {"id": "mt:glossary", "kwargs": glossary}]
    rewards = [
        {"kind": "chrf", "args": {"reference": row["target"]}},
        {"kind": "mt_instructions", "args": {"instructions": instructions}} | ({} if credited else {"span_weight": 0}),
    ]
    message = {"role": "user", "content": row["source"]}
    return {"id": name, "task": "planted", "messages": [message], "source": row["source"], "rewards": rewards,
            "reference": row["target"]}  # fmt: skip


def missing(source: str, answer: str) -> Counter[str]:
    """The source's items that the answer does not have, by kind."""
    found = Counter(re.findall(r"\{\w+\}|\w+", answer))
    lost: Counter[str] = Counter()
    for word, count in Counter(source.split()).items():
        if word not in WORDS:
            wanted = TERMS[word][0] if word in TERMS else word
            kind = "terms" if word in TERMS else "placeholders" if word[0] == "{" else "numbers"
            lost[kind] += max(0, count - found[wanted])
    return lost


def rates(outcomes: Sequence[Outcome], sampled: bool) -> np.ndarray:
    """float [prompts, 3]: share of the numbers, placeholders and terms that a prompt's answers lack."""
    return np.array([
        np.mean([[missing(o.prompt, text)[k] / 2 for k in ("numbers", "placeholders", "terms")] for text in answers], 0)
        for o in outcomes
        for answers in [[s.response for s in o.samples] if sampled else [o.response]]
    ])  # fmt: skip


def outcomes_of(run: Path, stage: str = "rl") -> list[Outcome]:
    """The held-out answers of a run."""
    return Evaluation.load(run / "stages" / stage).outcomes_of("planted")


def interval(differences: np.ndarray) -> list[float]:
    """Percentiles 2.5 and 97.5 of the mean over prompts, [prompts] of paired differences."""
    draws = np.random.default_rng(0).integers(0, len(differences), (10_000, len(differences)))
    return [float(v) for v in np.percentile(differences[draws].mean(1), [2.5, 97.5])]


def shares(output: Path, side: str, seeds: Sequence[int]) -> Iterator[tuple[str, float]]:
    """What the step metrics say of both credits, mean over steps and seeds."""
    files = [output / f"{side}-{seed}" / "metrics.jsonl" for seed in seeds]
    lines = [line for file in files for _, line in read_lines(file) if "credit/spans" in line]
    for name in ("credit/sequence", "credit/spans", "credit/marked_tokens"):
        if lines:
            yield name, float(np.mean([line[name] for line in lines]))


def report(output: Path, seeds: Sequence[int], seconds: float) -> None:
    """The table and the JSON line."""
    found: dict[str, Any] = {}
    for how in ("sampled", "greedy"):
        start = [rates(outcomes_of(output / "start", "sft"), how == "sampled")]
        sides = {
            side: [rates(outcomes_of(output / f"{side}-{seed}"), how == "sampled") for seed in seeds] for side in SIDES
        }
        found[how] = {"start": summary(start)} | {side: summary(values) for side, values in sides.items()}
        for side in [side for side in SIDES if side != "sequence"]:
            paired = np.stack(sides[side]).mean((0, 2)) - np.stack(sides["sequence"]).mean((0, 2))
            each = [float((a - b).mean()) for a, b in zip(sides[side], sides["sequence"], strict=True)]
            change = {"mean": float(paired.mean()), "interval": interval(paired), "by_seed": each}
            found[how][side]["minus_sequence"] = change
    table = Table("answers", "side", "errors %", "numbers", "placeholders", "terms", "against sequence, 95 % interval")
    for how, sides in found.items():
        for side, values in sides.items():
            told = values.get("minus_sequence")
            against = (
                f"{100 * told['mean']:+.1f} ({', '.join(f'{100 * v:+.1f}' for v in told['interval'])})" if told else ""
            )
            cells = [f"{100 * values[k]:.1f}" for k in ("errors", "numbers", "placeholders", "terms")]
            table.add_row(how, side, *cells, against)
    Console(width=120).print(table)
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    told = {side: dict(shares(output, side, seeds)) for side in ("even", "whole")}
    command = f"python bench/token_credit.py --seeds {' '.join(map(str, seeds))}"
    print(json.dumps({"bench": "token_credit", "figures": found, "credit": told, "seconds": round(seconds),
                      "versions": versions, "command": command}))  # fmt: skip


def summary(values: Sequence[np.ndarray]) -> dict[str, Any]:
    """Error rates over seeds and prompts."""
    all_kinds = np.stack(values).mean((0, 1))
    by_seed = [float(v.mean()) for v in values]
    kinds = dict(zip(("numbers", "placeholders", "terms"), map(float, all_kinds), strict=True))
    return {"errors": float(all_kinds.mean()), "by_seed": by_seed, **kinds}


if __name__ == "__main__":
    main()
