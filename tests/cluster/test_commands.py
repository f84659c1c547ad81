"""What operators and their programs rely on: exit statuses, files, admin pages, metric names."""

import json
import os
import re
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

from cluster import ClusterTest, wait_until
from http_client import Connection
from local_cluster import free_block, get, sidecar_binary

DONE, FAILED, BAD_USAGE, UNREACHABLE = 0, 1, 2, 3


def run(*arguments):
    return subprocess.run([sidecar_binary(), *map(str, arguments)], capture_output=True, text=True,
                          timeout=30)


class Commands(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = Path(self._folder.name) / "cluster"

    def init(self, *arguments):
        return run("init", "--nodes", "4", "--dir", self.folder, *arguments)

    def test_help_and_usage(self):
        self.assertEqual(run("--help").returncode, DONE)
        for command in ("init", "run", "check", "status", "bench"):
            with self.subTest(command):
                answer = run(command, "--help")
                self.assertEqual((answer.returncode, "--" in answer.stdout), (DONE, True))
        self.assertEqual(run().returncode, BAD_USAGE)
        self.assertEqual(run("no-such-command").returncode, BAD_USAGE)
        self.assertEqual(run("run").returncode, BAD_USAGE)
        self.assertEqual(run("init", "--nodes", "four").returncode, BAD_USAGE)

    def test_init_writes_a_cluster_and_guards_its_secrets(self):
        self.assertEqual(self.init().returncode, DONE)
        for number in range(1, 5):
            for suffix, mode in (("key", 0o600), ("token", 0o600)):
                file = self.folder / f"node{number}.{suffix}"
                self.assertEqual(stat.S_IMODE(file.stat().st_mode), mode, file)
            for suffix in ("yaml", "crt"):
                self.assertTrue((self.folder / f"node{number}.{suffix}").exists())
        for file in ("cluster-ca.crt", "operator/operator.key", "operator/cluster-ca.key"):
            self.assertTrue((self.folder / file).exists(), file)

    def test_init_does_not_overwrite(self):
        self.init()
        before = (self.folder / "node1.key").read_bytes()
        self.assertNotEqual(self.init().returncode, DONE)
        self.assertEqual((self.folder / "node1.key").read_bytes(), before)

    def test_pbft_needs_four_nodes_and_the_error_names_the_way_out(self):
        answer = run("init", "--nodes", "3", "--dir", self.folder)
        self.assertEqual(answer.returncode, BAD_USAGE)
        self.assertIn("zab", answer.stderr)

    def test_check_accepts_what_init_wrote(self):
        self.init()
        self.assertEqual(run("check", "--config", self.folder / "node1.yaml").returncode, DONE)

    def test_every_error_of_a_file_is_told_with_its_place(self):
        self.init()
        config = self.folder / "node1.yaml"
        text = config.read_text().replace("sync_mode: always", "sync_mode: sometimes")
        config.write_text(text + "\nunheard_of: 1\n")
        for command in ("check", "run"):
            with self.subTest(command):
                answer = run(command, "--config", config)
                self.assertEqual(answer.returncode, BAD_USAGE)
                for word in ("sometimes", "unheard_of"):
                    self.assertRegex(answer.stderr, rf"node1\.yaml:\d+:\d+: .*{word}")

    def test_a_private_key_that_others_can_read_is_refused(self):
        self.init()
        (self.folder / "node1.key").chmod(0o644)
        self.assertEqual(run("check", "--config", self.folder / "node1.yaml").returncode, BAD_USAGE)

    def test_a_command_without_dashes_before_it_is_told_so(self):
        self.init()
        answer = run("run", "--config", self.folder / "node1.yaml", "python3", "app.py")
        self.assertEqual(answer.returncode, BAD_USAGE)
        self.assertIn("put -- before the command", answer.stderr)
        self.assertIn("-- python3", answer.stderr)

    def test_what_init_writes_others_never_change(self):
        subprocess.run([sidecar_binary(), "init", "--dir", self.folder], check=True,
                       capture_output=True, preexec_fn=lambda: os.umask(0))
        for path in (self.folder, *self.folder.rglob("*")):
            self.assertEqual(path.stat().st_mode & 0o022, 0, path)

    def test_a_node_that_does_not_answer(self):
        nobody = f"127.0.0.1:{free_block(30_500, 1)}"
        for command in ("status", "health"):
            answer = run(command, "--admin", nobody)
            self.assertEqual(answer.returncode, UNREACHABLE)
            self.assertIn("--admin HOST:PORT", answer.stderr)
        answer = run("bench", "--target", nobody, "--duration", "1")
        self.assertEqual(answer.returncode, UNREACHABLE)


class AdminPages(ClusterTest):
    def test_status_page_and_command_say_the_same(self):
        node = self.nodes[1]

        def page_when_well():  # nodes tell each other how they are every round_timeout
            page = node.status()
            return page and all(n["state"] == "normal" for n in page["nodes"]) and page
        page = wait_until(page_when_well, "all nodes have said that they are well")
        for key, kind in {"node_id": str, "cluster": str, "protocol": str, "leader": str,
                          "term": int, "commit_index": int, "applied_index": int, "state": str,
                          "app": dict, "nodes": list}.items():
            self.assertIsInstance(page[key], kind, key)
        self.assertEqual((page["node_id"], page["protocol"], page["state"], page["app"]["state"]),
                         ("node2", "pbft", "normal", "ok"))
        self.assertEqual([n["id"] for n in page["nodes"]], [n.name for n in self.nodes])
        for listed, node_ in zip(page["nodes"], self.nodes):
            self.assertEqual(listed["address"], node_.peer)
            self.assertEqual(listed["state"], "normal")
        command = run("status", "--json", "--admin", node.admin)
        self.assertEqual((command.returncode, json.loads(command.stdout).keys()),
                         (DONE, page.keys()))
        self.assertEqual(run("status", "--admin", node.admin).returncode, DONE)
        self.assertEqual(run("health", "--admin", node.admin).returncode, DONE)

    def test_health_pages(self):
        for page in ("/livez", "/readyz"):
            self.assertEqual(get(self.nodes[0].admin, page)[0], 200, page)
        self.assertEqual(get(self.nodes[0].admin, "/no-such-page")[0], 404)

    def test_metrics_have_the_promised_names(self):
        with Connection(self.nodes[0].client) as connection:
            connection.call("POST", "/kv/counted", b"x")
        text = self.nodes[0].metrics()
        for phase in ("prepare", "commit", "execute", "reply"):
            self.assertRegex(text, rf'zap_consensus_latency_seconds_count{{[^}}]*phase="{phase}"')
        for name in ("operations_total", "operations_per_second", "term", "commit_index"):
            self.assertRegex(text, rf"(?m)^zap_consensus_{name}(?:{{[^}}]*}})? [0-9]")
        leads = dict(re.findall(r'(?m)^zap_consensus_leader{node_id="(\w+)"} ([01])$', text))
        self.assertEqual(set(leads), {node.name for node in self.nodes})
        self.assertEqual([n for n, is_leader in leads.items() if is_leader == "1"],
                         [self.cluster.leader().name])


if __name__ == "__main__":
    unittest.main()
