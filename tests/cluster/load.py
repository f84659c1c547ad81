"""Clients that write and read keys, and a history of all that they saw.

Each thread is one client on one keep-alive connection; after a broken connection or an answer that
asks for a retry it goes on with the next node. Every value is written once in a run, so that a
value says which write it came from.
"""

import random
import threading
import time
from dataclasses import dataclass

from http_client import Closed, Connection
from linearizability import Call, UNKNOWN


@dataclass(frozen=True)
class Write:
    """One POST /kv/{key}: its key, its value, and the number that the application gave it."""

    begin: float
    end: float
    key: str
    value: str
    number: object  # int, or UNKNOWN

    @property
    def acknowledged(self):
        return self.number is not UNKNOWN


@dataclass(frozen=True)
class Read:
    begin: float
    end: float
    key: str
    value: object  # str, or None where the key was not there


class Load:
    """`clients` threads, spread over `nodes`, until `calls` were made or stop() is called."""

    def __init__(self, nodes, clients=16, calls=None, keys=64, reads=0.5, seed=1):
        self.writes = []
        self.reads = []
        self.errors = []  # what no client should ever see
        self._addresses = [node.client for node in nodes]
        self._keys = [f"key{i}" for i in range(keys)]
        self._share_of_reads = reads
        self._per_client = calls // clients if calls else None
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(i, seed), daemon=True)
                         for i in range(clients)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._stopping.set()
        return self.join()

    def join(self, seconds=240):
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            raise RuntimeError(f"clients still wait for answers after {seconds} s")
        return self

    def acknowledged(self):
        return [write for write in self.writes if write.acknowledged]

    def register_histories(self):
        """key -> the calls of that key, for the Register model."""
        histories = {}
        for write in self.writes:
            answer = None if write.acknowledged else UNKNOWN
            histories.setdefault(write.key, []).append(
                Call(write.begin, write.end, "write", write.value, answer))
        for read in self.reads:
            histories.setdefault(read.key, []).append(
                Call(read.begin, read.end, "read", None, read.value))
        return histories

    def number_history(self):
        """All writes, for the Counter model: each took the next number."""
        return [Call(write.begin, write.end, "add", None, write.number) for write in self.writes]

    def _client(self, me, seed):
        dice = random.Random(f"{seed}/{me}")
        turn, connection, made = me, None, 0
        while not self._stopping.is_set() and made != self._per_client:
            try:
                if connection is None:
                    connection = Connection(self._addresses[turn % len(self._addresses)])
                key = dice.choice(self._keys)
                if dice.random() < self._share_of_reads:
                    good = self._read(connection, key)
                else:
                    good = self._write(connection, key, f"{seed}.{me}.{made}")
            except (OSError, Closed):
                good = False
            except Exception as error:  # a thread's exception would go unseen
                self.errors.append(f"client {me}: {error!r}")
                break
            made += 1
            if not good:
                if connection:
                    connection.close()
                connection = None
                turn += 1
                time.sleep(0.02)  # 503 and 429 ask for a pause
        if connection:
            connection.close()

    def _read(self, connection, key):
        """Whether this node is worth another call."""
        begin = time.monotonic()
        answer = connection.call("GET", f"/kv/{key}")
        end = time.monotonic()
        if answer.status == 200:
            self.reads.append(Read(begin, end, key, answer.body.decode()))
        elif answer.status == 404:
            self.reads.append(Read(begin, end, key, None))
        elif answer.status not in (429, 502, 503, 504):
            self.errors.append(f"GET /kv/{key}: {answer}")
        return answer.status in (200, 404)

    def _write(self, connection, key, value):
        begin = time.monotonic()
        number = UNKNOWN
        try:
            answer = connection.call("POST", f"/kv/{key}", value.encode())
            if answer.status == 200:
                number = int(answer.body.partition(b":")[2].rstrip(b"}\n"))
            elif answer.status in (429, 503):
                number = None  # said to be not ordered: no part of the history
            elif answer.status != 504:
                self.errors.append(f"POST /kv/{key}: {answer}")
            return answer.status == 200
        finally:
            if number is not None:
                self.writes.append(Write(begin, time.monotonic(), key, value, number))
