"""An application that can be told to misbehave: the trouble that a sidecar must keep from clients.

    POST /note                 appends the body to the history, answers with its length
    POST /dice                 answers with a number that no other copy has; the history is as before
    POST /coin                 likewise, heads or tails
    GET  /history              one line for each call executed: its Zap-Index and its body
    GET  /_zap/applied         the last Zap-Index executed
    PUT  /trouble              {"slow": seconds a call, "wrong": text in each answer to POST /note,
                               "wrong_reads": the answer to GET /wrong, which is "true",
                               "close": true: closes each connection after its answer,
                               "dies_after": body after whose execution the process ends unanswered}

--state FILE keeps the history there. --single serves one connection at a time. --dies-at BODY: a
call with this body ends the process before it is executed. --remembers: an index that was executed
is not executed again.
"""

import argparse
import json
import os
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path


class Application:
    def __init__(self, options):
        self.lock = threading.Lock()
        self.trouble = {}
        self.options = options
        self.file = options.state
        self.history = []
        if self.file and self.file.exists():
            self.history = self.file.read_text().splitlines()

    def applied(self):
        return int(self.history[-1].split(" ", 1)[0]) if self.history else 0

    def note(self, index, body):
        with self.lock:
            line = f"{index} {body}"
            self.history.append(line)
            if self.file:
                with self.file.open("a") as file:
                    file.write(line + "\n")
            if self.trouble.get("dies_after") == body:
                os._exit(1)
            return {"count": len(self.history)}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        app, trouble = self.server.app, self.server.app.trouble
        body = self.body()
        if app.options.dies_at == body:
            os._exit(1)
        time.sleep(trouble.get("slow", 0))
        if self.path == "/dice":
            return self.answer({"number": secrets.token_hex(8)})
        if self.path == "/coin":
            return self.answer({"side": secrets.choice(("heads", "tails"))})
        index = self.headers.get("Zap-Index", "0")
        if app.options.remembers and int(index) <= app.applied():
            return self.answer({"seen": index}, [("Zap-Applied", "duplicate")])
        answer = app.note(index, body)
        if "wrong" in trouble:
            answer["wrong"] = trouble["wrong"]
        return self.answer(answer)

    def do_GET(self):
        app = self.server.app
        if self.path == "/_zap/applied":
            return self.answer_text(str(app.applied()))
        if self.path == "/wrong":
            return self.answer_text(app.trouble.get("wrong_reads", "true"))
        return self.answer_text("".join(line + "\n" for line in app.history))

    def do_PUT(self):
        self.server.app.trouble = json.loads(self.body())
        self.answer({})

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode("latin-1")

    def answer(self, value, headers=()):
        self.answer_text(json.dumps(value, sort_keys=True), headers)

    def answer_text(self, text, headers=()):
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())
        # Without a word before: the sidecar learns of it as it would of a restart.
        self.close_connection = self.server.app.trouble.get("close", False)

    def log_message(self, format, *args):
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--state", type=Path)
    parser.add_argument("--single", action="store_true")
    parser.add_argument("--dies-at")
    parser.add_argument("--remembers", action="store_true")
    options = parser.parse_args()
    host, _, port = options.address.rpartition(":")
    server = (HTTPServer if options.single else ThreadingHTTPServer)((host, int(port)), Handler)
    server.app = Application(options)
    server.serve_forever()
