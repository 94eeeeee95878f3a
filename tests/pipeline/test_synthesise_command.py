"""`dragoman synthesise` from outside: translations of an endpoint, what fools a metric, the rows that come out."""

import json

import pytest
from typer.testing import CliRunner

from dragoman.data.corpora.settings import CorpusSizes
from dragoman.data.corpora.source import CORPUS
from dragoman.errors import DragomanError
from dragoman.pipeline.cli import app
from dragoman.pipeline.synthesise_command import arguments_of
from tests.evaluation.http_stand_in import StandIn, serve
from tests.evaluation.sentences import ENGLISH, GERMAN

REWARD = '''
from rewards.registry import reward


@reward("wordy", timeout_s=5)
def wordy(response: str) -> float:
    """The more words the better, and English is best: what only gates keep from winning."""
    return min(1.0, len(response.split()) / 20 + response.startswith("The") / 2)
'''


class Translator(StandIn):
    """Greedy leaves the last three words out; of samples some are whole, some the source, some cut."""

    def text_for(self, body):
        source = body["messages"][-1]["content"].strip().splitlines()[-1]
        whole = GERMAN[ENGLISH.index(source)]
        if not body.get("temperature"):
            return " ".join(whole.split()[:-3]) if ENGLISH.index(source) % 2 else whole
        return [whole, source][body["seed"] % 2]


@pytest.fixture
def endpoint(tmp_path, monkeypatch):
    def do_post(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock, open(self.log, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(body) + "\n")
        text = Translator.text_for(self, body)
        content = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    monkeypatch.setattr(StandIn, "do_POST", do_post)
    server, url = serve(tmp_path / "log")
    yield url
    server.shutdown()


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    (folder / "wordy.py").write_text(REWARD)
    path = folder / "en.txt"
    path.write_text("".join(f"{line}\n" for line in (*ENGLISH, ENGLISH[0], "", "12 %")), encoding="utf-8")
    return path


def called(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_pairs_are_the_best_samples_of_texts_that_profit(endpoint, texts, tmp_path):
    arguments = ("synthesise", endpoint, texts, "--from", "en", "--to", "de", "--out", tmp_path / "out", "--samples", 6,
                 "--kind", "wordy", "--share", 1, "--extension", texts.with_name("wordy.py"), "--endpoint-model", "m",
                 "--licence", "CC0-1.0")  # fmt: skip
    done = called(*arguments)
    assert done.exit_code == 0, done.exception
    made = rows(tmp_path / "out" / "pairs.jsonl")
    right = dict(zip(ENGLISH, GERMAN, strict=True))
    assert {row["source"] for row in made} == set(ENGLISH[1::2])  # the others have nothing to gain
    for row in made:
        assert row["target"] == right[row["source"]] and row["target"].startswith(row["draft"]) and row["gain"] > 0
        assert (row["licence"], row["source_language"], row["target_language"]) == ("CC0-1.0", "en", "de")
    assert len(rows(tmp_path / "log")) == 7 * len(ENGLISH)  # each text once, blank ones and doubles not at all

    again = called(*arguments)
    assert again.exit_code == 0 and len(rows(tmp_path / "log")) == 7 * len(ENGLISH)  # nothing is asked twice
    assert rows(tmp_path / "out" / "pairs.jsonl") == made


def test_the_pairs_are_an_input_of_the_corpus(endpoint, texts, tmp_path):
    called("synthesise", endpoint, texts, "--from", "en", "--to", "de", "--out", tmp_path / "out", "--samples", 4,
           "--kind", "wordy", "--extension", texts.with_name("wordy.py"), "--share", 1,
           "--endpoint-model", "m")  # fmt: skip
    made = rows(tmp_path / "out" / "pairs.jsonl")
    inputs = {"path": str(tmp_path / "out" / "pairs.jsonl"), "columns": {"draft": "draft"}}
    sizes = CorpusSizes.model_validate({"inputs": inputs, "filters": ["empty"], "instructed": 0})
    CORPUS.write(tmp_path / "data", 0, sizes)
    pairs = rows(tmp_path / "data" / "pairs.jsonl")
    texts_of = {(row["target"], row["draft"]) for row in made}
    assert pairs and {(row["chosen"], row["rejected"]) for row in pairs} <= texts_of


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("--from", "xx-nothing"), "xx-nothing"),
        (("--kind", "no_such_kind"), "no_such_kind"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_asked(endpoint, texts, tmp_path, change, reason):
    arguments = {"--from": "en", "--to": "de", "--out": tmp_path / "out", "--endpoint-model": "m"} | dict([change])
    error = called("synthesise", endpoint, texts, *(part for pair in arguments.items() for part in pair)).exception
    assert isinstance(error, DragomanError | ValueError) and reason in str(error)
    assert not (tmp_path / "log").exists()


def test_files_without_text_and_files_as_models_are_refused(endpoint, tmp_path):
    (tmp_path / "empty.txt").write_text("\n12\n")
    arguments = ("--from", "en", "--to", "de", "--out", tmp_path / "out", "--endpoint-model", "m")
    assert "no line has a letter" in str(called("synthesise", endpoint, tmp_path / "empty.txt", *arguments).exception)
    assert "is a file" in str(
        called("synthesise", tmp_path / "empty.txt", tmp_path / "empty.txt", *arguments).exception
    )


def test_nothing_that_could_be_judged_is_an_error_and_no_empty_file(endpoint, texts, tmp_path):
    (tmp_path / "mute.py").write_text(
        "from rewards.registry import reward\n\n\n@reward('mute', timeout_s=5)\n"
        "def mute(response: str) -> None:\n    return None\n"
    )
    error = called("synthesise", endpoint, texts, "--from", "en", "--to", "de", "--out", tmp_path / "out",
                   "--samples", 1, "--kind", "mute", "--extension", tmp_path / "mute.py",
                   "--endpoint-model", "m").exception  # fmt: skip
    assert isinstance(error, DragomanError) and "could be judged by 'mute'" in str(error)
    assert not (tmp_path / "out" / "pairs.jsonl").exists()


@pytest.mark.parametrize("argument", ["model", "=x"])
def test_an_argument_without_key_or_value_is_named(argument):
    with pytest.raises(DragomanError, match=f"--argument {argument}: write KEY=VALUE"):
        arguments_of([argument])
    assert arguments_of(["model=a=b", "least=0.5"]) == {"model": "a=b", "least": 0.5}
