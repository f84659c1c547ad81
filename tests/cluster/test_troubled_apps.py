"""One application is in trouble: it ends as it should, and clients see nothing of it."""

import json
import sys
import threading
import time
import unittest
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


class TroubledApps(ClusterTest):
    @staticmethod
    def app_command(address):
        return [sys.executable, APP, address]

    def setUp(self):
        for node in self.nodes:
            if not node.app.alive():
                node.start_app()
        self.cluster.wait_ready()

    def write(self, node, body, path="/note"):
        """The answer; none where nobody listens."""
        try:
            with Connection(node.client) as connection:
                return connection.call("POST", path, body.encode())
        except (OSError, Closed):
            return None

    def write_everywhere(self, body, writes=5):
        """Clients of every node write, and are all answered."""
        for number in range(writes):
            for node in self.nodes:
                answer = self.write(node, f"{body} {number}")
                self.assertEqual((code_of(answer), node.name), ("ok", node.name))
                self.assertNotIn("wrong", json.loads(answer.body))
                self.assertIn("zap-index", answer.headers)

    def all_well(self):
        self.cluster.wait_ready()
        self.wait_for_equal_applications("/history")


class KilledAndWrong(TroubledApps):
    def test_an_application_that_is_gone_costs_its_clients_nothing(self):
        node = self.nodes[1]
        node.app.kill()
        self.write_everywhere("while gone")
        self.assertFalse(node.is_ready())
        node.start_app()
        self.all_well()

    def test_an_application_that_answers_wrongly_is_quarantined_and_healed_by_its_restart(self):
        node = self.nodes[2]
        trouble(node, wrong="yes")
        self.write_everywhere("while wrong")
        wait_until(lambda: node.status()["state"] == "quarantined", "node3 is in quarantine")
        self.assertFalse(node.is_ready())
        self.assertIn("quarantined", node.status()["app"]["state"])
        self.assertEqual(metric(node, "zap_sidecar_app_diverged"), 1)
        self.assertRegex(node.log_text(), r"diverged.*index=\d+ .*method=\S+")
        with Connection(node.client) as connection:
            connection.send(b"GET /history HTTP/1.1\r\nHost: test\r\n\r\n")
            self.assertEqual(connection.answer().status, 200)  # ordered: the others answer
        self.write_everywhere("in quarantine")
        self.assertEqual({n.name: n.status()["state"] for n in self.nodes if n is not node},
                         {n.name: "normal" for n in self.nodes if n is not node})

        node.kill(app=False)  # the quarantine outlives the sidecar
        node.start_sidecar()
        wait_until(lambda: code_of(self.write(node, "is it back?")) == "ok", "it takes calls again")
        self.assertEqual(node.status()["state"], "quarantined")
        self.write_everywhere("after a restart of the sidecar")

        node.app.kill()
        node.start_app()
        self.all_well()
        self.assertEqual(node.status()["state"], "normal")
        self.assertEqual(metric(node, "zap_sidecar_app_diverged"), 0)


if __name__ == "__main__":
    unittest.main()
