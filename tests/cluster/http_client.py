"""A client that sends exactly the bytes it is given, and reads answers strictly.

http.client would mend what the tests mean to send broken, and costs ten times as much a call.
"""

import socket
from dataclasses import dataclass


class Closed(Exception):
    """The other side closed the connection."""


@dataclass
class Answer:
    status: int
    headers: dict  # names in lower case; the last of equal names
    body: bytes


class Connection:
    def __init__(self, address, seconds=30):
        self.address = address
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def send(self, data):
        self._socket.sendall(data)

    def finish_sending(self):
        self._socket.shutdown(socket.SHUT_WR)

    def call(self, method, path, body=b"", headers=()):
        lines = [f"{method} {path} HTTP/1.1", "Host: test"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body or method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return self.answer(without_body=method == "HEAD")

    def answer(self, without_body=False):
        """The next answer, an interim 1xx one too."""
        head = self._read_until(b"\r\n\r\n").decode("latin-1")
        status_line, *lines = head.split("\r\n")
        version, status, *_ = status_line.split(" ", 2)
        if version != "HTTP/1.1" or len(status) != 3:
            raise ValueError(f"not a status line: {status_line!r}")
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"not a header: {line!r}")
            headers[name.strip().lower()] = value.strip()
        status = int(status)
        if without_body or status < 200 or status in (204, 304):
            return Answer(status, headers, b"")
        return Answer(status, headers, self._read_body(headers))

    def is_closed_by_other_side(self):
        """Waits for the end of the stream; False if bytes come instead."""
        try:
            return not self._unread and self._socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _read_body(self, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(self._read_until(b"\r\n"), 16):
                parts.append(self._read_exactly(size))
                self._read_exactly(2)
            while self._read_until(b"\r\n"):
                pass
            return b"".join(parts)
        if "content-length" in headers:
            return self._read_exactly(int(headers["content-length"]))
        raise ValueError(f"an answer without a length: {headers}")

    def _read_more(self):
        data = self._socket.recv(65536)
        if not data:
            raise Closed(f"closed after {self._unread[:200]!r}")
        self._unread += data

    def _read_until(self, mark):
        while mark not in self._unread:
            self._read_more()
        found, _, self._unread = self._unread.partition(mark)
        return found

    def _read_exactly(self, count):
        while len(self._unread) < count:
            self._read_more()
        found, self._unread = self._unread[:count], self._unread[count:]
        return found
