"""`run -- COMMAND`: the application is started, watched, started again, and stopped with the sidecar."""

import os
import signal
import unittest
from pathlib import Path

from cluster import ClusterTest, wait_until
from http_client import Connection
from local_cluster import is_free


class Supervised(ClusterTest):
    supervised = True

    def setUp(self):
        for node in self.nodes:
            with Connection(node.client) as connection:
                answer = connection.call("POST", f"/kv/{self.id()}", node.name.encode())
            self.assertEqual(answer.status, 200, answer)
        self.wait_for_equal_applications("/history")

    def app_pid(self, node):
        tasks = Path(f"/proc/{node.sidecar.pid}/task")
        children = " ".join((task / "children").read_text() for task in tasks.iterdir()).split()
        return int(children[0]) if children else None

    def app_port_is_free(self, node):
        return is_free(int(node.app_address.rpartition(":")[2]))

    def test_an_application_that_dies_is_started_again_and_replayed(self):
        node = self.nodes[1]
        fallen = self.app_pid(node)
        os.kill(fallen, signal.SIGKILL)
        wait_until(lambda: self.app_pid(node) not in (None, fallen), "another one was started")
        self.cluster.wait_ready([node])
        self.wait_for_equal_applications("/history")

    def test_the_application_dies_with_its_sidecar_and_comes_back_with_it(self):
        node = self.nodes[2]
        node.kill()
        wait_until(lambda: self.app_port_is_free(node), "the application is gone, too")
        node.start()
        self.cluster.wait_ready([node])
        self.wait_for_equal_applications("/history")

    def test_sigterm_stops_both(self):
        node = self.nodes[3]
        self.assertEqual(node.sidecar.stop(), 0)
        wait_until(lambda: self.app_port_is_free(node), "the application is gone, too")
        node.start()
        self.cluster.wait_ready([node])


if __name__ == "__main__":
    unittest.main()
