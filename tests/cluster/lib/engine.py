"""Container engines of the tests: one dockerd shared by a run of the suite, or one of a test's own.

Each has its own sockets, directories and bridge, and leaves the machine's firewall alone (published ports
are served by docker's proxy process, which is enough on one machine)."""

import http.client
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tarfile
import urllib.parse

from process import Process
from shared_numbers import Number
from wait import wait_until

IMAGE = "busybox:argosy"
LABEL = "io.argosy."


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class EngineError(AssertionError):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class Docker:
    """The Engine API, as far as the tests need it."""

    def __init__(self, socket_path):
        self.socket = str(socket_path)

    def call(self, method, path, body=None, raw=None, text=False):
        """One call. The answer is decoded when it is JSON, unless `text` (a stream of JSON lines) is asked for."""
        connection = _UnixConnection(self.socket)
        try:
            headers = {}
            data = raw
            if body is not None:
                data, headers = json.dumps(body), {"Content-Type": "application/json"}
            connection.request(method, "/v1.41" + path, data, headers)
            response = connection.getresponse()
            answer = response.read().decode(errors="replace")
        finally:
            connection.close()
        if response.status >= 400:
            raise EngineError(response.status, answer)
        is_json = answer.startswith(("{", "[")) and "json" in response.headers.get("Content-Type", "")
        return json.loads(answer) if is_json and not text else answer

    def answers(self):
        try:
            return self.call("GET", "/_ping") == "OK"
        except (OSError, http.client.HTTPException, EngineError):
            return False

    def containers(self, label=None, everything=True):
        filters = urllib.parse.quote(json.dumps({"label": [label]} if label else {}))
        return self.call("GET", f"/containers/json?all={int(everything)}&filters={filters}")

    def inspect(self, container):
        return self.call("GET", f"/containers/{container}/json")

    def kill(self, container, signal="SIGKILL"):
        self.call("POST", f"/containers/{container}/kill?signal={signal}")

    def remove(self, container):
        try:
            self.call("DELETE", f"/containers/{container}?force=true&v=true")
        except EngineError as error:
            if error.status not in (404, 409):
                raise

    def create_and_start(self, name, body):
        container = self.call("POST", f"/containers/create?name={name}", body)["Id"]
        self.call("POST", f"/containers/{container}/start")
        return container

    def has_image(self, image=IMAGE):
        try:
            self.call("GET", f"/images/{image}/json")
            return True
        except EngineError:
            return False

    def import_busybox(self):
        """Makes the image of the tests: a static busybox under all its names, nothing else."""
        busybox = "/bin/busybox"
        names = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for directory in ("bin", "tmp", "etc", "www"):
                entry = tarfile.TarInfo(directory)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if directory == "tmp" else 0o755
                tar.addfile(entry)
            tar.add(busybox, "bin/busybox")
            for name in names:
                if name != "busybox":
                    entry = tarfile.TarInfo(f"bin/{name}")
                    entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                    tar.addfile(entry)
        repository, tag = IMAGE.split(":")
        self.call("POST", f"/images/create?fromSrc=-&repo={repository}&tag={tag}", raw=archive.getvalue())


class Engine:
    """A dockerd. Without `directory` content it starts fresh; start() after stop() or kill() goes on with the same."""

    def __init__(self, directory, live_restore=False, extra=()):
        self.directory = pathlib.Path(directory)  # short: it holds sockets, whose paths are at most 107 bytes
        self.directory.mkdir(parents=True, exist_ok=True)
        self.socket = self.directory / "docker.sock"
        self.docker = Docker(self.socket)
        self._number = Number("bridge", 1, 250, lambda number: not os.path.exists(f"/sys/class/net/agt{number}"))
        self.bridge = f"agt{self._number.value}"
        self.live_restore = live_restore
        arguments = ["dockerd", "--data-root", self.directory / "data", "--exec-root", self.directory / "exec",
                     "--pidfile", self.directory / "docker.pid", "-H", f"unix://{self.socket}",
                     "--bridge", self.bridge, "--iptables=false", "--ip6tables=false", "--ip-forward=false",
                     "--ip-masq=false", "--config-file", self.directory / "daemon.json"]
        if live_restore:
            arguments.append("--live-restore")
        self.process = Process("dockerd", [*arguments, *extra], self.directory / "dockerd.log")
        (self.directory / "daemon.json").write_text("{}")

    def start(self):
        if not os.path.exists(f"/sys/class/net/{self.bridge}"):
            subprocess.run(["ip", "link", "add", self.bridge, "type", "bridge"], check=True)
            subprocess.run(["ip", "address", "add", f"10.231.{self._number.value}.1/24", "dev", self.bridge], check=True)
            subprocess.run(["ip", "link", "set", self.bridge, "up"], check=True)
        self.process.start()
        wait_until(lambda: f"dockerd answers: {self.process.read_log()[-3000:]}", self.docker.answers, timeout=60)
        if not self.docker.has_image():
            self.docker.import_busybox()
        return self

    def kill(self):
        """Ends dockerd as a crash does. Its containerd goes with it, the containers and their shims stay. The pid files are
        removed, as an init that reaps late makes the next dockerd take a zombie for a containerd that is alive."""
        self.process.kill()
        for pid_file in ("docker.pid", "exec/containerd/containerd.pid"):
            (self.directory / pid_file).unlink(missing_ok=True)

    def stop(self):
        self.process.stop(timeout=60)

    def close(self):
        """Stops it with everything that it runs and removes its directories and bridge."""
        try:
            if not self.process.is_running():
                self.start()
            for container in self.docker.containers():
                self.docker.remove(container["Id"])
            self.stop()
        finally:
            self.process.kill()
            remove_directories(self.directory, self.bridge)
            self._number.release()


def remove_directories(directory, bridge):
    """What an ended dockerd may leave: shims, mounts below its directories, and the bridge."""
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"{directory}/".encode() in entry.read_bytes() and b"containerd" in entry.read_bytes():
                os.kill(int(entry.parent.name), signal.SIGKILL)
        except OSError:
            pass
    with open("/proc/self/mounts") as mounts:
        below = [line.split()[1] for line in mounts if line.split()[1].startswith(f"{directory}/")]
    for mount in reversed(below):
        subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
    subprocess.run(["ip", "link", "delete", bridge], check=False, capture_output=True)
    shutil.rmtree(directory, ignore_errors=True)
