"""Linearizable reads: answered from one place in the order, whatever happens to the nodes asked."""

import sys
import unittest
from pathlib import Path

from cluster import ClusterTest, wait_until
from http_client import Connection
from troubled import APP, code_of, trouble


class Reads(ClusterTest):
    """No test asks for more than that some node is slow: the time-outs are the product's own."""

    def call(self, node, method, path, body=b"", headers=()):
        with Connection(node.client) as connection:
            return connection.call(method, path, body, headers)

    def test_a_read_sees_what_was_written_through_another_node(self):
        for number in range(20):
            writer, reader = self.nodes[number % 4], self.nodes[(number + 1) % 4]
            written = self.call(writer, "POST", "/kv/seen", str(number).encode())
            read = self.call(reader, "GET", "/kv/seen")
            self.assertEqual((read.status, read.body), (200, str(number).encode()))
            self.assertGreaterEqual(int(read.headers["zap-index"]),
                                    int(written.headers["zap-index"]))
            self.assertNotIn("zap-op-id", read.headers)

    def test_a_read_takes_no_index(self):
        before = self.nodes[0].status()["commit_index"]
        for _ in range(5):
            self.assertEqual(self.call(self.nodes[0], "GET", "/kv/none").status, 404)
        self.assertEqual(self.nodes[0].status()["commit_index"], before)

    def test_an_index_that_was_never_given_is_waited_for_in_vain(self):
        read = self.call(self.nodes[0], "GET", "/kv/none", headers=[("Zap-Min-Index", "999999")])
        self.assertEqual((read.status, code_of(read)), (503, "index_not_reached"))

    def test_reads_go_on_while_one_application_after_the_other_hangs(self):
        self.call(self.nodes[0], "POST", "/kv/hangs", b"here")
        for node in self.nodes:
            node.app.pause()
            try:
                for reader in self.nodes:
                    if reader is not node:
                        answer = self.call(reader, "GET", "/kv/hangs")
                        self.assertEqual((answer.status, answer.body), (200, b"here"))
            finally:
                node.app.go_on()

    def test_a_node_whose_application_is_gone_reads_through_the_others(self):
        node = self.nodes[1]
        self.call(self.nodes[0], "POST", "/kv/gone", b"here")
        node.app.kill()
        try:
            wait_until(lambda: not node.is_ready(), f"{node.name} misses its application")
            answer = self.call(node, "GET", "/kv/gone")
            self.assertEqual((answer.status, answer.body), (200, b"here"))
        finally:
            node.start_app()
            self.cluster.wait_ready([node])

    @classmethod
    def configure(cls, cluster):
        cluster.edit_configs("listeners:", "limits: {request_timeout: 3s}\nlisteners:")


class FalseReads(ClusterTest):
    @staticmethod
    def app_command(address):
        return [sys.executable, APP, address]

    def read(self, node):
        with Connection(node.client) as connection:
            return connection.call("GET", "/wrong")

    def test_a_false_answer_of_one_application_reaches_nobody(self):
        trouble(self.nodes[2], wrong_reads="forged")
        for _ in range(3):
            for node in self.nodes:
                answer = self.read(node)
                self.assertEqual((answer.status, answer.body), (200, b"true"), node.name)

    def test_no_two_equal_answers_are_told_so(self):
        for number, node in enumerate(self.nodes):
            trouble(node, wrong_reads=f"forged {number}")
        answer = self.read(self.nodes[0])
        self.assertEqual((answer.status, code_of(answer)), (500, "answers_differ"))
        for node in self.nodes:
            trouble(node)


if __name__ == "__main__":
    unittest.main()
