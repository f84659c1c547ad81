"""What the tests of troubled applications share: such a cluster, its clients, and its surfaces."""

import json
import sys
import threading
from pathlib import Path

from cluster import ClusterTest, wait_until
from http_client import Closed, Connection

APP = str(Path(__file__).with_name("troubled_app.py"))


def trouble(node, **kinds):
    """Tells the application itself, around the sidecar."""
    with Connection(node.app_address) as connection:
        assert connection.call("PUT", "/trouble", json.dumps(kinds).encode()).status == 200


def code_of(answer):
    if answer is None:
        return "nobody listens"
    return json.loads(answer.body)["error"]["code"] if answer.status >= 400 else "ok"


def metric(node, name):
    return next(float(line.split()[1]) for line in node.metrics().splitlines()
                if line.startswith(name + " "))


def call(node, method, path, body=""):
    """The answer; none where nobody listens."""
    try:
        with Connection(node.client) as connection:
            return connection.call(method, path, body.encode())
    except (OSError, Closed):
        return None


class Writers:
    """One client for each node, writing all the time. `answers` are (node, answer)."""

    def __init__(self, nodes, path="/note"):
        self.answers = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(node, path), daemon=True)
                         for node in nodes]
        for thread in self._threads:
            thread.start()

    def _write(self, node, path):
        number = 0
        while not self._stop.is_set():
            number += 1
            self.answers.append((node, call(node, "POST", path, f"{node.name} {number}")))

    def count(self, node=None):
        return sum(1 for one, _ in list(self.answers) if node in (None, one))

    def codes(self, node=None):
        return {code_of(answer) for one, answer in list(self.answers) if node in (None, one)}

    def wait_for(self, more, node=None):
        """Until so many more are answered."""
        wanted = self.count(node) + more
        wait_until(lambda: self.count(node) >= wanted, f"{more} more writes are answered", 60)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


class TroubledTest(ClusterTest):
    @staticmethod
    def app_command(address):
        return [sys.executable, APP, address]

    def setUp(self):
        for node in self.nodes:
            if not node.app.alive():
                node.start_app()
        self.cluster.wait_ready()

    def writers(self, nodes=None, path="/note"):
        writers = Writers(nodes or self.nodes, path)
        self.addCleanup(writers.stop)
        return writers

    def states(self):
        return [(node.status() or {}).get("state") for node in self.nodes]

    def terms(self):
        return {node.status()["term"] for node in self.nodes}

    def check_all_well(self):
        """Every application has executed the same calls, each once."""
        self.cluster.wait_ready()
        lines = self.wait_for_equal_applications("/history").decode().splitlines()
        indexes = [int(line.split(" ", 1)[0]) for line in lines]
        self.assertEqual(indexes, sorted(set(indexes)))
