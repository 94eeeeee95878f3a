"""`dragoman evaluate` from outside: files of outputs, an endpoint that is killed away, a model in the engine."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from dragoman.errors import DragomanError
from dragoman.evaluation.outcomes import Evaluation
from dragoman.learner import ModelSettings
from dragoman.learner.encoding import encode_texts
from dragoman.learner.model import build_model
from dragoman.pipeline.cli import app
from dragoman.pipeline.evaluate_command import answerer_of
from dragoman.pipeline.fingerprints import model_fingerprint
from pretrain_sft.tokenizer import train_tokenizer
from tests.evaluation.http_stand_in import serve
from tests.evaluation.sentences import ENGLISH, GERMAN

ROOT = Path(__file__).resolve().parents[2]
SUITE = "sources: {path: a.en, references: [a.de], languages: [en, de]}\nmetrics: [chrf, bleu, off_target]\n"


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "a.en").write_text("".join(f"{line}\n" for line in ENGLISH))
    (tmp_path / "a.de").write_text("".join(f"{line}\n" for line in GERMAN))
    (tmp_path / "ui.yaml").write_text(SUITE)
    return tmp_path / "ui.yaml"


def called(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def refused(*arguments):
    error = called(*arguments).exception
    assert isinstance(error, DragomanError), error
    return str(error)


def test_files_of_outputs_are_measured_and_compared(suite, tmp_path):
    (tmp_path / "good.txt").write_text("".join(f"{line}\n" for line in GERMAN))
    (tmp_path / "copy.txt").write_text("".join(f"{line}\n" for line in ENGLISH))
    done = called("evaluate", tmp_path / "good.txt", "--suite", suite, "--out", tmp_path / "good")
    assert done.exit_code == 0 and "chrF, gated" in done.output and "100.0" in done.output, done.exception
    done = called("evaluate", tmp_path / "copy.txt", "--suite", suite, "--out", tmp_path / "copy",
                  "--against", tmp_path / "good", "--metric", "ter")  # fmt: skip
    assert done.exit_code == 0 and "good → copy" in done.output, done.exception
    found = json.loads((tmp_path / "copy" / "comparison.json").read_text())
    assert [(p["system"], p["rank"]) for p in found["places"]] == [("good", 1), ("copy", 2)]
    assert [v.name for v in Evaluation.load(tmp_path / "copy").suites[0].measured] == ["gated_chrf", "ter"]
    about = json.loads((tmp_path / "copy" / "about.json").read_text())
    assert about["answerer"]["name"] == "copy" and about["suites"]["ui"]["rows"] == 10


def test_what_cannot_be_evaluated_is_said_before_anything_is_asked(suite, tmp_path):
    outputs = tmp_path / "o.txt"
    outputs.write_text("x\n" * 10)
    base = ("evaluate", outputs, "--suite", suite)
    assert "needs --endpoint-model NAME" in refused("evaluate", "http://localhost:1/v1", "--suite", suite)
    assert "write mbr, or best:KIND" in refused(*base, "--choose", "best")
    assert "add --samples 8" in refused(*base, "--choose", "mbr")
    assert "--prompt toower: write one of house" in refused(*base, "--prompt", "toower")
    assert "unknown metric 'chrff'" in refused(*base, "--metric", "chrff")
    assert "holds no *.jsonl files" in refused(*base, "--training", tmp_path)
    assert "--dtype bfloat16 is for a model that is loaded here" in refused(*base, "--dtype", "bfloat16")
    assert "compare needs two systems" in refused("compare", called_once(base, tmp_path / "one"))
    assert "is missing" in refused("evaluate", tmp_path / "nowhere", "--suite", suite)


def called_once(base, out):
    done = called(*base, "--out", out)
    assert done.exit_code == 0, done.exception
    return out


def test_the_help_teaches_with_examples():
    text = called("evaluate", "--help").output
    for line in (
        "dragoman evaluate runs/quickstart --suite",
        "dragoman compare out/a out/b",
        "shipped one: human_eval",
    ):
        assert line in text


def command(address, suite, out):
    arguments = ["evaluate", address, "--suite", str(suite), "--out", str(out), "--endpoint-model", "m",
                 "--samples", "2", "--concurrency", "2"]  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "dragoman.pipeline.cli", *arguments], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_an_evaluation_that_is_killed_goes_on_and_asks_nothing_twice(suite, tmp_path):
    server, address = serve(tmp_path / "log", delay=0.15)
    answers = tmp_path / "out" / "answers.jsonl"
    first = command(address, suite, tmp_path / "out")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (answers.is_file() and answers.read_text().count("\n") >= 6):
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    kept = answers.read_bytes()
    kept = kept[: kept.rindex(b"\n") + 1]
    assert 6 <= kept.count(b"\n") < 30
    second = command(address, suite, tmp_path / "out")
    said, _ = second.communicate(timeout=120)
    server.shutdown()
    assert second.returncode == 0, said
    assert answers.read_bytes().startswith(kept) and answers.read_bytes().count(b"\n") == 30
    asked = Counter((tmp_path / "log").read_text().splitlines())
    # only what was in flight at the kill, two requests at most, is asked again; what was written never
    assert len(asked) == 30 and asked.total() <= 32
    found = Evaluation.load(tmp_path / "out")
    assert len(found.outcomes) == 10 and all(len(outcome.samples) == 2 for outcome in found.outcomes)


def test_a_fingerprint_is_of_content(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(bytes(20 << 20))
    first = model_fingerprint(tmp_path)
    assert model_fingerprint(tmp_path) == first
    with weights.open("r+b") as stream:
        stream.seek(-5, os.SEEK_END)
        stream.write(b"x")
    assert model_fingerprint(tmp_path) != first


def test_a_model_is_loaded_in_the_dtype_asked_for(tmp_path):
    tokenizer = train_tokenizer([*ENGLISH, *GERMAN], 300)
    build_model(ModelSettings(context=64), len(tokenizer), tokenizer.eos_token_id, 0, 0).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    half, usual = (answerer_of(str(tmp_path), "rl", (), (), None, None, 1, dtype) for dtype in ("bfloat16", None))
    assert half.settings.dtype == "bfloat16"
    assert half.fingerprint != usual.fingerprint, "answers of one are not those of the other"


@pytest.mark.slow
def test_a_model_folder_answers_by_chat_by_examples_and_by_choice(suite, tmp_path):
    tokenizer = train_tokenizer(["Translate the following text from English to German.", *ENGLISH, *GERMAN], 400)
    model = build_model(ModelSettings(context=256), len(tokenizer), tokenizer.eos_token_id, 0, 0)
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "c.jsonl").write_text('{"question": "2+2?", "choices": ["3", "4"], "answer": 1}\n')
    (tmp_path / "choice.yaml").write_text("task: choice\nsources: {path: c.jsonl}\n")
    (tmp_path / "shown.yaml").write_text(
        SUITE + "name: shown\nprompt: plain\nexamples: {path: a.en, references: [a.de], languages: [en, de]}\n"
    )
    (tmp_path / "de.txt").write_text("".join(f"{line}\n" for line in GERMAN[:3]))
    (tmp_path / "read.yaml").write_text("task: perplexity\nsources: {path: de.txt, language: de}\n")
    check = {"kind": "code", "args": {"mode": "stdio", "cases": [{"stdin": "1", "expected": "1"}]}}
    asked = {"role": "user", "content": "Print the input."}
    row = {"id": "p", "task": "code", "messages": [asked], "rewards": [check], "reference": "", "suite": "programs",
           "heldout": "no"}  # fmt: skip
    (tmp_path / "programs.jsonl").write_text(json.dumps(row) + "\n")  # its rewards run in pools, on the same Ray
    done = subprocess.run(
        [sys.executable, "-m", "dragoman.pipeline.cli", "evaluate", str(tmp_path / "model"), "--suite", str(suite),
         "--suite", str(tmp_path / "programs.jsonl"),
         "--suite", str(tmp_path / "choice.yaml"), "--suite", str(tmp_path / "read.yaml"),
         "--suite", str(tmp_path / "shown.yaml"), "--out", str(tmp_path / "out"),
         "--max-tokens", "8", "--samples", "2", "--choose", "mbr"],
        cwd=ROOT, capture_output=True, text=True, timeout=600, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = Evaluation.load(tmp_path / "out")
    assert [suite.name for suite in found.suites] == ["ui", "programs", "choice", "read", "shown"]
    assert found.outcomes_of("programs")[0].reward == 0, "a model that knows nothing writes no program"
    bits = 0.0
    for ids in encode_texts(tokenizer, GERMAN[:3]):
        with torch.no_grad():
            probabilities = model.float()(torch.tensor([ids])).logits.log_softmax(-1)[0]
        bits -= sum(float(probabilities[n, token]) for n, token in enumerate(ids[1:])) / math.log(2)
    read = next(suite for suite in found.suites if suite.name == "read").metrics["bits_per_byte"]
    assert read == pytest.approx(bits / sum(len(text.encode()) for text in GERMAN[:3]), rel=0.02)
    chosen = found.outcomes_of("ui")[0]
    assert chosen.response in {sample.response for sample in chosen.samples} and len(chosen.samples) == 2
    (choice,) = found.outcomes_of("choice")
    lines = [json.loads(line) for line in (tmp_path / "out" / "answers.jsonl").read_text().splitlines()]
    sums = next(line["logprobs"] for line in lines if len(line.get("logprobs", ())) == 2)
    assert choice.response == ["3", "4"][sums.index(max(sums))] and all(value < 0 for value in sums)
    assert "chrF, gated" in done.stdout
