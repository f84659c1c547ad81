"""Who does not belong is refused and named in the log, and garbage changes nothing."""

import json
import random
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

from cluster import ClusterTest, wait_until
from local_cluster import Process, sidecar_binary
from http_client import Connection


def garbage(dice, length):
    return bytes(dice.getrandbits(8) for _ in range(length))


def throw_at(address, data):
    """Sends and reads until the other side has had enough or says nothing for a moment."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=0.2) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except OSError:
            pass


class Strangers(ClusterTest):
    def setUp(self):
        self.number = getattr(type(self), "number", 0) + 1
        type(self).number = self.number
        self.write(self.nodes[0], "witness", f"before {self.number}")

    def write(self, node, key, value):
        with Connection(node.client) as connection:
            answer = connection.call("POST", f"/kv/{key}", value.encode())
        self.assertEqual(answer.status, 200, answer)

    def assert_nothing_changed(self):
        """All are up, hold what they held, and still take calls in one order."""
        for node in self.nodes:
            self.assertTrue(node.sidecar.alive(), f"{node.name} ended")
        self.cluster.wait_ready()
        for node in self.nodes:
            with Connection(node.client) as connection:
                answer = connection.call("GET", "/kv/witness")
            self.assertEqual((answer.status, answer.body.decode()),
                             (200, f"before {self.number}"), node.name)
            self.write(node, f"after{self.number}", node.name)
        self.wait_for_equal_applications("/digest")

    def refusals(self, node):
        return sum("refuse" in line.lower() for line in node.log_text().splitlines())

    def wait_for_refusal(self, node, before):
        wait_until(lambda: self.refusals(node) > before, f"{node.name} logs a refusal", 15)

    def tls_context(self, directory, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(directory / f"{name}.crt", directory / f"{name}.key")
        return context

    def test_a_certificate_of_another_cluster_is_refused(self):
        target = self.nodes[0]
        before = self.refusals(target)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sidecar_binary(), "init", "--nodes", "4", "--dir", f"{folder}/other"],
                           check=True, capture_output=True)
            context = self.tls_context(Path(folder) / "other", "node2")
            host, _, port = target.peer.rpartition(":")
            with self.assertRaises(OSError):
                with socket.create_connection((host, int(port)), timeout=10) as plain:
                    with context.wrap_socket(plain) as stream:
                        # The server judges after the client's last handshake message.
                        stream.sendall(b"\0" * 64)
                        if stream.recv(1) == b"":
                            raise ConnectionResetError("closed without a word")
        self.wait_for_refusal(target, before)
        self.assert_nothing_changed()

    def test_no_certificate_is_refused(self):
        target = self.nodes[0]
        before = self.refusals(target)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        host, _, port = target.peer.rpartition(":")
        with self.assertRaises(OSError):
            with socket.create_connection((host, int(port)), timeout=10) as plain:
                with context.wrap_socket(plain) as stream:
                    if stream.recv(1) == b"":
                        raise ConnectionResetError("closed without a word")
        self.wait_for_refusal(target, before)
        self.assert_nothing_changed()

    def test_one_node_cannot_speak_as_another(self):
        """node3 with its own key and certificate, in a process that takes itself for the fourth
        member: its list of nodes has node3 and node4 change places."""
        real = self.nodes[2]
        self.assertEqual(real.sidecar.stop(), 0)
        shutil.copytree(real.directory / "node3", real.directory / "imposter")
        lines = real.config.read_text().replace("node3/wal", "imposter/wal").splitlines()
        third, fourth = (next(i for i, line in enumerate(lines) if f"{{id: {name}," in line)
                         for name in ("node3", "node4"))
        lines[third], lines[fourth] = lines[fourth], lines[third]
        forged_config = real.directory / "imposter.yaml"
        forged_config.write_text("\n".join(lines))
        imposter = Process([sidecar_binary(), "run", "--config", forged_config],
                           real.directory / "imposter.log")
        try:
            said = "it says that it is node4, but its certificate is that of node3"
            for node in self.nodes[:2]:
                wait_until(lambda node=node: said in node.log_text(), f"{node.name} logs: {said}")
            self.assertEqual(self.state_of("node3", seen_by=self.nodes[0]), "unreachable")
        finally:
            if imposter.alive():
                imposter.kill()
            real.start_sidecar()
        self.assert_nothing_changed()

    def state_of(self, name, seen_by):
        status = seen_by.status()
        return next((n["state"] for n in status["nodes"] if n["id"] == name), None)

    def test_plain_bytes_on_the_peer_port_are_refused(self):
        target = self.nodes[1]
        before = self.refusals(target)
        throw_at(target.peer, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.wait_for_refusal(target, before)
        self.assert_nothing_changed()

    def test_random_bytes_on_every_port_change_nothing(self):
        dice = random.Random(3)
        for node in self.nodes:
            for address in (node.client, node.peer, node.admin):
                for _ in range(8):
                    throw_at(address, garbage(dice, dice.randint(1, 3_000)))
        self.assert_nothing_changed()

    def test_truncated_requests_change_nothing(self):
        whole = b"POST /kv/witness HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nwrong"
        for cut in range(1, len(whole) - 1):
            throw_at(self.nodes[cut % 4].client, whole[:cut])
        for cut in range(1, 20):
            throw_at(self.nodes[cut % 4].admin, b"GET /status HTTP/1.1\r\n"[:cut])
            throw_at(self.nodes[cut % 4].peer, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[:cut])
        self.assert_nothing_changed()

    def test_bytes_changed_at_random_in_a_request_do_not_stop_a_node(self):
        dice = random.Random(4)
        whole = bytearray(b"GET /kv/witness?a=b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n")
        for round_ in range(300):
            broken = bytearray(whole)
            for _ in range(dice.randint(1, 4)):
                broken[dice.randrange(3, len(broken))] = dice.getrandbits(8)
            broken[:3] = b"GET"  # a changed method might be a write
            throw_at(self.nodes[round_ % 4].client, bytes(broken))
        self.assert_nothing_changed()

    def test_the_admin_port_refuses_a_foreign_host(self):
        with Connection(self.nodes[0].admin) as connection:
            connection.send(b"GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            answer = connection.answer()
        self.assertGreaterEqual(answer.status, 400)
        with Connection(self.nodes[0].admin) as connection:
            connection.send(f"GET /status HTTP/1.1\r\nHost: {self.nodes[0].admin}\r\n\r\n".encode())
            answer = connection.answer()
        self.assertEqual(json.loads(answer.body)["node_id"], "node1")


if __name__ == "__main__":
    unittest.main()
