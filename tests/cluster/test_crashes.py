"""kill -9 under load: nothing acknowledged is lost, nothing is applied twice, writes go on."""

import statistics
import time
import unittest

from cluster import ClusterTest, wait_until
from history import check_answers, check_applications
from load import Load


class CrashTest(ClusterTest):
    """Each test takes the cluster as the one before left it: whole, with all its history."""

    @classmethod
    def setUpClass(cls):
        cls.loads = []
        super().setUpClass()

    @classmethod
    def configure(cls, cluster):
        """Without it the one call in flight at a crash may be sent to a live application twice."""
        cluster.edit_configs("state: memory",
                             'state: memory\n      applied_index: "GET /_zap/applied"')

    def under_load(self, seed):
        load = Load(self.nodes, clients=8, seed=seed).start()
        self.loads.append(load)
        wait_until(lambda: len(load.acknowledged()) >= 300, "300 writes are acknowledged", 60)
        return load

    def wait_for_progress(self, load, writes=200):
        """Until that many writes that began after now are acknowledged. Seconds to the first."""
        since = time.monotonic()

        def newer():
            return [w for w in load.acknowledged() if w.begin > since]
        wait_until(newer, "a write that began after the crash is acknowledged", 30)
        first = min(write.end for write in newer()) - since
        wait_until(lambda: len(newer()) >= writes, f"{writes} more writes are acknowledged", 60)
        return first

    def finish(self, load):
        load.stop()
        self.cluster.wait_ready()
        check_answers(self, self.loads)
        check_applications(self, self.loads)


class Crashes(CrashTest):
    def test_1_the_leader_and_its_application_die(self):
        load = self.under_load(seed=1)
        leader = self.cluster.leader()
        leader.kill()
        seconds = self.wait_for_progress(load)
        print(f"\nnext write {seconds:.2f} s after the leader was killed")
        leader.start()
        self.cluster.wait_ready([leader])
        self.finish(load)

    def test_2_the_leader_dies_and_its_application_lives(self):
        load = self.under_load(seed=2)
        leader = self.cluster.leader()
        leader.kill(app=False)
        self.wait_for_progress(load)
        leader.start_sidecar()
        self.cluster.wait_ready([leader])
        self.finish(load)

    def test_3_an_application_dies_alone(self):
        load = self.under_load(seed=3)
        node = self.nodes[2]
        node.app.kill()
        node.start_app()
        self.wait_for_progress(load)
        self.finish(load)

    def test_4_all_die_at_once_and_start_with_empty_applications(self):
        load = self.under_load(seed=4)
        for node in self.nodes:
            node.kill()
        for node in self.nodes:
            node.start()
        self.cluster.wait_ready()
        self.wait_for_progress(load)
        self.finish(load)

    def test_5_all_sidecars_die_at_once_and_the_applications_live(self):
        load = self.under_load(seed=5)
        for node in self.nodes:
            node.kill(app=False)
        for node in self.nodes:
            node.start_sidecar()
        self.cluster.wait_ready()
        self.wait_for_progress(load)
        self.finish(load)

    def test_6_two_of_four_are_too_few_and_no_write_is_acknowledged_falsely(self):
        load = self.under_load(seed=6)
        fallen = self.nodes[:2]
        for node in fallen:
            node.kill()
        wait_until(lambda: not any(node.is_ready() for node in self.nodes[2:]),
                   "the two that are left say that they have no quorum", 30)
        for node in fallen:
            node.start()
        self.cluster.wait_ready()
        self.wait_for_progress(load)
        self.finish(load)


class TenLeaders(CrashTest):
    """The leader dies ten times over: with its application, and without it, in turns."""

    def test_each_comes_back_and_equals_the_others(self):
        load = self.under_load(seed=7)
        seconds = []
        for cycle in range(10):
            leader = self.cluster.leader()
            leader.kill(app=cycle % 2 == 0)
            seconds.append(self.wait_for_progress(load, writes=50))
            leader.start()
            self.cluster.wait_ready([leader])
        print(f"\nnext write after a leader was killed: median {statistics.median(seconds):.2f} s, "
              f"worst {max(seconds):.2f} s")
        self.finish(load)


if __name__ == "__main__":
    unittest.main()
