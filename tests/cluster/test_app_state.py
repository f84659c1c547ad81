"""What a restart of an application leaves, and which calls it then gets."""

import json
import socket
import sys
import unittest
from pathlib import Path

from cluster import wait_until
from troubled import TroubledTest, call, code_of, trouble


def own_address():
    """Of this machine, not on loopback; none where it has no network. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return None


class StateTest(TroubledTest):
    def app_lines(self, node):
        return node.app_get("/history").decode().splitlines()

    def bodies(self, node):
        return [line.split(" ", 1)[1] for line in self.app_lines(node)]

    def write(self, *bodies):
        for body in bodies:
            self.assertEqual(code_of(call(self.nodes[0], "POST", "/note", body)), "ok")

    def restart_app(self, node):
        if node.app.alive():
            node.app.kill()
        node.start_app()
        self.cluster.wait_ready([node])

    def lose_an_answer(self, node, body):
        """The application ends between executing a call and answering it, and is started again."""
        trouble(node, dies_after=body)
        self.write(body)
        wait_until(lambda: not node.app.alive(), "the application is dead")
        self.restart_app(node)
        self.write("after " + body)
        wait_until(lambda: "after " + body in self.bodies(node), "it goes on")


class DurableTest(StateTest):
    """Each application keeps its history in a file beside its node's configuration."""

    app_flags = []
    app_yaml = ""

    @classmethod
    def configure(cls, cluster):
        cluster.edit_configs("state: memory", "state: durable" + cls.app_yaml)
        for node in cluster.nodes:
            file = cluster.directory / f"{node.name}-app.history"
            node.app_command = node.app_command + ["--state", str(file)] + cls.app_flags


class DurableThatTells(DurableTest):
    app_yaml = '\n      applied_index: "GET /_zap/applied"'

    def test_exactly_once(self):
        node = self.nodes[1]
        self.write("one", "two")
        self.restart_app(node)
        self.write("three")
        self.lose_an_answer(node, "four")
        self.check_all_well()
        self.assertNotIn("replayed", node.log_text())

    def test_what_it_did_not_flush_is_given_again(self):
        node = self.nodes[2]
        self.write("kept", "lost", "lost, too")
        self.wait_for_equal_applications("/history")
        node.app.kill()
        file = self.cluster.directory / f"{node.name}-app.history"
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[:-2]))
        node.start_app()
        self.check_all_well()


class DurableThatDoesNotTell(DurableTest):
    def test_at_least_once_for_the_one_call_in_flight(self):
        node = self.nodes[3]
        self.write("one", "two")
        self.restart_app(node)
        self.write("three")
        self.lose_an_answer(node, "four")
        self.assertEqual(self.bodies(node),
                         ["one", "two", "three", "four", "four", "after four"])
        self.assertEqual(self.bodies(self.nodes[0]),
                         ["one", "two", "three", "four", "after four"])
        # Its copy is another one now, and its next answer shows that.
        wait_until(lambda: node.status()["state"] == "quarantined", "node4 is in quarantine")

        # Durable: nothing but an empty application can be brought to the agreed state.
        node.kill()
        (self.cluster.directory / f"{node.name}-app.history").unlink()
        node.start_app()
        node.start_sidecar("--app-is", "empty")
        self.check_all_well()


class DurableThatRemembers(DurableTest):
    app_flags = ["--remembers"]

    def test_a_duplicate_is_told_and_not_compared(self):
        node = self.nodes[1]
        self.write("one")
        self.lose_an_answer(node, "two")
        self.check_all_well()
        self.assertEqual(self.states(), ["normal"] * 4)


class MemoryThatRestarts(StateTest):
    def test_it_is_replayed_from_the_first_call(self):
        node = self.nodes[1]
        self.write("one", "two")
        self.lose_an_answer(node, "three")
        self.check_all_well()
        self.assertEqual(self.states(), ["normal"] * 4)


@unittest.skipUnless(own_address(), "this machine has no address but loopback")
class OnAnotherHost(StateTest):
    """Of an application on another host nothing tells whether it has been restarted."""

    @classmethod
    def configure(cls, cluster):
        node = cluster.nodes[0]
        there = node.app_address.replace("127.0.0.1", own_address())
        node.config.write_text(node.config.read_text().replace(node.app_address, there))
        node.app_command = [there if word == node.app_address else word
                            for word in node.app_command]
        node.app_address = there

    def restart_sidecar(self, *arguments):
        node = self.nodes[0]
        node.kill(app=False)
        node.start_sidecar(*arguments)
        return node

    def test_a_sidecar_that_restarts_waits_for_a_word(self):
        self.write("one", "two")
        self.wait_for_equal_applications("/history")
        node = self.restart_sidecar()
        wait_until(lambda: "--app-is" in ((node.status() or {}).get("app") or {}).get("state", ""),
                   "node1 asks for --app-is")
        self.assertFalse(node.is_ready())
        wait_until(lambda: code_of(call(node, "POST", "/note", "the others answer")) == "ok",
                   "its clients are served all the same")

        self.restart_sidecar("--app-is", "kept")
        self.check_all_well()

        node.app.kill()
        node.start_app()
        self.restart_sidecar("--app-is", "empty")
        self.check_all_well()


if __name__ == "__main__":
    unittest.main()
