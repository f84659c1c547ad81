"""Four processes, four applications, sixteen clients: one order, seen by all."""

import unittest

from cluster import ClusterTest, wait_until
from history import check_answers, check_applications
from load import Load

CALLS = 20_000


class OneOrder(ClusterTest):
    def test_mixed_calls_through_all_nodes(self):
        load = Load(self.nodes, clients=16, calls=CALLS).start().join()

        self.assertEqual(len(load.writes) + len(load.reads), CALLS)
        self.assertEqual(len(load.acknowledged()), len(load.writes), "a write was not answered")
        check_answers(self, [load])
        check_applications(self, [load])

    def test_status_agrees_once_it_is_quiet(self):
        Load(self.nodes, clients=4, calls=200, seed=2).start().join()
        self.wait_for_equal_applications("/digest")

        def same(key):  # the reads at the end are ordered as well, and leave no trace in a digest
            return len({node.status()[key] for node in self.nodes}) == 1
        for key in ("commit_index", "leader"):
            wait_until(lambda key=key: same(key), f"all say the same {key}")


if __name__ == "__main__":
    unittest.main()
