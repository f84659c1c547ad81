#!/usr/bin/env python3
"""Throughput, latency and CPU of a whole cluster on this machine.

Four sidecars (PBFT, mutual TLS, `sync_mode: always`, `replies: quorum`) with a fast application
each, in a fresh folder, under `zap-sidecar bench` at several numbers of connections. CPU is the user
and system time of all sidecars, the applications and the load generator not counted, per call.
"""

import argparse
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from etcd_cluster import PACKAGES, EtcdCluster  # noqa: E402
from local_cluster import (Cluster, fast_orders_command, scattered_ports,  # noqa: E402
                           sidecar_binary)

COLUMNS = ("system", "connections", "calls/s", "p50 ms", "p99 ms", "max ms", "CPU us/call", "errors")


class ZapCluster(Cluster):
    """Our nodes, driven by `zap-sidecar bench`."""

    def drive(self, connections, arguments, seconds, mode=None):
        nodes = [self.leader()] if arguments.leader else self.nodes
        command = [sidecar_binary(), "bench", "--json", "--connections", connections,
                   "--duration", seconds, "--size", arguments.size,
                   "--mode", mode or arguments.mode]
        for node in nodes:
            command += ["--target", node.client]
        ran = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
        if not ran.stdout:
            raise SystemExit(
                f"zap-sidecar bench ended with status {ran.returncode} and said nothing")
        return json.loads(ran.stdout)

    def cpu_seconds(self):
        return sum(node.sidecar.cpu_seconds() for node in self.nodes)


def measure(name, cluster, connections, arguments):
    """One line of the table."""
    cluster.drive(connections, arguments, seconds=1)  # warms up
    before = cluster.cpu_seconds()
    report = cluster.drive(connections, arguments, arguments.duration)
    cpu = cluster.cpu_seconds() - before
    return {
        "system": name,
        "connections": connections,
        "calls/s": round(report["calls_per_second"]),
        "p50 ms": round(report["p50_ms"], 2),
        "p99 ms": round(report["p99_ms"], 2),
        "max ms": round(report["max_ms"], 1),
        "CPU us/call": round(cpu * 1e6 / max(report["calls"], 1)),
        "errors": sum(report["errors"].values()),
    }


def measure_all(clusters, arguments):
    """The table: at each number of connections, every system in turn."""
    if not arguments.json:
        print("  ".join(f"{column:>11}" for column in COLUMNS), flush=True)
    if arguments.mode == "read":
        for cluster in clusters.values():
            cluster.drive(64, arguments, seconds=2, mode="write")  # so that there is what to read
    for connections in arguments.connections:
        for name, cluster in clusters.items():
            line = measure(name, cluster, connections, arguments)
            print(json.dumps(line) if arguments.json else
                  "  ".join(f"{line[column]:>11}" for column in COLUMNS), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--duration", type=int, default=5, help="seconds a line")
    parser.add_argument("--size", type=int, default=256, help="bytes a value")
    parser.add_argument("--mode", choices=("write", "read", "mixed"), default="write")
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--leader", action="store_true", help="all load to the leader")
    parser.add_argument("--beside-etcd", action="store_true",
                        help=f"each line beside three etcd nodes (packages: {PACKAGES})")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is ended

    directory = tempfile.mkdtemp(prefix="zap-bench-")
    with contextlib.ExitStack() as running:
        clusters = {"zap": running.enter_context(
            ZapCluster(fast_orders_command, nodes=arguments.nodes,
                       ports=scattered_ports(arguments.nodes), directory=directory))}
        if arguments.beside_etcd:
            clusters["etcd"] = running.enter_context(EtcdCluster())
        print(f"{arguments.nodes} nodes, {arguments.size}-byte {arguments.mode}s, "
              f"{arguments.duration} s a line, files in {directory}", file=sys.stderr)
        clusters["zap"].start()
        measure_all(clusters, arguments)
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
