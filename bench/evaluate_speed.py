"""`dragoman evaluate` against the bare engine, and killed in the middle.

    make quickstart && python bench/evaluate_speed.py runs/quickstart [--rows 2000] [--rounds 3]

Speed: the same 2,000 prompts, greedy, by three sides with the same engine settings, in processes of their own, in
turns; engines are started and warmed up before the clock, and the two bare ones get their prompts as tokens.
- `offline`: vLLM's `LLM.generate`, whose engine lives in the process that asks.
- `engine`: vLLM's `AsyncLLM`, the engine of the product and of vLLM's own server, all prompts at once.
- `evaluate`: what `dragoman evaluate` asks with, a window of questions and every answer in answers.jsonl as it comes.

Kill: the command is killed with -9 when about a third of the answers are there, then run again. No question whose
answer was in the file may be generated again, and every row has one answer then. Prints a table, then a JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from dragoman.files import read_lines, write_lines
from dragoman.text.wordings import translation_instruction

ROOT = Path(__file__).resolve().parent.parent
MAX_TOKENS, WARM_UP = 64, 64
SIDES = ("offline", "engine", "evaluate")


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished quickstart")
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--suite", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = options.run.resolve() / "stages" / "rl" / "model"
    if options.side:
        measure = {"offline": offline, "engine": bare_engine, "evaluate": by_evaluate}[options.side]
        print(json.dumps(measure(model, prompts_of(options.suite))))
        return
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "many.jsonl"
        write_suite(suite, options.run / "data" / "rl.jsonl", options.rows)
        times: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for _ in range(options.rounds):
            for side in SIDES:
                times[side].append(one_side(side, options, suite))
        report(times, killed(model, suite, Path(folder)), options)


def write_suite(path: Path, rows: Path, count: int) -> None:
    """So many translations; no two prompts are equal."""
    asked = [row for _, row in read_lines(rows) if row["task"] == "translation"]
    made = []
    for number in range(count):
        row = asked[number % len(asked)]
        source = row["source"] if number < len(asked) else f"{number} {row['source']}"
        text = translation_instruction(row["source_language"], row["target_language"], source, number)
        message = {"role": "user", "content": text}
        made.append({**row, "id": f"many-{number:05}", "source": source, "messages": [message], "cluster": str(number)})
    write_lines(path, made)


def prompts_of(suite: Path) -> list[str]:
    """The users' messages."""
    return [row["messages"][0]["content"] for _, row in read_lines(suite)]


def one_side(side: str, options: argparse.Namespace, suite: Path) -> dict[str, float]:
    """Seconds and answered tokens of one side, in a process of its own."""
    command = [sys.executable, str(Path(__file__)), str(options.run), "--side", side, "--suite", str(suite)]
    done = subprocess.run(command, cwd=ROOT, env=engine_environment(), stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def engine_environment() -> dict[str, str]:
    """As the product's own engines have it (`dragoman.rollout.fleet`)."""
    threads = str(len(os.sched_getaffinity(0)))
    return {**os.environ, "OMP_NUM_THREADS": threads, "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1",
            "TOKENIZERS_PARALLELISM": "false"}  # fmt: skip


def asked_ids(model: Path, asked: Sequence[str]) -> list[list[int]]:
    """Prompts as tokens."""
    from dragoman.learner.model import load_tokenizer

    tokenizer: Any = load_tokenizer(model)
    chats = [[{"role": "user", "content": text}] for text in asked]
    return [tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False) for chat in chats]


def engine_arguments(model: Path) -> dict[str, Any]:
    """As the product's own engines have them (`dragoman.rollout.worker`)."""
    from dragoman.rollout import RolloutSettings

    settings = RolloutSettings()
    return dict(
        model=str(model), dtype=settings.dtype, max_num_seqs=settings.max_sequences, enforce_eager=True, block_size=32,
        kv_cache_memory_bytes=int(settings.kv_cache_gib * (1 << 30)), enable_chunked_prefill=False,
        max_num_batched_tokens=4096, gpu_memory_utilization=0.05, disable_log_stats=True,
    )  # fmt: skip


def offline(model: Path, asked: Sequence[str]) -> dict[str, float]:
    """vLLM's class for batches: the engine lives in this process, and nobody can ask it anything meanwhile."""
    from vllm import LLM, SamplingParams

    given: list[Any] = [{"prompt_token_ids": one} for one in asked_ids(model, asked)]
    engine = LLM(**engine_arguments(model))
    sampling = SamplingParams(temperature=0, max_tokens=MAX_TOKENS, detokenize=False)
    engine.generate(given[:WARM_UP], sampling, use_tqdm=False)
    engine.reset_prefix_cache()
    started = time.perf_counter()
    outputs = engine.generate(given, sampling, use_tqdm=False)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "tokens": sum(len(output.outputs[0].token_ids) for output in outputs)}


