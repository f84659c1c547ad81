"""The example applications by themselves: without sidecars, but with what sidecars would tell them."""

import json
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

from cluster import fast_orders_command, orders_command, wait_until
from history import fingerprint
from http_client import Connection
from local_cluster import HOST, Process, free_block, sidecar_binary


class ExampleTest(unittest.TestCase):
    def start(self, command, count):
        """`count` copies of an application; a connection to each."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        first = free_block(random.randrange(30_000, 32_700, 10), count)
        connections = []
        for address in (f"{HOST}:{port}" for port in range(first, first + count)):
            process = Process(command(address), Path(folder.name) / "log")
            self.addCleanup(process.kill)
            connections.append(self.connect_once_up(address))
            self.addCleanup(connections[-1].close)
        return connections

    @staticmethod
    def connect_once_up(address):
        def attempt():
            try:
                return Connection(address)
            except ConnectionRefusedError:
                return None
        return wait_until(attempt, f"something listens on {address}")


class Orders(ExampleTest):
    def place(self, connection, item, timestamp="1700000000000000000", seed="00000000000000ff"):
        return connection.call("POST", "/orders", json.dumps({"item": item}).encode(),
                               [("Zap-Timestamp", timestamp), ("Zap-Seed", seed)])

    def test_equal_calls_make_equal_copies(self):
        one, other = self.start(orders_command, 2)
        for item in ("tea", "salt"):
            self.assertEqual(self.place(one, item).body, self.place(other, item).body)
        self.assertEqual(one.call("GET", "/state").body, other.call("GET", "/state").body)

    def test_time_and_seed_count(self):
        one, other, third = self.start(orders_command, 3)
        bodies = {self.place(one, "tea").body,
                  self.place(other, "tea", timestamp="1800000000000000000").body,
                  self.place(third, "tea", seed="0000000000000001").body}
        self.assertEqual(len(bodies), 3)
        states = {connection.call("GET", "/state").body for connection in (one, other, third)}
        self.assertEqual(len(states), 3)

    def test_orders_are_found_and_counted(self):
        app, = self.start(orders_command, 1)
        self.assertEqual(json.loads(self.place(app, "tea").body)["id"], 1)
        created = self.place(app, "salt")
        self.assertEqual((created.status, created.headers["location"]), (201, "/orders/2"))
        self.assertEqual(app.call("GET", "/orders/2").body, created.body)
        self.assertEqual(len(json.loads(app.call("GET", "/orders").body)), 2)
        for path in ("/orders/0", "/orders/3", "/elsewhere"):
            self.assertEqual(app.call("GET", path).status, 404, path)

    def test_what_is_no_order_is_refused_and_changes_nothing(self):
        app, = self.start(orders_command, 1)
        for body in (b"", b"tea", b"[]", b'{"item": ""}', b'{"item": "tea", "quantity": 0}',
                     b'{"item": "tea", "quantity": true}'):
            self.assertEqual(app.call("POST", "/orders", body).status, 400, body)
        self.assertEqual(json.loads(app.call("GET", "/state").body)["orders"], 0)


class Bench(ExampleTest):
    """`zap-sidecar bench` against an application that tells how many calls it really got."""

    def bench(self, target, *arguments):
        ran = subprocess.run([sidecar_binary(), "bench", "--json", "--duration", "1", "--target",
                              target, *arguments], capture_output=True, text=True, timeout=30)
        return ran.returncode, json.loads(ran.stdout) if ran.stdout else None

    def digest(self, app):
        return json.loads(app.call("GET", "/digest").body)

    def test_what_it_counts_is_what_was_done(self):
        app, = self.start(fast_orders_command, 1)
        status, report = self.bench(app.address, "--connections", "8", "--keys", "5")
        self.assertEqual((status, report["errors"]), (0, {}))
        done = self.digest(app)
        # Each connection may have had one more call in flight when time was up.
        self.assertIn(done["writes"] - report["calls"], range(9))
        self.assertEqual(done["keys"], 5)
        self.assertLessEqual(report["p50_ms"], report["p99_ms"])
        self.assertLessEqual(report["p99_ms"], report["max_ms"])

    def test_reads_find_what_was_written_before_them(self):
        app, = self.start(fast_orders_command, 1)
        status, report = self.bench(app.address, "--mode", "mixed", "--connections", "1")
        self.assertEqual((status, report["errors"]), (0, {}))
        self.assertIn(2 * self.digest(app)["writes"] - report["calls"], range(-2, 3))

    def test_a_rate_is_not_exceeded(self):
        app, = self.start(fast_orders_command, 1)
        _, report = self.bench(app.address, "--rate", "200")
        self.assertIn(report["calls"], range(1, 222))

    def test_errors_are_counted_by_status(self):
        app, = self.start(fast_orders_command, 1)
        status, report = self.bench(app.address, "--mode", "read", "--path", "/nothing/{key}")
        self.assertEqual((status, report["calls"]), (1, 0))
        self.assertGreater(report["errors"]["404"], 0)


class FastOrders(ExampleTest):
    def test_history_has_the_fingerprints_of_all_writes(self):
        app, = self.start(fast_orders_command, 1)
        writes = [("a", "1"), ("b", "2"), ("a", "3")]
        for number, (key, value) in enumerate(writes, start=1):
            answer = app.call("POST", f"/kv/{key}", value.encode())
            self.assertEqual(json.loads(answer.body), {"id": number})
        self.assertEqual(app.call("GET", "/kv/a").body, b"3")
        self.assertEqual(app.call("GET", "/kv/c").status, 404)
        self.assertEqual(app.call("GET", "/history").body.decode().split(),
                         [fingerprint(key, value) for key, value in writes])
        digest = json.loads(app.call("GET", "/digest").body)
        self.assertEqual((digest["writes"], digest["keys"]), (3, 2))

    def test_the_order_of_writes_counts(self):
        one, other = self.start(fast_orders_command, 2)
        for connection, order in ((one, "ab"), (other, "ba")):
            for key in order:
                connection.call("POST", f"/kv/{key}", b"x")
        self.assertNotEqual(one.call("GET", "/digest").body, other.call("GET", "/digest").body)


if __name__ == "__main__":
    unittest.main()
