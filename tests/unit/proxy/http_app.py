"""An application in memory, for tests: POST adds a line to a list, GET answers the list.

http_app.py PORT, or http_app.py unix:/path. The first body "crash" of a process that is not a
replay ends it, unanswered.
"""

import http.server
import os
import socketserver
import sys

lines = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        replay = self.headers.get("Zap-Replay") == "true"
        if body == "crash" and not replay:
            os._exit(1)
        lines.append(self.headers["Zap-Index"] + (" replay " if replay else " ") + body)
        self.respond(lines[-1])

    def do_GET(self):
        if self.path == "/_zap/applied":
            return self.respond(str(len(lines)))
        self.respond("|".join(lines))

    def respond(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def address_string(self):
        return "-"

    def log_message(self, *_):
        pass


class TcpServer(http.server.ThreadingHTTPServer):
    allow_reuse_address = True


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


where = sys.argv[1]
if where.startswith("unix:"):
    path = where[len("unix:"):]
    if os.path.exists(path):
        os.unlink(path)
    UnixServer(path, Handler).serve_forever()
else:
    TcpServer(("127.0.0.1", int(where)), Handler).serve_forever()
