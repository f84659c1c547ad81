"""HTTP/1.1 through a real sidecar: what clients may do, what they are told, what is refused."""

import json
import sys
import unittest
from pathlib import Path

from cluster import ClusterTest, wait_until
from http_client import Connection

POST_HEAD = b"POST /x HTTP/1.1\r\nHost: test\r\n"

# Two parsers that read these differently let one client speak in another's name: never guess.
SMUGGLING = {
    "a length and chunks": POST_HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST_HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a list of lengths": POST_HEAD + b"Content-Length: 5, 6\r\n\r\nhello",
    "a negative length": POST_HEAD + b"Content-Length: -1\r\n\r\n",
    "a signed length": POST_HEAD + b"Content-Length: +5\r\n\r\nhello",
    "a length beyond 64 bits": POST_HEAD + b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "an unknown coding before chunked":
        POST_HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked that is not last": POST_HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked twice": POST_HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0":
        b"POST /x HTTP/1.0\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk size that is no number": POST_HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a chunk longer than it says": POST_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
    "a space before the colon": POST_HEAD + b"Content-Length : 5\r\n\r\nhello",
    "a folded header": POST_HEAD + b"X-Long: one\r\n two\r\nContent-Length: 0\r\n\r\n",
    "a bare line feed in the headers": b"POST /x HTTP/1.1\nHost: test\r\nContent-Length: 0\r\n\r\n",
    "a bare line feed at the end": POST_HEAD + b"Content-Length: 0\r\n\n",
    "no host": b"POST /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "two hosts": POST_HEAD + b"Host: other\r\nContent-Length: 0\r\n\r\n",
    "a zero byte in a header": POST_HEAD + b"X-Zero: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a space in the target": b"POST /x y HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
    "an unknown version": b"POST /x HTTP/7.3\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
}


