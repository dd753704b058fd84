"""Podman behind its Docker-compatible API, with storage, configuration and networks of a test's own."""

import pathlib
import shutil
import subprocess

from engine import IMAGE, Docker
from process import Process
from wait import wait_until

# The limits that Podman raises by itself are not everybody's to raise (a test machine may be a container).
_CONFIGURATION = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
network_config_dir = "{directory}/networks"
default_subnet = "10.232.0.0/24"
"""


class Podman:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        configuration = self.directory / "containers.conf"
        configuration.write_text(_CONFIGURATION.format(directory=self.directory))
        self.storage = ["--root", str(self.directory / "storage"), "--runroot", str(self.directory / "run")]
        self.docker = Docker(self.directory / "podman.sock")
        self.process = Process("podman", ["env", f"CONTAINERS_CONF={configuration}", "podman", *self.storage, "system", "service",
                                          "--time", "0", f"unix://{self.docker.socket}"], self.directory / "podman.log")

    def start(self):
        self.process.start()
        wait_until(lambda: f"podman answers: {self.process.read_log()[-3000:]}", self.docker.answers, timeout=60)
        if not self.docker.has_image():
            self.docker.import_busybox()  # names it busybox:latest, whatever tag is asked for
            repository, tag = IMAGE.split(":")
            self.docker.call("POST", f"/images/{repository}/tag?repo=docker.io/library/{repository}&tag={tag}")
        return self

    def close(self):
        self.process.stop()
        subprocess.run(["umount", "-l", self.directory / "storage/overlay"], check=False, capture_output=True)
        shutil.rmtree(self.directory)
