"""Idempotency keys: one effect and one answer, whoever is asked, whatever has happened in between."""

import json
import threading
import unittest

from cluster import ClusterTest, wait_until
from http_client import Closed, Connection
from troubled import code_of

PATH = "/kv/stock"


class Keys(ClusterTest):
    """fast_orders answers a write with its number: a second effect would show as another one."""

    def call(self, node, key, body=b"one", path=PATH, headers=()):
        with Connection(node.client) as connection:
            return connection.call("POST", path, body, [("Idempotency-Key", key), *headers])

    def call_until_answered(self, node, key, body=b"one"):
        """As a client should: tries again after 503, and after a broken connection."""
        def answered():
            try:
                answer = self.call(node, key, body)
            except (OSError, Closed):
                return None
            return answer if answer.status not in (409, 429, 503) else None
        return wait_until(answered, f"{node.name} answers", 60)

    def writes(self):
        return json.loads(self.wait_for_equal_applications("/digest"))["writes"]

    def assert_same(self, first, again):
        self.assertEqual((again.status, again.body, again.headers["zap-index"]),
                         (first.status, first.body, first.headers["zap-index"]))

    def test_a_retry_at_any_node_gets_the_first_answer(self):
        before = self.writes()
        first = self.call(self.nodes[0], "any-node")
        self.assertEqual(first.status, 200)
        for node in self.nodes:
            again = self.call(node, "any-node")
            self.assert_same(first, again)
            self.assertNotEqual(again.headers["zap-op-id"], first.headers["zap-op-id"])
        self.assertEqual(self.writes(), before + 1)

    def test_many_at_once_at_all_nodes_have_one_effect(self):
        before = self.writes()
        answers = []

        def client(node):
            answers.append(self.call_until_answered(node, "at-once"))
        threads = [threading.Thread(target=client, args=(node,)) for node in self.nodes * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for answer in answers:
            self.assert_same(answers[0], answer)
        self.assertEqual((len(answers), self.writes()), (16, before + 1))

    def test_another_request_under_the_same_key_is_refused(self):
        first = self.call(self.nodes[0], "reused", b"one")
        before = self.writes()
        other = self.call(self.nodes[1], "reused", b"two")
        self.assertEqual((other.status, code_of(other)), (422, "key_reused"))
        self.assertEqual(self.writes(), before)
        self.assert_same(first, self.call(self.nodes[2], "reused", b"one"))

    def test_a_key_is_scoped_by_path_and_authorization(self):
        before = self.writes()
        self.call(self.nodes[0], "scoped")
        self.call(self.nodes[0], "scoped", path="/kv/other")
        self.call(self.nodes[0], "scoped", headers=[("Authorization", "Bearer a")])
        self.call(self.nodes[1], "scoped", headers=[("Authorization", "Bearer b")])
        self.assertEqual(self.writes(), before + 4)

    def test_while_a_node_waits_for_the_first_call_it_says_so(self):
        for node in self.nodes:
            node.app.pause()
        try:
            with Connection(self.nodes[0].client) as waiting:
                waiting.send(f"POST {PATH} HTTP/1.1\r\nHost: test\r\nIdempotency-Key: slow\r\n"
                             "Content-Length: 3\r\n\r\none".encode())

                def in_flight():
                    with Connection(self.nodes[0].client) as connection:
                        connection.send(f"POST {PATH} HTTP/1.1\r\nHost: test\r\n"
                                        "Idempotency-Key: slow\r\nContent-Length: 3\r\n\r\none"
                                        .encode())
                        return connection.answer()
                answer = in_flight()
                self.assertEqual((answer.status, code_of(answer)), (409, "key_in_flight"))
                for node in self.nodes:
                    node.app.go_on()
                first = waiting.answer()
        finally:
            for node in self.nodes:
                node.app.go_on()
        self.assert_same(first, self.call(self.nodes[0], "slow"))

    def test_across_a_kill_of_the_leader(self):
        before = self.writes()
        leader = self.cluster.leader()
        others = [node for node in self.nodes if node is not leader]
        first = self.call(leader, "leader-kill")
        leader.kill()
        for node in others:
            self.assert_same(first, self.call_until_answered(node, "leader-kill"))
        leader.start()
        self.cluster.wait_ready()
        self.assert_same(first, self.call_until_answered(leader, "leader-kill"))
        self.assertEqual(self.writes(), before + 1)

    def test_across_a_restart_of_all_with_empty_applications(self):
        first = self.call(self.nodes[0], "restart")
        before = self.writes()
        for node in self.nodes:
            node.kill()
        for node in self.nodes:
            node.start()
        self.cluster.wait_ready()
        for node in self.nodes:
            self.assert_same(first, self.call_until_answered(node, "restart"))
        self.assertEqual(self.writes(), before)

    def test_across_a_restart_of_all_whose_applications_live_on(self):
        first = self.call(self.nodes[0], "sidecars-restart")
        before = self.writes()
        for node in self.nodes:
            node.kill(app=False)
        for node in self.nodes:
            node.start_sidecar()
        self.cluster.wait_ready()
        for node in self.nodes:
            self.assert_same(first, self.call_until_answered(node, "sidecars-restart"))
        self.assertEqual(self.writes(), before)


    def test_an_answer_that_no_two_nodes_have_any_more_is_lost(self):
        """The key is remembered all the same: nothing is executed a second time."""
        self.call(self.nodes[0], "lost")
        before = self.writes()
        for node in self.nodes:
            node.kill(app=False)
        for kept in self.cluster.directory.rglob("*.answers"):
            kept.unlink()
        for node in self.nodes:
            node.start_sidecar()
        self.cluster.wait_ready()
        for node in self.nodes:
            answer = self.call_until_answered(node, "lost")
            self.assertEqual((answer.status, code_of(answer)), (500, "answer_lost"))
            self.assertGreater(int(answer.headers["zap-index"]), 0)
        self.assertEqual(self.writes(), before)


class FewKeys(ClusterTest):
    """What is forgotten is forgotten by all: the same call has the same effect everywhere."""

    @classmethod
    def configure(cls, cluster):
        cluster.edit_configs("listeners:", "idempotency: {keep: 1s, entries: 100}\nlisteners:")

    def call(self, node, key):
        with Connection(node.client) as connection:
            return connection.call("POST", PATH, b"x", [("Idempotency-Key", key)])

    def test_a_key_is_forgotten_by_agreed_time(self):
        first = self.call(self.nodes[0], "old")
        self.assertEqual(first.status, 200)
        again = wait_until(
            lambda: (answer := self.call(self.nodes[1], "old")).body != first.body and answer,
            "the key is forgotten", 30)
        self.assertEqual(again.status, 200)
        self.wait_for_equal_applications("/digest")

    def test_limits_that_the_log_does_not_hold_are_refused(self):
        node = self.nodes[3]
        node.kill(app=False)
        text = node.config.read_text()
        node.config.write_text(text.replace("keep: 1s", "keep: 2s"))
        try:
            node.start_sidecar()
            self.assertNotEqual(node.sidecar.wait(), 0)
            self.assertIn("idempotency is not what", node.log_text())
        finally:
            node.config.write_text(text)
            node.start_sidecar()
            self.cluster.wait_ready()


if __name__ == "__main__":
    unittest.main()
