#!/usr/bin/env python3
"""A short story on the terminal: four sidecars, four copies of examples/orders, one crash.

    ./dev demo           tells the story and stays up until interrupted
    ./dev demo --exit    ends by itself; status 0 only if all was well
"""

import argparse
import http.client
import json
import shutil
import signal
import sys
import textwrap
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import local_cluster  # noqa: E402
from local_cluster import Cluster, DEFAULT_PORTS, wait_until  # noqa: E402

ITEMS = ["tea", "oranges", "a lamp", "rope", "ink", "two chairs", "salt", "a map"]
# Longest wait for the first write after the crash. The story prints how long it really took; this
# bound only keeps a broken cluster from being waited for.
RECOVERY_SECONDS_MAX = 30


class Stage:
    """What is printed, in colour where a person looks on."""

    def __init__(self, stream):
        self._stream = stream
        self._colour = stream.isatty()
        self._chapter = 0
        self.failures = 0

    def _paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self._colour else text

    def chapter(self, text):
        self._chapter += 1
        self._print("\n" + self._paint("1", f"{self._chapter}. {text}"))

    def tell(self, text):
        self._print(textwrap.indent(text, "   "))

    def check(self, good, text):
        self.failures += not good
        self._print("   " + (self._paint("32", "ok  ") if good else self._paint("31", "BAD ")) + text)

    def _print(self, text):
        print(text, file=self._stream, flush=True)


def call(node, method, path, body=None, seconds=10):
    """(status, headers, answer) of one HTTP call to a node's listener."""
    connection = http.client.HTTPConnection(node.client, timeout=seconds)
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        kind = answer.headers.get("Content-Type", "")
        return answer.status, answer.headers, json.loads(text) if "json" in kind else text
    finally:
        connection.close()


def place_order(node, item):
    status, headers, order = call(node, "POST", "/orders", {"item": item, "quantity": 2})
    if status != 201:
        raise RuntimeError(f"{node.name} answered {status} to POST /orders: {order}")
    return int(headers["Zap-Index"]), order


def first_write_after(nodes, item):
    """Tries through each of `nodes` in turn until one takes the order. (seconds, node, order)."""
    begun = time.monotonic()

    def accepted():
        for node in nodes:
            try:
                _, order = place_order(node, item)
                return node, order
            except (OSError, http.client.HTTPException, RuntimeError):
                continue
        return None
    node, order = wait_until(accepted, "a write is accepted again", RECOVERY_SECONDS_MAX)
    return time.monotonic() - begun, node, order


def app_states(nodes):
    return [json.loads(node.app_get("/state")) for node in nodes]


def introduce(stage, cluster):
    stage.chapter("Four sidecars, and beside each an ordinary Python web application")
    for kind, first in DEFAULT_PORTS.items():
        if cluster.ports[kind] != first:
            stage.tell(f"port {first} or one after it is taken: {kind} ports start at "
                       f"{cluster.ports[kind]}")
    for node in cluster.nodes:
        stage.tell(f"{node.name}   clients http://{node.client}   application {node.app_address}"
                   f"   admin http://{node.admin}")
    stage.tell(f"all files are in {cluster.directory}")
    begun = time.monotonic()
    cluster.start()
    stage.tell(f"ready after {time.monotonic() - begun:.1f} s; {cluster.leader().name} leads")


def write_everywhere(stage, cluster):
    stage.chapter("Writes through every node, in one order")
    ids = []
    for node, item in zip(cluster.nodes, ITEMS):
        index, order = place_order(node, item)
        ids.append(order["id"])
        stage.tell(f"POST /orders through {node.name}: id {order['id']}, {item}, "
                   f"pick code {order['pick_code']}, index {index}")
    stage.check(ids == list(range(1, len(ids) + 1)), f"the ids count up across the nodes: {ids}")


def read_elsewhere(stage, cluster):
    stage.chapter("A write through one node, read at once through another")
    writer, reader = cluster.nodes[0], cluster.nodes[2]
    _, order = place_order(writer, ITEMS[4])
    status, _, seen = call(reader, "GET", f"/orders/{order['id']}")
    stage.check(status == 200 and seen == order,
                f"{reader.name} shows order {order['id']} as {writer.name} answered it")


def kill_the_leader(stage, cluster):
    leader = cluster.leader()
    stage.chapter(f"kill -9 of {leader.name}, the leader, and of its application")
    leader.kill()
    rest = [node for node in cluster.nodes if node is not leader]
    seconds, node, order = first_write_after(rest, ITEMS[5])
    stage.check(True, f"the next write was answered after {seconds:.2f} s, by {node.name}: "
                      f"id {order['id']}")
    stage.tell(f"{cluster.leader().name} leads now")
    for number in range(1, order["id"] + 1):
        status, _, _ = call(node, "GET", f"/orders/{number}")
        if status != 200:
            stage.check(False, f"order {number} is lost: {node.name} answers {status}")
            return leader
    stage.check(True, f"orders 1 to {order['id']} are all there")
    return leader


def bring_back(stage, cluster, node):
    stage.chapter(f"{node.name} comes back, with an empty application")
    place_order(next(other for other in cluster.nodes if other is not node), ITEMS[6])
    node.start()
    begun = time.monotonic()
    cluster.wait_ready([node])
    stage.tell(f"caught up {time.monotonic() - begun:.2f} s after its start")
    _, order = place_order(node, ITEMS[7])
    stage.tell(f"POST /orders through {node.name} again: id {order['id']}")


def compare(stage, cluster):
    stage.chapter("The four applications, asked behind the sidecars' backs")

    def equal_states():
        states = app_states(cluster.nodes)
        return states if all(state == states[0] for state in states) else None
    try:
        states = wait_until(equal_states, "the four states are equal", 10)
    except local_cluster.TimedOut:
        states = app_states(cluster.nodes)
    for node, state in zip(cluster.nodes, states):
        stage.tell(f"{node.name}   {state['orders']} orders   digest {state['digest'][:24]}...")
    stage.check(all(state == states[0] for state in states), "equal")


def stay_up(stage, cluster):
    first = cluster.nodes[0]
    stage.chapter("Yours to try, until Ctrl-C")
    stage.tell(f"curl -i -d '{{\"item\": \"kite\"}}' http://{first.client}/orders\n"
               f"curl -i http://{cluster.nodes[1].client}/orders/1\n"
               f"{local_cluster.sidecar_binary()} status --admin {first.admin}")
    while all(node.sidecar.alive() for node in cluster.nodes):
        time.sleep(0.5)
    fallen = [node.name for node in cluster.nodes if not node.sidecar.alive()]
    stage.check(False, f"ended by itself: {', '.join(fallen)}")


def tell_story(stage, cluster):
    introduce(stage, cluster)
    write_everywhere(stage, cluster)
    read_elsewhere(stage, cluster)
    fallen = kill_the_leader(stage, cluster)
    bring_back(stage, cluster, fallen)
    compare(stage, cluster)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--exit", action="store_true", help="end by itself after the story")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is ended
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` would ignore it
    stage = Stage(sys.stdout)
    cluster = Cluster(local_cluster.orders_command)
    with cluster:
        try:
            tell_story(stage, cluster)
            if not arguments.exit and not stage.failures:
                stay_up(stage, cluster)
        except KeyboardInterrupt:
            print()
        except (OSError, RuntimeError, local_cluster.TimedOut) as error:
            stage.check(False, str(error))
    if stage.failures:
        print(f"\nNot well; logs and data are kept in {cluster.directory}")
        return 1
    shutil.rmtree(cluster.directory)
    print("\nAll was well.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
