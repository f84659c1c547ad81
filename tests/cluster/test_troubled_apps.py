"""One application is in trouble: it ends as it should, and clients see nothing of it."""

import json
import time
import unittest

from cluster import wait_until
from troubled import TroubledTest, call, code_of, metric, trouble


class OneOfFour(TroubledTest):
    def test_gone(self):
        node = self.nodes[1]
        writers = self.writers()
        writers.wait_for(20)
        node.app.kill()
        writers.wait_for(100)
        writers.wait_for(20, node)
        self.assertFalse(node.is_ready())
        node.start_app()
        self.cluster.wait_ready()
        writers.wait_for(20, node)
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})
        self.check_all_well()  # restarted empty, and replayed

    def test_too_few(self):
        """An answer needs f + 1 equal ones: what cannot have one is not ordered."""
        fallen = self.nodes[:3]
        for node in fallen:
            node.app.kill()
        for node in self.nodes:
            wait_until(lambda node=node: code_of(call(node, "POST", "/note", "x")) == "starting",
                       f"{node.name} refuses")
        fallen[0].start_app()
        self.cluster.wait_ready([fallen[0]])
        for node in self.nodes:
            wait_until(lambda node=node: code_of(call(node, "POST", "/note", "x")) == "ok",
                       f"{node.name} takes calls")
        for node in fallen[1:]:
            node.start_app()
        self.check_all_well()

    def test_slow(self):
        node = self.nodes[3]
        terms = self.terms()
        trouble(node, slow=5)
        writers = self.writers()
        writers.wait_for(100)
        writers.wait_for(10, node)
        trouble(node)
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})
        self.check_all_well()
        self.assertEqual(self.terms(), terms)

    def test_closing_its_connections(self):
        node = self.nodes[0]
        before = node.log_text().count("restarted")
        trouble(node, close=True)
        writers = self.writers()
        writers.wait_for(100)
        writers.wait_for(20, node)
        trouble(node)
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})
        self.check_all_well()
        self.assertEqual(node.log_text().count("restarted"), before)

    def test_wrong(self):
        node, others = self.nodes[2], self.nodes[:2] + self.nodes[3:]
        writers = self.writers()
        trouble(node, wrong="yes")
        wait_until(lambda: self.states() == ["normal", "normal", "quarantined", "normal"],
                   "node3 is in quarantine")
        writers.wait_for(20, node)
        self.assertFalse(node.is_ready())
        self.assertTrue(all(other.is_ready() for other in others))
        self.assertIn("quarantined", node.status()["app"]["state"])
        seen_by_others = {one["id"]: one["state"] for one in others[0].status()["nodes"]}
        self.assertEqual(seen_by_others[node.name], "quarantined")
        self.assertEqual(metric(node, "zap_sidecar_app_diverged"), 1)
        self.assertRegex(node.log_text(), r"has diverged.* index=\d+ .*method=.*digest=.*agreed=")

        # Reads that are ordered are answered by the others, local ones by nobody.
        self.assertEqual(code_of(call(node, "GET", "/history")), "ok")
        self.assertEqual(code_of(call(node, "GET", "/local")), "app_quarantined")
        self.assertEqual(call(node, "GET", "/local").status, 503)
        self.assertEqual(code_of(call(node, "GET", "/through")), "app_quarantined")

        # It outlives the sidecar.
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})
        self.assertFalse(any("wrong" in json.loads(answer.body) for _, answer in writers.answers))
        node.kill(app=False)
        node.start_sidecar()
        wait_until(lambda: code_of(call(node, "POST", "/note", "again")) == "ok", "it takes calls")
        self.assertEqual(node.status()["state"], "quarantined")

        # A restart, and so a replay, heals it.
        node.app.kill()
        node.start_app()
        self.check_all_well()
        self.assertEqual(node.status()["state"], "normal")
        self.assertEqual(metric(node, "zap_sidecar_app_diverged"), 0)

    @classmethod
    def configure(cls, cluster):
        cluster.edit_configs("methods: []", 'methods: [{match: "GET /local", mode: local}, '
                                            '{match: "GET /through", mode: passthrough}]')


class Supervised(TroubledTest):
    supervised = True

    def setUp(self):
        self.cluster.wait_ready()

    def test_wrong_heals_by_itself(self):
        node = self.nodes[1]
        writers = self.writers()
        trouble(node, wrong="yes")  # forgotten by its restart
        wait_until(lambda: "out of quarantine" in node.log_text(), "the application is healed")
        writers.wait_for(20, node)
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})
        self.check_all_well()


class Deadly(TroubledTest):
    """One call ends the application of one node each time that it comes."""

    @classmethod
    def configure(cls, cluster):
        cls.healthy_command = list(cluster.nodes[2].app_command)
        cluster.nodes[2].app_command = cls.healthy_command + ["--dies-at", "poison"]

    def test_the_call_is_never_skipped_and_blocks_that_node_alone(self):
        node = self.nodes[2]
        self.assertEqual(code_of(call(node, "POST", "/note", "poison")), "ok")
        for _ in range(3):
            wait_until(lambda: not node.app.alive(), "the application is dead")
            node.start_app()
        wait_until(lambda: metric(node, "zap_sidecar_app_blocked") >= 2, "the call blocks the queue")
        self.assertFalse(node.is_ready())
        self.assertRegex(node.status()["app"]["state"], r"blocked: call \d+ broke the application")
        writers = self.writers()
        writers.wait_for(50)
        writers.wait_for(10, node)
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})

        if node.app.alive():
            node.app.kill()
        node.app_command = self.healthy_command
        node.start_app()
        self.check_all_well()
        self.assertEqual(metric(node, "zap_sidecar_app_blocked"), 0)


class SingleThreaded(TroubledTest):
    @staticmethod
    def app_command(address):
        return TroubledTest.app_command(address) + ["--single"]

    @classmethod
    def configure(cls, cluster):
        cluster.edit_configs("state: memory", "state: memory\n      connections: 1")
        cluster.edit_configs("methods: []", 'methods: [{match: "GET /history", mode: local}]')

    def wait_for_equal_applications(self, path, seconds=30):
        """Through the sidecars: their one connection is all that the applications serve."""
        def equal():
            answers = {call(node, "GET", path).body for node in self.nodes}
            return answers.pop() if len(answers) == 1 else None
        return wait_until(equal, f"all applications answer GET {path} alike", seconds)

    def test_reads_share_the_ordered_connection(self):
        writers = self.writers()
        deadline = time.monotonic() + 60
        for node in self.nodes * 10:
            self.assertEqual(code_of(call(node, "GET", "/history")), "ok")
            self.assertLess(time.monotonic(), deadline)
        writers.wait_for(50)
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})
        self.check_all_well()


if __name__ == "__main__":
    unittest.main()
