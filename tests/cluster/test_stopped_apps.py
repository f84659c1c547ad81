"""Every application stands still for a minute: slow applications are no reason to change leaders."""

import time
import unittest

from troubled import TroubledTest

STOPPED_SECONDS = 60


class Stopped(TroubledTest):
    def test_every_application_stopped_for_a_minute_changes_no_view(self):
        terms = self.terms()
        writers = self.writers()
        writers.wait_for(20)
        for node in self.nodes:
            node.app.pause()
        time.sleep(STOPPED_SECONDS)
        for node in self.nodes:
            node.app.go_on()
        writers.wait_for(100)
        writers.stop()
        self.assertLessEqual(writers.codes(), {"ok", "outcome_unknown"})
        self.check_all_well()
        self.assertEqual(self.terms(), terms)
        for node in self.nodes:
            self.assertNotIn("view change", node.log_text())


if __name__ == "__main__":
    unittest.main()