def bare_engine(model: Path, asked: Sequence[str]) -> dict[str, float]:
    """The engine of the product and of vLLM's own server, all prompts at once, with nothing around it."""
    from vllm import AsyncEngineArgs, SamplingParams
    from vllm.sampling_params import RequestOutputKind
    from vllm.v1.engine.async_llm import AsyncLLM

    given = asked_ids(model, asked)
    sampling = SamplingParams(
        temperature=0, max_tokens=MAX_TOKENS, detokenize=False, output_kind=RequestOutputKind.FINAL_ONLY
    )

    async def run() -> dict[str, float]:
        engine = AsyncLLM.from_engine_args(AsyncEngineArgs(**engine_arguments(model)))

        async def one(number: str, ids: list[int]) -> int:
            outputs = [o async for o in engine.generate({"prompt_token_ids": ids}, sampling, request_id=number)]
            return len(outputs[-1].outputs[0].token_ids)

        await asyncio.gather(*(one(f"warm-{n}", ids) for n, ids in enumerate(given[:WARM_UP])))
        await engine.reset_prefix_cache()
        started = time.perf_counter()
        tokens = await asyncio.gather(*(one(str(n), ids) for n, ids in enumerate(given)))
        seconds = time.perf_counter() - started
        engine.shutdown()
        return {"seconds": seconds, "tokens": sum(tokens)}

    return asyncio.run(run())


def by_evaluate(model: Path, asked: Sequence[str]) -> dict[str, float]:
    """The product's engine, window and store."""
    from dragoman.evaluation.answering import AnswerStore, Question, ask_all
    from dragoman.pipeline.engine_answerer import EngineAnswerer
    from dragoman.rollout import RolloutSettings

    class Open(EngineAnswerer):
        """Opened once, before the clock."""

        async def open(self) -> None:
            if self._group is None:
                await super().open()

    answerer = Open(model, "bench", RolloutSettings())
    questions = [
        Question(f"{n}", 0, messages=({"role": "user", "content": text},), max_tokens=MAX_TOKENS)
        for n, text in enumerate(asked)
    ]

    async def run() -> tuple[float, int]:
        await answerer.open()
        await asyncio.gather(*map(answerer.answer, questions[-WARM_UP:]))
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            answers = await ask_all(answerer, questions, AnswerStore(Path(folder)), lambda done, total: None)
            seconds = time.perf_counter() - started
        lengths = answerer.tokenizer([answer.text for answer in answers], add_special_tokens=False)["input_ids"]
        ended = sum(answer.finish_reason == "stop" for answer in answers)
        return seconds, sum(map(len, lengths)) + ended

    try:
        seconds, tokens = asyncio.run(run())
    finally:
        answerer.close()
    return {"seconds": seconds, "tokens": tokens}


def killed(model: Path, suite: Path, folder: Path) -> dict[str, int]:
    """What the command leaves after a kill, and what it asks when it is run again."""
    out = folder / "out"
    command = [sys.executable, "-m", "dragoman.pipeline.cli", "evaluate", str(model), "--suite", str(suite)]
    command += ["--out", str(out), "--max-tokens", str(MAX_TOKENS)]
    rows = len(prompts_of(suite))
    first = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while count(out) < rows // 3:
        if first.poll() is not None:
            raise SystemExit(f"error: dragoman evaluate ended with {first.returncode} before it could be killed")
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    left = count(out)
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    ids = Counter(line["id"] for _, line in read_lines(out / "answers.jsonl"))
    repeated = sum(times - 1 for times in ids.values())
    return {"rows": rows, "kept_at_kill": left, "asked_again": sum(ids.values()) - left, "repeated": repeated,
            "missing": rows - len(ids)}  # fmt: skip


def count(out: Path) -> int:
    """Whole lines of the answers so far."""
    path = out / "answers.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def report(times: dict[str, list[dict[str, float]]], kill: dict[str, int], options: argparse.Namespace) -> None:
    """A table, and the JSON line."""
    rates = {side: [one["tokens"] / one["seconds"] for one in found] for side, found in times.items()}
    ratios = {
        side: [ours / theirs for ours, theirs in zip(rates["evaluate"], rates[side], strict=True)] for side in SIDES[:2]
    }
    table = Table("side", "tokens a second, by round", "seconds", "tokens")
    for side, found in times.items():
        table.add_row(side, ", ".join(f"{rate:,.0f}" for rate in rates[side]),
                      ", ".join(f"{one['seconds']:.1f}" for one in found), f"{found[0]['tokens']:,.0f}")  # fmt: skip
    Console(width=100).print(table)
    print(json.dumps({
        "bench": "evaluate_speed", "ratio": median(ratios["engine"]),
        "ratio_offline": median(ratios["offline"]), "ratios": ratios, "rates": rates, "kill": kill,
        "command": f"python bench/evaluate_speed.py {options.run.name} --rows {options.rows} --rounds {options.rounds}",
    }))  # fmt: skip


if __name__ == "__main__":
    main()
