#!/usr/bin/env python3
"""An ordinary web application: orders, kept in memory, ids counted up.

    POST /orders        {"item": "tea", "quantity": 2}   -> 201 and the order
    GET  /orders/{id}                                    -> 200 and the order, or 404
    GET  /orders                                         -> all orders, oldest first
    GET  /state                                          -> how many, and a digest over all of them

It knows nothing of replication but for one thing, which every replicated application must heed:
copies that execute the same calls must come to the same state. So it takes the time and its random
numbers from the request (Zap-Timestamp, Zap-Seed) instead of asking its own clock and dice.
"""

import argparse
import hashlib
import json
import random
import re
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
BODY_BYTES_MAX = 1_000_000
PICK_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class Invalid(Exception):
    """The client sent something that is not an order."""


class Orders:
    """The state. Calls arrive in one order, reads beside them: one lock is enough."""

    def __init__(self):
        self._lock = threading.Lock()
        self._orders = []
        self._digest = hashlib.sha256()

    def create(self, fields, timestamp_ns, seed):
        item, quantity = fields.get("item"), fields.get("quantity", 1)
        if not isinstance(item, str) or not item:
            raise Invalid("'item' must be a text that is not empty")
        if isinstance(quantity, bool) or not isinstance(quantity, int) or quantity < 1:
            raise Invalid("'quantity' must be a whole number from 1 on")
        with self._lock:
            order = {
                "id": len(self._orders) + 1,
                "item": item,
                "quantity": quantity,
                "created_at": (EPOCH + timedelta(microseconds=timestamp_ns // 1000)).isoformat(),
                "pick_code": "".join(random.Random(seed).choices(PICK_CODE_LETTERS, k=4)),
            }
            self._orders.append(order)
            self._digest.update(json.dumps(order, sort_keys=True).encode() + b"\n")
            return order

    def get(self, number):
        with self._lock:
            return self._orders[number - 1] if 1 <= number <= len(self._orders) else None

    def all(self):
        with self._lock:
            return list(self._orders)

    def state(self):
        with self._lock:
            return {"orders": len(self._orders), "digest": self._digest.hexdigest()}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive
    wbufsize = -1  # one packet per answer
    disable_nagle_algorithm = True
    orders = Orders()

    def do_POST(self):
        try:
            body = self.read_body()
            if self.path != "/orders":
                return self.answer(404, {"error": "there is no such page"})
            fields = json.loads(body)
            if not isinstance(fields, dict):
                raise Invalid("the body must be a JSON object")
            # Alone, without replication in front, there is no agreed time: then it is 1970.
            timestamp_ns = int(self.headers.get("Zap-Timestamp", "0"))
            seed = int(self.headers.get("Zap-Seed", "0"), 16)
            order = self.orders.create(fields, timestamp_ns, seed)
        except (Invalid, ValueError) as error:
            return self.answer(400, {"error": str(error)})
        self.answer(201, order, {"Location": f"/orders/{order['id']}"})

    def do_GET(self):
        path = self.path.partition("?")[0]
        number = re.fullmatch(r"/orders/([0-9]{1,15})", path)
        if number:
            order = self.orders.get(int(number.group(1)))
            self.answer(200 if order else 404, order or {"error": "there is no such order"})
        elif path == "/orders":
            self.answer(200, self.orders.all())
        elif path == "/state":
            self.answer(200, self.orders.state())
        else:
            self.answer(404, {"error": "there is no such page"})

    do_HEAD = do_GET

    def read_body(self):
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 <= length <= BODY_BYTES_MAX:
            self.close_connection = True
            raise Invalid(f"a body of {length} bytes; at most {BODY_BYTES_MAX} are taken")
        return self.rfile.read(length)

    def answer(self, status, value, headers=None):
        body = (json.dumps(value) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format, *args):
        pass  # an access log per replicated call would only say the same four times


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--listen", default="127.0.0.1:5001", metavar="HOST:PORT")
    host, _, port = parser.parse_args().listen.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
