"""A whole cluster on this machine: sidecars, applications, and their processes.

The demo, the benchmark and the cluster tests stand on this file. It only does what a person would
do by hand: `zap-sidecar init`, `zap-sidecar run` and the application beside it, signals, and
questions to the admin port. Every process dies with this one, however this one ends.
"""

import ctypes
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("ZAP_BUILD_DIR", REPOSITORY / "build" / "release"))
DEFAULT_PORTS = {"client": 8081, "peer": 9001, "admin": 9901, "app": 5001}
HOST = "127.0.0.1"


def sidecar_binary():
    """The `zap-sidecar` to run; ZAP_BUILD_DIR names another build than build/release."""
    for place in (BUILD / "zap-sidecar", BUILD / "proxy" / "zap-sidecar"):
        if place.exists():
            return place
    raise FileNotFoundError(f"no zap-sidecar in {BUILD}; ./dev build makes it")


def orders_command(address):
    return [sys.executable, str(REPOSITORY / "examples" / "orders" / "orders.py"),
            "--listen", address]


def fast_orders_command(address):
    return [str(BUILD / "examples" / "fast_orders"), address]


class TimedOut(Exception):
    """Something that was to happen did not; says what."""


def wait_until(condition, what, seconds=30):
    """Polls until `condition()` is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimedOut(f"waited {seconds} s in vain until {what}")
        time.sleep(0.01)


# ---------------------------------------------------------------- ports


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_block(first, count):
    """The lowest port from `first` on where `count` ports in a row are free."""
    while not all(is_free(first + i) for i in range(count)):
        first += count
    return first


def default_ports(nodes):
    """Those of `zap-sidecar init`, each block moved up to the next free one."""
    return {kind: free_block(first, nodes) for kind, first in DEFAULT_PORTS.items()}


def scattered_ports(nodes):
    """Somewhere below the ephemeral range, so that runs beside each other rarely meet."""
    start = random.randrange(12_000, 30_000, 100)
    return {kind: free_block(start + 20 * i, nodes) for i, kind in enumerate(DEFAULT_PORTS)}


# ---------------------------------------------------------------- processes


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Process:
    """A child, its output appended to a log file. Start it from the main thread: the kernel ends
    it when the thread that started it ends."""

    def __init__(self, command, log):
        with open(log, "ab") as output:
            self._child = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self._child.pid

    def alive(self):
        return self._child.poll() is None

    def kill(self):
        """As a power cut does: no last word."""
        self._child.kill()
        self._child.wait()

    def pause(self):
        self._child.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._child.send_signal(signal.SIGCONT)

    def terminate(self):
        self._child.terminate()

    def wait(self, seconds=15):
        """The exit status; TimedOut where it does not end."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimedOut(f"process {self.pid} did not end within {seconds} s") from None

    def stop(self, seconds=15):
        """SIGTERM, and SIGKILL for who does not listen. The exit status."""
        self.terminate()
        try:
            return self.wait(seconds)
        except TimedOut:
            self.kill()
            raise

    def cpu_seconds(self):
        """User and system time so far, from /proc."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---------------------------------------------------------------- nodes


def get(address, path, seconds=5):
    """(status, body) of one GET on a connection of its own; (None, b"") where nobody answers."""
    connection = http.client.HTTPConnection(address, timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None, b""
    finally:
        connection.close()


class Node:
    """One sidecar and the application beside it."""

    def __init__(self, cluster, number):
        self.name = f"node{number}"
        self.directory = cluster.directory
        self.config = cluster.directory / f"{self.name}.yaml"
        port = {kind: first + number - 1 for kind, first in cluster.ports.items()}
        self.client = f"{HOST}:{port['client']}"
        self.peer = f"{HOST}:{port['peer']}"
        self.admin = f"{HOST}:{port['admin']}"
        self.app_address = f"{HOST}:{port['app']}"
        self.log = cluster.directory / f"{self.name}.log"
        self._app_log = cluster.directory / f"{self.name}-app.log"
        self.app_command = cluster.app_command(self.app_address)
        self._supervised = cluster.supervised
        self.sidecar = None
        self.app = None

    def start_app(self):
        self.app = Process(self.app_command, self._app_log)

    def start_sidecar(self, *arguments):
        command = [sidecar_binary(), "run", "--config", self.config, *arguments]
        self.sidecar = Process(command, self.log)

    def start(self):
        if self._supervised:
            self.start_sidecar("--", *self.app_command)
            return
        if not (self.app and self.app.alive()):
            self.start_app()
        self.start_sidecar()

    def kill(self, app=True):
        """kill -9 of the sidecar and, unless told otherwise, of the application."""
        for process in (self.sidecar, self.app if app else None):
            if process and process.alive():
                process.kill()

    def status(self):
        """What /status says, or None where nobody answers."""
        code, body = get(self.admin, "/status", seconds=2)
        return json.loads(body) if code == 200 else None

    def is_ready(self):
        return get(self.admin, "/readyz", seconds=2)[0] == 200

    def metrics(self):
        return get(self.admin, "/metrics")[1].decode()

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def app_get(self, path):
        """Asks the application itself, around the sidecar. The body."""
        code, body = get(self.app_address, path, seconds=30)
        if code != 200:
            raise RuntimeError(f"{self.name}: the application answered {code} to GET {path}")
        return body


class Cluster:
    """`with Cluster(...) as cluster:` writes the configuration, starts nothing yet, and ends
    every process at the end. `supervised`: each application is its sidecar's child."""

    def __init__(self, app_command, nodes=4, ports=None, directory=None, supervised=False):
        self.app_command = app_command
        self.supervised = supervised
        self.directory = Path(directory or tempfile.mkdtemp(prefix="zap-cluster-"))
        self.ports = ports or default_ports(nodes)
        self._init(nodes)
        self.nodes = [Node(self, number) for number in range(1, nodes + 1)]

    def _init(self, nodes):
        made = subprocess.run(
            [sidecar_binary(), "init", "--nodes", str(nodes), "--dir", str(self.directory),
             "--base-port", str(self.ports["client"]), "--peer-port", str(self.ports["peer"]),
             "--admin-port", str(self.ports["admin"]), "--app", f"{HOST}:{self.ports['app']}",
             "--state", "memory"],
            capture_output=True, text=True)
        if made.returncode != 0:
            raise RuntimeError(f"zap-sidecar init failed: {made.stderr}{made.stdout}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def edit_configs(self, old, new):
        """Replaces text in every node's YAML, which must contain it."""
        for node in self.nodes:
            text = node.config.read_text()
            if old not in text:
                raise RuntimeError(f"{node.config} does not contain {old!r}")
            node.config.write_text(text.replace(old, new))

    def start(self):
        for node in self.nodes:
            node.start()
        self.wait_ready()

    def wait_ready(self, nodes=None, seconds=60):
        for node in nodes or self.nodes:
            def ready_or_dead(node=node):
                if not node.sidecar.alive():
                    raise RuntimeError(f"{node.name} ended by itself:\n{node.log_text()[-2000:]}")
                return node.is_ready()
            wait_until(ready_or_dead, f"{node.name} is ready (see {node.log})", seconds)

    def leader(self, seconds=30):
        """The node that a ready node names as leader, waiting out a view change."""
        def named():
            for node in self.nodes:
                status = node.status()
                if status and status["leader"] and status["state"] == "normal":
                    leader = next(n for n in self.nodes if n.name == status["leader"])
                    if leader.sidecar.alive():
                        return leader
            return None
        return wait_until(named, "somebody names a leader that is up", seconds)

    def end(self):
        """kill -9 for everything that still runs."""
        for node in self.nodes:
            node.kill()
