"""Copies that answer differently: who is believed, who is quarantined, who is told."""

import json
import unittest

from cluster import wait_until
from troubled import TroubledTest, call, code_of, metric, trouble


class NotDeterministic(TroubledTest):
    """No copy can be told to be wrong: no quarantine, but an alarm."""

    def tearDown(self):
        self.wait_for_equal_applications("/history")  # else the last call meets three that are well
        for node in self.nodes:
            trouble(node)
        self.check_all_well()

    def check_alarm(self, method):
        sentence = "the application is not deterministic: " + method
        for node in self.nodes:
            wait_until(lambda node=node: sentence in node.status()["alarms"],
                       f"{node.name} raises the alarm")
            self.assertIn(sentence, node.log_text())
            self.assertGreaterEqual(metric(node, "zap_sidecar_app_nondeterministic_methods"), 1)
        self.assertEqual(self.states(), ["normal"] * 4)

    def test_two_against_two(self):
        for node in self.nodes[:2]:
            trouble(node, wrong="yes")
        writers = self.writers()
        writers.wait_for(100)
        self.check_alarm("unmatched")
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})  # f + 1 equal answers there were

    def test_two_and_one_and_one(self):
        trouble(self.nodes[0], wrong="one")
        trouble(self.nodes[3], wrong="another")
        writers = self.writers()
        writers.wait_for(100)
        self.check_alarm("unmatched")
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})
        for _, answer in writers.answers:
            self.assertNotIn("wrong", json.loads(answer.body))

    def test_a_method_that_differs_everywhere_called_a_thousand_times(self):
        writers = self.writers(path="/dice")
        writers.wait_for(1000)
        writers.stop()
        self.assertEqual(writers.codes(), {"answers_differ"})
        for _, answer in writers.answers:
            self.assertEqual(answer.status, 500)
            self.assertIn("zap-index", answer.headers)
        self.check_alarm("POST /dice")
        for node in self.nodes:  # a line a minute, not a line a call
            self.assertLess(node.log_text().count("not deterministic: POST /dice"), 10)
        self.assertEqual(code_of(call(self.nodes[0], "POST", "/note", "after it")), "ok")

    @classmethod
    def configure(cls, cluster):
        cluster.edit_configs("methods: []", 'methods: [{match: "POST /dice", mode: replicated}]')


class Coin(TroubledTest):
    """Now and then q agree on another answer: one application goes into quarantine, and no second
    one, whoever tosses at the same moment."""

    def quarantined(self):
        return [node for node, state in zip(self.nodes, self.states()) if state == "quarantined"]

    def test_a_method_that_differs_at_random_called_a_thousand_times(self):
        writers = self.writers(path="/coin")
        writers.wait_for(1000)
        writers.stop()
        self.assertEqual(writers.codes(), {"ok"})  # of three two are always equal
        wait_until(lambda: len(self.quarantined()) <= 1, "q healthy applications are left")
        alarms = [alarm for node in self.nodes for alarm in node.status()["alarms"]]
        self.assertIn("the application is not deterministic: unmatched", alarms)
        self.assertEqual(code_of(call(self.nodes[0], "POST", "/note", "after it")), "ok")
        for node in self.quarantined():
            node.app.kill()
            node.start_app()
        self.check_all_well()


class Compared(TroubledTest):
    """What may differ is said in the methods table, the same on all nodes."""

    @classmethod
    def configure(cls, cluster):
        cluster.edit_configs("methods: []", 'methods: [{match: "POST /dice", mode: replicated, '
                                            'ignore: ["$.number"]}]')

    def test_what_is_ignored_is_not_compared(self):
        for node in self.nodes:
            self.assertEqual(code_of(call(node, "POST", "/dice")), "ok")
        self.assertEqual(self.states(), ["normal"] * 4)

    def test_a_node_that_compares_otherwise_is_no_peer(self):
        node, other = self.nodes[3], self.nodes[0]
        text = node.config.read_text()
        node.kill(app=False)
        node.config.write_text(text.replace('ignore: ["$.number"]', "compare: full"))
        node.start_sidecar()
        wait_until(lambda: "compare, ignore" in other.log_text(), "node1 says what differs")
        self.assertEqual(code_of(call(other, "POST", "/note", "three are enough")), "ok")
        node.kill(app=False)
        node.config.write_text(text)
        node.start_sidecar()
        self.check_all_well()


class RepliesLocal(TroubledTest):
    """`replies: local`: one application's word, compared with nobody's."""

    @classmethod
    def configure(cls, cluster):
        cluster.edit_configs("consensus:\n", "consensus:\n  replies: local\n")

    def test_each_client_gets_the_answer_of_the_application_beside_its_node(self):
        node = self.nodes[1]
        trouble(node, wrong="yes")
        for one in self.nodes:
            answer = call(one, "POST", "/note", "whose word?")
            self.assertEqual(code_of(answer), "ok")
            self.assertEqual("wrong" in json.loads(answer.body), one is node)
        trouble(node)
        self.assertEqual(self.states(), ["normal"] * 4)
        self.assertEqual(node.status()["alarms"], [])
        self.check_all_well()

    def test_without_its_application_a_node_takes_no_calls(self):
        node = self.nodes[2]
        node.app.kill()
        wait_until(lambda: not node.is_ready(), "node3 has noticed")
        answer = call(node, "POST", "/note", "nobody could answer")
        self.assertEqual((answer.status, code_of(answer)), (503, "starting"))
        self.assertEqual(answer.headers["retry-after"], "1")
        self.assertEqual(code_of(call(self.nodes[0], "POST", "/note", "elsewhere")), "ok")
        node.start_app()
        self.check_all_well()


if __name__ == "__main__":
    unittest.main()
