"""Three etcd nodes of Debian's package, for the side-by-side table of bench/run.py.

No TLS and crash faults only, data on the real disk: what etcd users have. The load goes to the
leader, from a generator of ours in Go (bench/etcd/load.go).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from local_cluster import HOST, Process, scattered_ports, wait_until  # noqa: E402

PACKAGES = "etcd-server golang-go golang-etcd-server-dev"
LOAD = Path(__file__).resolve().parent / "etcd" / "load.go"
NODES = 3


class EtcdCluster:
    """To be used with `with`: every process and file is gone afterwards."""

    def __init__(self):
        for command in ("etcd", "go"):
            if not shutil.which(command):
                raise SystemExit(f"there is no {command} here: apt-get install {PACKAGES}")
        self._folder = Path(tempfile.mkdtemp(prefix="zap-bench-etcd-"))
        self._nodes = []

    def __enter__(self):
        self._build_load()
        ports = scattered_ports(NODES)
        clients = [f"http://{HOST}:{ports['client'] + i}" for i in range(NODES)]
        peers = [f"http://{HOST}:{ports['peer'] + i}" for i in range(NODES)]
        members = ",".join(f"n{i}={peer}" for i, peer in enumerate(peers))
        for i in range(NODES):
            self._nodes.append(Process(
                ["etcd", "--name", f"n{i}", "--data-dir", str(self._folder / f"n{i}"),
                 "--listen-client-urls", clients[i], "--advertise-client-urls", clients[i],
                 "--listen-peer-urls", peers[i], "--initial-advertise-peer-urls", peers[i],
                 "--initial-cluster", members, "--log-level", "error"],
                self._folder / f"n{i}.log"))
        self._endpoints = ",".join(f"{HOST}:{ports['client'] + i}" for i in range(NODES))
        wait_until(lambda: self._run(1, 0.2, 1, "write"), "etcd takes writes")
        return self

    def __exit__(self, *_):
        for node in self._nodes:
            node.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def drive(self, connections, arguments, seconds, mode=None):
        """What `zap-sidecar bench --json` would report."""
        report = self._run(connections, seconds, arguments.size, mode or arguments.mode)
        if not report:
            raise SystemExit("the load generator for etcd failed")
        return report

    def cpu_seconds(self):
        return sum(node.cpu_seconds() for node in self._nodes)

    def _build_load(self):
        self._load = self._folder / "load"
        subprocess.run(["go", "build", "-o", str(self._load), str(LOAD)], check=True,
                       env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode"})

    def _run(self, clients, seconds, size, mode):
        try:
            ran = subprocess.run(
                [str(self._load), "-endpoints", self._endpoints, "-clients", str(clients),
                 "-duration", f"{seconds}s", "-size", str(size), "-mode", mode],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            return None
        return json.loads(ran.stdout) if ran.returncode == 0 else None