class Http(ClusterTest):
    @staticmethod
    def app_command(address):
        return [sys.executable, str(Path(__file__).with_name("echo_app.py")), address]

    def connect(self, node=0):
        connection = Connection(self.nodes[node].client)
        self.addCleanup(connection.close)
        return connection

    # ---- what clients may do

    def test_a_connection_is_kept(self):
        connection = self.connect()
        for number in range(5):
            answer = connection.call("POST", "/kept", str(number).encode())
            self.assertEqual((answer.status, json.loads(answer.body)["body"]), (200, str(number)))

    def test_a_connection_is_closed_on_request(self):
        connection = self.connect()
        answer = connection.call("POST", "/last", b"x", [("Connection", "close")])
        self.assertEqual(answer.status, 200)
        self.assertTrue(connection.is_closed_by_other_side())

    def test_pipelined_calls_are_answered_in_order(self):
        connection = self.connect()
        targets = [f"/pipelined/{number}" for number in range(20)]
        requests = []
        for number, target in enumerate(targets):
            if number % 3 == 2:
                requests.append(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")
            else:
                requests.append(f"POST {target} HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\n"
                                f"{number % 10}")
        connection.send("".join(requests).encode())
        seen = [json.loads(connection.answer().body)["target"] for _ in targets]
        self.assertEqual(seen, targets)

    def test_a_body_in_chunks_arrives_whole(self):
        connection = self.connect()
        connection.send(POST_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
                        b"5\r\nhello\r\n7;note=x\r\n, world\r\n0\r\n\r\n")
        self.assertEqual(json.loads(connection.answer().body)["body"], "hello, world")
        self.assertEqual(connection.call("GET", "/next").status, 200)

    def test_a_request_in_single_bytes_arrives_whole(self):
        connection = self.connect()
        for byte in POST_HEAD + b"Content-Length: 3\r\n\r\nabc":
            connection.send(bytes([byte]))
        self.assertEqual(json.loads(connection.answer().body)["body"], "abc")

    def test_expect_100_continue(self):
        connection = self.connect()
        connection.send(POST_HEAD + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual(connection.answer().status, 100)
        connection.send(b"body")
        answer = connection.answer()
        self.assertEqual((answer.status, json.loads(answer.body)["body"]), (200, "body"))

    def test_head_has_the_headers_of_get_and_no_body(self):
        connection = self.connect()
        answer = connection.call("HEAD", "/head")
        self.assertEqual(answer.status, 200)
        self.assertGreater(int(answer.headers["content-length"]), 0)
        self.assertEqual(connection.call("GET", "/next").status, 200)  # nothing is left over

    # ---- what is told

    def test_an_answer_tells_index_view_and_identity(self):
        connection = self.connect()
        indexes = []
        for _ in range(3):
            headers = connection.call("POST", "/told", b"x").headers
            indexes.append(int(headers["zap-index"]))
            self.assertRegex(headers["zap-view"], r"^[0-9]+$")
            self.assertRegex(headers["zap-op-id"], r"^node1-[0-9]+-[0-9]+$")
        self.assertEqual(sorted(set(indexes)), indexes)

    def test_the_application_is_told_what_all_agreed_on(self):
        timestamps = []
        for node in (0, 1, 2, 3):
            answer = self.connect(node).call("POST", "/agreed", b"x")
            told = json.loads(answer.body)["headers"]
            self.assertEqual(told["zap-index"], answer.headers["zap-index"])
            self.assertEqual(told["zap-op-id"], answer.headers["zap-op-id"])
            self.assertEqual(told["zap-node"], self.nodes[node].name)
            self.assertRegex(told["zap-seed"], r"^[0-9a-f]{16}$")
            timestamps.append(int(told["zap-timestamp"]))
        self.assertEqual(sorted(timestamps), timestamps)
        self.assertGreater(timestamps[0], 1_600_000_000 * 10**9)

    def test_what_a_client_may_not_say_is_removed(self):
        forged = [("Zap-Index", "999999"), ("Zap-Node", "node4"), ("Zap-Seed", "0" * 16),
                  ("Zap-Replay", "true"), ("X-Own", "kept"), ("Connection", "X-Private"),
                  ("X-Private", "gone")]
        told = json.loads(self.connect().call("POST", "/forged", b"x", forged).body)["headers"]
        self.assertNotEqual(told["zap-index"], "999999")
        self.assertEqual(told["zap-node"], "node1")
        self.assertNotIn("zap-replay", told)
        self.assertNotIn("x-private", told)
        self.assertEqual(told["x-own"], "kept")

    # ---- what is refused

    def test_ambiguous_requests_are_answered_400_and_closed(self):
        for name, request in SMUGGLING.items():
            with self.subTest(name):
                before = self.commit_index()
                with Connection(self.nodes[0].client) as connection:
                    connection.send(request)
                    answer = connection.answer()
                    self.assertEqual(answer.status, 400, answer)
                    self.assertEqual(json.loads(answer.body)["error"]["code"], "malformed")
                    self.assertEqual(answer.headers["zap-origin"], "proxy")
                    self.assertTrue(connection.is_closed_by_other_side())
                self.assertEqual(self.commit_index(), before, "it was ordered all the same")

    def test_what_follows_a_refused_request_is_not_read(self):
        before = self.commit_index()
        connection = self.connect()
        connection.send(SMUGGLING["a length and chunks"] + POST_HEAD + b"Content-Length: 0\r\n\r\n")
        self.assertEqual(connection.answer().status, 400)
        self.assertTrue(connection.is_closed_by_other_side())
        self.assertEqual(self.commit_index(), before)

    def test_too_large_a_body_is_answered_413(self):
        connection = self.connect()
        connection.send(POST_HEAD + b"Content-Length: 1000001\r\n\r\n")
        answer = connection.answer()
        self.assertEqual((answer.status, json.loads(answer.body)["error"]["code"]),
                         (413, "too_large"))

    def commit_index(self):
        return self.nodes[0].status()["commit_index"]


class Draining(ClusterTest):
    def test_sigterm_finishes_what_was_taken(self):
        """Calls that are ordered, and wait for applications, are answered before the end."""
        node = self.nodes[0]
        before = node.status()["commit_index"]
        for other in self.nodes:
            other.app.pause()
        connections = [Connection(node.client) for _ in range(4)]
        try:
            for number, connection in enumerate(connections):
                connection.send(f"POST /kv/taken{number} HTTP/1.1\r\nHost: test\r\n"
                                f"Content-Length: 1\r\n\r\nx".encode())
            wait_until(lambda: node.status()["commit_index"] >= before + 4, "the four are ordered")
            node.sidecar.terminate()
            wait_until(lambda: not node.is_ready(), f"{node.name} says that it ends")
        finally:
            for other in self.nodes:
                other.app.go_on()
        for connection in connections:
            self.assertEqual(connection.answer().status, 200)
            connection.close()
        self.assertEqual(node.sidecar.wait(), 0)


if __name__ == "__main__":
    unittest.main()
