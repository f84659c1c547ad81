"""Compares what clients were promised with what the applications hold.

examples/fast_orders keeps one fingerprint per executed write (its state.h says how it is made).
"""

import json

from linearizability import Counter, Register, is_linearizable


def fingerprint(key, value):
    hash_ = 0xCBF29CE484222325
    for byte in f"{key}\0{value}".encode():
        hash_ = (hash_ ^ byte) * 0x100000001B3 % 2**64
    return f"{hash_:016x}"


def check_applications(test, loads):
    """All four hold the same writes in the same order: every acknowledged one once, at the number
    that its client was told; every other at most once; none that nobody sent."""
    test.wait_for_equal_applications("/digest")
    history = test.wait_for_equal_applications("/history").decode().split()
    writes = [write for load in loads for write in load.writes]
    sent = {fingerprint(write.key, write.value): write for write in writes}
    test.assertEqual(len(sent), len(writes), "two writes of the test have the same fingerprint")
    place = {mark: number for number, mark in enumerate(history, start=1)}
    test.assertEqual(len(place), len(history), "a write was applied twice")
    test.assertEqual(set(place) - set(sent), set(), "a write was applied that nobody sent")
    for mark, write in sent.items():
        if write.acknowledged:
            test.assertEqual(place.get(mark), write.number, f"{write} is not where it was said")


def check_answers(test, loads):
    """Reads and writes of each key, and the numbers of all writes, are linearizable."""
    for load in loads:
        test.assertEqual(load.errors, [])
    histories = {}
    for load in loads:
        for key, calls in load.register_histories().items():
            histories.setdefault(key, []).extend(calls)
    for key, calls in histories.items():
        test.assertTrue(is_linearizable(Register, calls), f"answers for {key} contradict each other")
    numbers = [call for load in loads for call in load.number_history()]
    test.assertTrue(is_linearizable(Counter, numbers), "the numbers of the writes do not fit time")


def applied_index(node):
    status = node.status()
    return status["applied_index"] if status else None


def digest_of(node):
    return json.loads(node.app_get("/digest"))
