"""The translation service in front of a stand-in for the model's server."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi.testclient import TestClient

from dragoman.pipeline.serving import TranslationService, application
from rewards.models.endpoint import EndpointSettings

GERMAN = {
    "Hello {name}": ["Hallo {Name}", "Hallo {name}"],  # the first answer lost a placeholder
    "Press <b>OK</b>": ["<b>OK</b> drücken"],
    "Open the door": ["Öffne die Tür"],
    "Always wrong {x}": ["Immer falsch"] * 3,
}


class Model(BaseHTTPRequestHandler):
    asked = None

    def do_GET(self):
        self.reply({"data": [{"id": "dragoman"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        if body["model"] == "broken":
            return self.reply({"error": "no"}, 400)
        text = next((t for t in GERMAN if t in body["messages"][0]["content"]), "")
        answers = GERMAN.get(text, ["unbekannt"])
        content = answers[min(body.get("seed", 0), len(answers) - 1)]
        return self.reply({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]})

    def reply(self, found, status=200):
        content = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def model():
    handler = type("Own", (Model,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def client_for(address, key=None, name="dragoman"):
    service = TranslationService(EndpointSettings(address, name, retries=0), ("en", "de", "fr"))
    return TestClient(application(service, key))


@pytest.fixture
def client(model):
    with client_for(model[1]) as found:
        yield found


def test_libretranslate_one_text_a_list_a_form_and_the_language_found_out(client):
    asked = {"q": "Open the door", "source": "en", "target": "de"}
    assert client.post("/translate", json=asked).json() == {"translatedText": "Öffne die Tür"}
    many = client.post("/translate", json=asked | {"q": ["Open the door", "12", ""], "source": "auto"}).json()
    assert many["translatedText"] == ["Öffne die Tür", "12", ""]
    assert many["detectedLanguage"][0]["language"] == "en"
    assert client.post("/translate", data=asked).json()["translatedText"] == "Öffne die Tür"
    lines = client.post("/translate", json=asked | {"q": "Open the door\n\n  Press <b>OK</b>"}).json()
    assert lines["translatedText"] == "Öffne die Tür\n\n  <b>OK</b> drücken"
    (first, *_) = client.get("/languages").json()
    assert first == {"code": "en", "name": "English", "targets": ["de", "fr"]}
    assert client.post("/detect", json={"q": "Das ist ein deutscher Satz."}).json()[0]["language"] == "de"


def test_an_answer_that_lost_a_placeholder_is_asked_again_and_a_hopeless_one_has_a_warning(client, model):
    asked = {"source": "en", "target": "de"}
    assert client.post("/translate", json=asked | {"q": "Hello {name}"}).json() == {"translatedText": "Hallo {name}"}
    assert [(body["temperature"], body.get("seed")) for body in model[0].asked] == [(0.0, None), (0.7, 1)]
    found = client.post("/translate", json=asked | {"q": "Always wrong {x}"}).json()
    assert found == {"translatedText": "Immer falsch", "warnings": "lost {x}"}
    assert len(model[0].asked) == 5


def test_deepl_with_glossary_and_formality_in_the_prompt(client, model):
    made = client.post("/v2/glossaries", json={
        "name": "doors", "source_lang": "EN", "target_lang": "DE", "entries": "door\tTor\nwindow\tFenster",
    })  # fmt: skip
    assert made.status_code == 201 and made.json()["entry_count"] == 2
    id = made.json()["glossary_id"]
    asked = {"text": ["Open the door"], "source_lang": "EN", "target_lang": "DE"}
    reply = client.post("/v2/translate", json=asked | {"glossary_id": id, "formality": "more"})
    assert reply.json() == {"translations": [{"detected_source_language": "EN", "text": "Öffne die Tür"}]}
    prompt = model[0].asked[-1]["messages"][0]["content"]
    assert "door = Tor" in prompt and "Fenster" not in prompt and "formally" in prompt
    assert prompt.startswith("Translate the following text from English to German.\nOpen the door")
    assert client.get("/v2/usage").json()["character_count"] == len("Open the door")
    assert client.get("/v2/glossaries").json()["glossaries"][0]["glossary_id"] == id
    assert client.delete(f"/v2/glossaries/{id}").status_code == 204
    gone = client.post("/v2/translate", json=asked | {"glossary_id": id})
    assert gone.status_code == 404 and "no glossary" in gone.json()["message"]
    assert {"language": "DE", "name": "German", "supports_formality": True} in client.get(
        "/v2/languages", params={"type": "target"}
    ).json()


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/translate", {"q": "x", "source": "en", "target": "xx"}, 400, "unknown language code 'xx'"),
        ("/translate", {"source": "en", "target": "de"}, 400, "field 'q' is missing"),
        ("/translate", {"q": 3, "source": "en", "target": "de"}, 400, "field 'q' is missing"),
        ("/translate", {"q": "x", "target": "de", "format": "pdf"}, 400, "format 'pdf'"),
        ("/translate", {"q": "x" * 20_001, "source": "en", "target": "de"}, 413, "20001 characters"),
        ("/translate", {"q": ["x"] * 1_001, "source": "en", "target": "de"}, 413, "1001 texts"),
        ("/v2/translate", {"text": ["x"], "target_lang": "DE", "formality": "rude"}, 400, "formality 'rude'"),
        ("/v2/glossaries", {"name": "a", "source_lang": "EN", "target_lang": "DE", "entries": "one"}, 400, "line 1"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(client, path, body, status, words):
    reply = client.post(path, json=body)
    assert reply.status_code == status and words in reply.json()["error"] == reply.json()["message"]
    assert client.post(path, content=b"{").status_code == 400


def test_a_key_is_asked_for_in_every_interface(model):
    with client_for(model[1], key="secret") as client:
        asked = {"q": "Open the door", "source": "en", "target": "de"}
        assert client.post("/translate", json=asked).status_code == 403
        assert client.post("/translate", json=asked | {"api_key": "wrong"}).status_code == 403
        for form in ("json", "data"):
            assert client.post("/translate", **{form: asked | {"api_key": "secret"}}).status_code == 200
        for header in ("Bearer secret", "DeepL-Auth-Key secret"):
            assert client.get("/v2/usage", headers={"Authorization": header}).status_code == 200
        assert client.get("/v1/models").status_code == 403
        assert client.get("/health").json() == {"status": "ok"}


def test_the_models_own_interface_is_passed_on_and_its_errors_are_named(model):
    with client_for(model[1]) as client:
        assert client.get("/v1/models").json() == {"data": [{"id": "dragoman"}]}
        chat = {"model": "dragoman", "messages": [{"role": "user", "content": "Open the door"}]}
        reply = client.post("/v1/chat/completions", json=chat).json()
        assert reply["choices"][0]["message"]["content"] == "Öffne die Tür"
    with client_for(model[1], name="broken") as client:
        reply = client.post("/translate", json={"q": "Open the door", "source": "en", "target": "de"})
        assert reply.status_code == 502 and "refused the request: HTTP 400" in reply.json()["error"]
    with client_for("http://127.0.0.1:9/v1") as client:
        assert client.get("/v1/models").status_code == 502
