"""Who only connects, with no certificate and without a word, stops no node and keeps none out."""

import multiprocessing
import socket
import subprocess
import time
import unittest
from collections import deque

from cluster import ClusterTest, wait_until
from http_client import Connection
from local_cluster import Process, get, sidecar_binary

FILES = 600  # that a node may open: as few as clients of the usual limits.connections use up


def end_of(address):
    host, _, port = address.rpartition(":")
    return host, int(port)


def flood(address, kept=300):
    """Opens connections as fast as it can and keeps the newest open. Never returns."""
    held = deque()
    while True:
        try:
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            held.append(one)
        except OSError:  # no port is free for a moment
            time.sleep(0.01)
        if len(held) > kept:
            held.popleft().close()


class Flood:
    """Processes that do it while a `with` lasts."""

    def __init__(self, address, processes=3):
        self.processes = [multiprocessing.Process(target=flood, args=(end_of(address),),
                                                  daemon=True) for _ in range(processes)]

    def __enter__(self):
        for process in self.processes:
            process.start()

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.join()


class Floods(ClusterTest):
    @classmethod
    def configure(cls, cluster):
        cluster.edit_configs("max_size: 100MB", "max_size: 1MB")  # new segments are soon due

    def test_a_flood_at_its_peer_port_keeps_no_node_out(self):
        node = self.nodes[3]
        node.kill(app=False)
        with Flood(node.peer):
            before = node.log_text().count("peer up")
            node.start_sidecar()
            wait_until(lambda: node.log_text().count("peer up") >= before + 3,
                       "the node reaches all others")
        self.cluster.wait_ready()

    def test_clients_that_stay_leave_files_for_the_log(self):
        node = self.nodes[0]
        self.assertEqual(node.sidecar.stop(), 0)
        node.sidecar = Process(["prlimit", f"--nofile={FILES}", sidecar_binary(), "run",
                                "--config", node.config], node.log)
        self.cluster.wait_ready()
        self.assertIn("fewer clients", node.log_text())
        idle = []
        try:
            with Connection(node.client) as connection:
                for _ in range(FILES):
                    idle.append(socket.create_connection(end_of(node.client), timeout=10))
                for _ in range(FILES):
                    idle.append(socket.create_connection(end_of(node.admin), timeout=10))
                for number in range(12):
                    answer = connection.call("POST", f"/kv/large{number}", b"x" * 400_000)
                    self.assertEqual(answer.status, 200)
            self.assertTrue(node.sidecar.alive())
        finally:
            for one in idle:
                one.close()
        wait_until(lambda: get(node.admin, "/livez")[0] == 200, "the admin address answers again")

    def test_check_says_how_many_clients_there_is_room_for(self):
        def check(files):
            return subprocess.run(["prlimit", f"--nofile={files}", sidecar_binary(), "check",
                                   "--config", self.nodes[1].config],
                                  capture_output=True, text=True, timeout=30)
        self.assertNotIn("clients are served at a time", check(20_000).stdout)
        self.assertIn("clients are served at a time", check(FILES).stdout)
        refused = check(100)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("may open 100 files", refused.stderr)


if __name__ == "__main__":
    unittest.main()
