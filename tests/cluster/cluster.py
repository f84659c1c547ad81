"""What the tests of this folder share: a cluster per test class, kept for inspection if it fails."""

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
from local_cluster import (Cluster, TimedOut, fast_orders_command, orders_command,  # noqa: E402
                           scattered_ports, wait_until)

__all__ = ["ClusterTest", "TimedOut", "fast_orders_command", "orders_command", "wait_until"]


class ClusterTest(unittest.TestCase):
    """`self.cluster` is four nodes, started once for all tests of a class. The folder with logs
    and data is removed if all of them pass, and named if one fails."""

    app_command = staticmethod(fast_orders_command)
    supervised = False

    @classmethod
    def configure(cls, cluster):
        """Edits the configuration before the first start."""

    @classmethod
    def setUpClass(cls):
        cls.failed = False
        cls.cluster = Cluster(cls.app_command, ports=scattered_ports(4), supervised=cls.supervised,
                              directory=tempfile.mkdtemp(prefix=f"zap-{cls.__name__}-"))
        cls.nodes = cls.cluster.nodes
        try:
            cls.configure(cls.cluster)
            cls.cluster.start()
        except BaseException:
            cls.failed = True
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.cluster.end()
        if cls.failed or os.environ.get("ZAP_KEEP"):
            print(f"\n{cls.__name__}: logs and data are kept in {cls.cluster.directory}",
                  file=sys.stderr)
        else:
            shutil.rmtree(cls.cluster.directory, ignore_errors=True)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            type(self).failed = True

    def wait_for_equal_applications(self, path, seconds=30):
        """Waits until all four applications answer alike; that answer."""
        def equal():
            answers = {node.app_get(path) for node in self.nodes}
            return answers.pop() if len(answers) == 1 else None
        return wait_until(equal, f"all applications answer GET {path} alike", seconds)
