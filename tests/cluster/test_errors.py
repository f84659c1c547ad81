"""Every error that the sidecar itself answers: its status, its code, and what it promises.

Codes of idempotency keys are in test_keys.py, quarantine in test_troubled_apps.py, malformed requests in
test_http.py.
"""

import json
import sys
import time
import unittest
from pathlib import Path

from cluster import ClusterTest, wait_until
from http_client import Connection
from local_cluster import get
from troubled import TroubledTest, call, code_of

METHODS = """methods:
      - {match: "GET /local", mode: local}
      - {match: "GET /fresh", mode: local, max_staleness: 1s}
      - {match: "GET /pass", mode: passthrough}
      - {match: "DELETE /**", mode: reject}
      - {match: "POST /hasty", mode: replicated, timeout: 1s}
"""


def configure(cluster):
    cluster.edit_configs('methods: []  # such as {match: "GET /catalog/**", mode: local}', METHODS)
    cluster.edit_configs("listeners:", "limits: {request_timeout: 3s, request_bytes: 1kB, "
                                       "queue_bytes: 1kB}\nlisteners:")


class ErrorTest(TroubledTest):
    configure = staticmethod(configure)

    def assert_refused(self, answer, status, code):
        error = json.loads(answer.body)["error"]
        self.assertEqual((answer.status, error["code"]), (status, code))
        self.assertEqual(set(error), {"code", "message", "details"})
        self.assertTrue(error["message"])
        self.assertEqual(answer.headers["zap-origin"], "proxy")
        self.assertEqual(answer.headers.get("retry-after"), "1" if status in (429, 503) else None)


class Errors(ErrorTest):
    def test_rejected(self):
        self.assert_refused(call(self.nodes[0], "DELETE", "/note"), 403, "rejected")

    def test_too_large(self):
        self.assert_refused(call(self.nodes[0], "POST", "/note", "x" * 1001), 413, "too_large")

    def test_a_call_that_an_ordered_call_makes_is_a_loop(self):
        for method, path in (("POST", "/note"), ("GET", "/history")):
            with Connection(self.nodes[1].client) as connection:
                answer = connection.call(method, path, headers=[("Zap-Op-Id", "node1-1-1")])
                self.assert_refused(answer, 508, "loop")

    def test_index_not_reached(self):
        for path in ("/local", "/history"):
            with Connection(self.nodes[0].client) as connection:
                answer = connection.call("GET", path, headers=[("Zap-Min-Index", "999999")])
                self.assert_refused(answer, 503, "index_not_reached")

    def test_answers_differ_says_where_the_call_stands(self):
        answer = call(self.nodes[0], "POST", "/dice")
        self.assert_refused(answer, 500, "answers_differ")
        self.assertGreater(int(answer.headers["zap-index"]), 0)

    def test_outcome_unknown_and_what_becomes_of_the_call(self):
        node = self.nodes[0]
        for each in self.nodes:
            each.app.pause()
        try:
            answer = call(node, "POST", "/hasty")
            self.assert_refused(answer, 504, "outcome_unknown")
        finally:
            for each in self.nodes:
                each.app.go_on()
        operation = answer.headers["zap-op-id"]
        for each in self.nodes:
            state = self.operation(each, operation)
            self.assertEqual((state["id"], state["state"]), (operation, "committed"))
            self.assertGreater(state["index"], 0)
            self.assertTrue(state["meaning"])
        self.assertEqual(self.operation(node, "node1-1-4000000")["state"], "unknown")

    def test_overloaded_is_told_above_queue_bytes(self):
        node = self.nodes[0]
        connections = [Connection(node.client) for _ in range(3)]
        for each in self.nodes:
            each.app.pause()
        try:
            request = b"POST /note HTTP/1.1\r\nHost: test\r\nContent-Length: 900\r\n\r\n" + b"x" * 900
            for connection in connections[:2]:
                connection.send(request)
            wait_until(lambda: self.waiting(node) >= 1, "a call waits")
            connections[2].send(request)
            self.assert_refused(connections[2].answer(), 429, "overloaded")
        finally:
            for each in self.nodes:
                each.app.go_on()
        self.assertEqual(connections[0].answer().status, 200)
        for connection in connections:
            connection.close()

    def test_reads_without_an_application(self):
        node = self.nodes[3]
        node.app.kill()
        wait_until(lambda: not node.is_ready(), "node4 has noticed")
        self.assert_refused(call(node, "GET", "/local"), 502, "app_unreachable")
        self.assert_refused(call(node, "GET", "/pass"), 502, "app_unreachable")

    def test_too_few_applications(self):
        for node in self.nodes[:3]:
            node.app.kill()
        wait_until(lambda: code_of(call(self.nodes[3], "POST", "/hasty")) == "starting",
                   "node4 knows that no two applications answer")
        self.assert_refused(call(self.nodes[3], "POST", "/note"), 503, "starting")
        self.assert_refused(call(self.nodes[3], "GET", "/history"), 503, "starting")

    @staticmethod
    def operation(node, operation):
        return json.loads(get(node.admin, f"/op/{operation}")[1])

    @staticmethod
    def waiting(node):
        return next(float(line.split()[1]) for line in node.metrics().splitlines()
                    if line.startswith("zap_sidecar_calls_waiting "))


