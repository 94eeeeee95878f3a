"""A tiny OpenAI-compatible server for tests: it says which requests came, and may fail some of them.

python http_stand_in.py LOG DELAY_S     prints its port; every request is a line of LOG
"""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StandIn(BaseHTTPRequestHandler):
    """Answers with the length of what was asked."""

    log, delay, failures = None, 0.0, 0
    lock = threading.Lock()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        with self.lock:
            if type(self).failures:
                type(self).failures -= 1
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        with self.lock, open(self.log, "a", encoding="utf-8") as stream:
            line = {"path": self.path, "key": self.headers.get("Authorization"), **body}
            stream.write(json.dumps(line) + "\n")
        time.sleep(self.delay)
        text = f"Antwort {len(asked)} {body.get('seed', '')}".strip()
        choice = {"message": {"content": text}, "text": text, "finish_reason": "stop"}
        content = json.dumps({"choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # the client was killed
            self.wfile.write(content)

    def log_message(self, *_):
        """Quiet."""


def serve(log, delay=0.0, failures=0):
    """A running server; its address is `http://127.0.0.1:PORT/v1`."""
    handler = type("Handler", (StandIn,), {"log": str(log), "delay": delay, "failures": failures})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/v1"
