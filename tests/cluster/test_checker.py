"""The checker itself: what it must accept, what it must catch, and agreement with brute force."""

import itertools
import random
import unittest

from linearizability import Call, Counter, Orders, Register, UNKNOWN, is_linearizable


def write(begin, end, value):
    return Call(begin, end, "write", value, None)


def read(begin, end, value):
    return Call(begin, end, "read", None, value)


def unanswered_write(begin, value):
    return Call(begin, 0, "write", value, UNKNOWN)


class RegisterHistories(unittest.TestCase):
    def test_nothing_happened(self):
        self.assertTrue(is_linearizable(Register, []))

    def test_one_after_the_other(self):
        self.assertTrue(is_linearizable(Register, [
            read(0, 1, None), write(2, 3, "a"), read(4, 5, "a"), write(6, 7, "b"), read(8, 9, "b")]))

    def test_a_read_beside_a_write_may_see_either(self):
        for seen in (None, "a"):
            self.assertTrue(is_linearizable(Register, [write(0, 10, "a"), read(2, 3, seen)]))

    def test_a_stale_read_is_caught(self):
        self.assertFalse(is_linearizable(Register, [
            write(0, 1, "a"), write(2, 3, "b"), read(4, 5, "a")]))

    def test_reads_that_go_back_in_time_are_caught(self):
        self.assertFalse(is_linearizable(Register, [
            write(0, 1, "a"), write(2, 10, "b"), read(3, 4, "b"), read(5, 6, "a")]))

    def test_a_lost_write_is_caught(self):
        self.assertFalse(is_linearizable(Register, [write(0, 1, "a"), read(2, 3, None)]))

    def test_a_value_that_nobody_wrote_is_caught(self):
        self.assertFalse(is_linearizable(Register, [write(0, 1, "a"), read(0, 1, "b")]))

    def test_an_unanswered_write_may_have_happened_or_not(self):
        for seen in (None, "a"):
            self.assertTrue(is_linearizable(Register, [unanswered_write(0, "a"), read(5, 6, seen)]))

    def test_an_unanswered_write_may_happen_late_but_only_once(self):
        late = [unanswered_write(0, "a"), write(1, 2, "b"), read(3, 4, "b"), read(5, 6, "a")]
        self.assertTrue(is_linearizable(Register, late))
        twice = [*late, write(7, 8, "c"), read(9, 10, "a")]
        self.assertFalse(is_linearizable(Register, twice))

    def test_an_unanswered_write_does_not_happen_before_it_began(self):
        self.assertFalse(is_linearizable(Register, [read(0, 1, "a"), unanswered_write(2, "a")]))


class CounterHistories(unittest.TestCase):
    def add(self, begin, end, answer):
        return Call(begin, end, "add", None, answer)

    def test_numbers_beside_each_other_come_in_any_order(self):
        self.assertTrue(is_linearizable(Counter, [self.add(0, 9, 2), self.add(1, 8, 1)]))

    def test_a_number_given_twice_is_caught(self):
        self.assertFalse(is_linearizable(Counter, [self.add(0, 1, 1), self.add(2, 3, 1)]))

    def test_a_skipped_number_is_caught(self):
        self.assertFalse(is_linearizable(Counter, [self.add(0, 1, 1), self.add(2, 3, 3)]))

    def test_a_skipped_number_is_explained_by_one_unanswered_call_only(self):
        lost = self.add(0, 0, UNKNOWN)
        self.assertTrue(is_linearizable(Counter, [lost, self.add(1, 2, 1), self.add(3, 4, 3)]))
        self.assertFalse(is_linearizable(Counter, [lost, self.add(1, 2, 1), self.add(3, 4, 4)]))

    def test_ten_thousand_calls_in_a_row_are_no_burden(self):
        calls = [self.add(2 * i, 2 * i + 5, i + 1) for i in range(10_000)]
        self.assertTrue(is_linearizable(Counter, calls))

    def test_a_hundred_calls_without_an_answer_are_no_burden(self):
        """Every second one was executed: it took a number that nobody else has."""
        lost = [self.add(60 * i, 0, UNKNOWN) for i in range(100)]
        calls = [self.add(2 * i, 2 * i + 5, i + 2 + i // 60) for i in range(3_000)]
        self.assertTrue(is_linearizable(Counter, [*lost, *calls]))
        one_too_many = self.add(6_100, 6_101, 3_000 + 100 + 2)
        self.assertFalse(is_linearizable(Counter, [*lost, *calls, one_too_many]))


class OrdersHistories(unittest.TestCase):
    def test_an_order_is_found_once_created(self):
        created = Call(0, 1, "create", "tea", 1)
        self.assertTrue(is_linearizable(Orders, [created, Call(2, 3, "get", 1, "tea")]))
        self.assertFalse(is_linearizable(Orders, [created, Call(2, 3, "get", 1, None)]))
        self.assertFalse(is_linearizable(Orders, [created, Call(2, 3, "get", 1, "salt")]))


def choices_of_executed(calls):
    """Whoever was answered, and any of those who were not."""
    answered = [call for call in calls if not call.unknown]
    unanswered = [call for call in calls if call.unknown]
    for count in range(len(unanswered) + 1):
        for executed in itertools.combinations(unanswered, count):
            yield [*answered, *executed]


def explained_by_brute_force(model, calls):
    orders = itertools.chain.from_iterable(map(itertools.permutations, choices_of_executed(calls)))
    for order in orders:
        if any(not later.unknown and later.end < earlier.begin for i, earlier in enumerate(order)
               for later in order[i + 1:]):
            continue
        state = model.initial
        for call in order:
            possible, state = model.step(state, call)
            if not possible:
                break
        else:
            return True
    return False


class AgainstBruteForce(unittest.TestCase):
    def test_small_random_histories(self):
        dice = random.Random(7)
        verdicts = {True: 0, False: 0}
        for _ in range(2_000):
            calls = []
            for _ in range(dice.randint(1, 5)):
                begin = dice.randint(0, 8)
                end = begin + dice.randint(0, 5) + 0.5
                value = dice.choice("ab")
                calls.append(dice.choice([write(begin, end, value), unanswered_write(begin, value),
                                          read(begin, end, value), read(begin, end, None)]))
            expected = explained_by_brute_force(Register, calls)
            verdicts[expected] += 1
            self.assertEqual(is_linearizable(Register, calls), expected, calls)
        self.assertGreater(min(verdicts.values()), 300)  # both answers were really tried


if __name__ == "__main__":
    unittest.main()