class TwoAreDown(ErrorTest):
    """Of four: what the two others still do, and that writes go on once a third is back."""

    def test_writes_wait_for_a_third_node_and_local_reads_do_not(self):
        fallen, left = self.nodes[:2], self.nodes[2:]
        before = call(left[0], "POST", "/note", "before")
        self.assertEqual(before.status, 200)
        for node in fallen:
            node.kill()
        for node in left:
            began = time.monotonic()
            answer = call(node, "POST", "/note", "during")
            self.assertIn((answer.status, code_of(answer)),
                          {(503, "no_quorum"), (504, "outcome_unknown")})
            self.assertLess(time.monotonic() - began, 10)  # its deadline is 3 s
            wait_until(lambda node=node: code_of(call(node, "POST", "/note")) == "no_quorum",
                       f"{node.name} knows that it has no quorum")
            self.assert_refused(call(node, "POST", "/note"), 503, "no_quorum")
            self.assert_refused(call(node, "GET", "/history"), 503, "no_quorum")
            self.assertEqual(call(node, "GET", "/local").status, 200)
            wait_until(lambda node=node: code_of(call(node, "GET", "/fresh")) == "too_stale",
                       f"{node.name} no longer knows what others have")
            self.assert_refused(call(node, "GET", "/fresh"), 503, "too_stale")
        fallen[0].start()
        for node in (*left, fallen[0]):
            wait_until(lambda node=node: code_of(call(node, "POST", "/note", "after")) == "ok",
                       f"{node.name} takes writes again", 60)
            wait_until(lambda node=node: code_of(call(node, "GET", "/fresh")) == "ok",
                       f"{node.name} is fresh again", 60)
        fallen[1].start()
        self.check_all_well()


class Draining(ErrorTest):
    def test_who_is_still_connected_is_told(self):
        node = self.nodes[0]
        connections = [Connection(node.client) for _ in range(2)]
        for connection in connections:
            self.addCleanup(connection.close)
        for each in self.nodes:
            each.app.pause()
        try:
            connections[0].send(b"POST /note HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx")
            wait_until(lambda: Errors.waiting(node) == 1, "a call waits")
            node.sidecar.terminate()
            wait_until(lambda: node.status()["state"] == "draining", "node1 says that it ends")
            self.assert_refused(connections[1].call("POST", "/note", b"x"), 503, "draining")
        finally:
            for each in self.nodes:
                each.app.go_on()
        self.assertEqual(connections[0].answer().status, 200)
        self.assertEqual(node.sidecar.wait(), 0)
        node.start_sidecar()
        self.cluster.wait_ready()


class Headers(ClusterTest):
    """What is added and removed, on every route."""

    configure = staticmethod(configure)

    @staticmethod
    def app_command(address):
        return [sys.executable, str(Path(__file__).with_name("echo_app.py")), address]

    def told(self, method, path, headers=()):
        with Connection(self.nodes[0].client) as connection:
            body = b"x" if method == "POST" else b""
            return json.loads(connection.call(method, path, body, headers).body)["headers"]

    def test_incoming_zap_headers_are_removed_on_every_route(self):
        forged = [("Zap-Index", "9"), ("Zap-Seed", "0"), ("Zap-Node", "node4"), ("Zap-Replay", "true"),
                  ("Zap_Timestamp", "1")]
        for method, path in (("POST", "/a"), ("GET", "/a"), ("GET", "/local"), ("GET", "/pass")):
            told = self.told(method, path, [*forged, ("Zap-Min-Index", "0")])
            ours = {"zap-index", "zap-timestamp", "zap-seed", "zap-op-id", "zap-node"}
            zap = {name for name in told if name.startswith(("zap-", "zap_"))}
            self.assertLessEqual(zap, {"zap-min-index", *(ours if method == "POST" else ())}, path)
            self.assertNotEqual(told.get("zap-node"), "node4")

    def test_what_a_proxy_adds_is_added_once(self):
        told = self.told("POST", "/a")
        self.assertEqual(told["via"], "1.1 zap-sidecar")
        self.assertRegex(told["x-request-id"], "^[0-9a-f]{32}$")
        self.assertRegex(told["traceparent"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")
        kept = self.told("POST", "/a", [("Via", "1.0 before"), ("X-Request-Id", "mine"),
                                        ("traceparent", "00-1-2-03"), ("X-Forwarded-For", "10.0.0.1")])
        self.assertEqual(kept["via"], "1.0 before, 1.1 zap-sidecar")
        self.assertEqual((kept["x-request-id"], kept["traceparent"]), ("mine", "00-1-2-03"))
        self.assertTrue(kept["x-forwarded-for"].startswith("10.0.0.1"))


if __name__ == "__main__":
    unittest.main()
