"""A Mosquitto of a test, with the configuration that we ship."""

import os
import pathlib
import pwd
import shutil
import socket

from process import Process
from shared_numbers import free_port
from wait import wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
_PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:" + os.environ["PATH"]) or "mosquitto"


class Broker:
    """`extra`: further lines of its configuration; `login`: (user, password) of the test itself."""

    def __init__(self, directory, extra=("allow_anonymous true",), login=None):
        self.login = login
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._number = free_port()
        self.host, self.port = "127.0.0.1", self._number.value
        self.database = self.directory / "mosquitto.db"
        self.configuration = self.directory / "mosquitto.conf"
        self.configuration.write_text("\n".join((
            f"include_dir {REPOSITORY}/broker-config/conf.d",
            f"listener {self.port} {self.host}",
            f"user {pwd.getpwuid(os.getuid()).pw_name}",
            f"persistence_location {self.directory}/",
            "log_dest stderr",
            *extra)) + "\n")
        self.process = Process("mosquitto", [_PROGRAM, "-c", self.configuration], self.directory / "mosquitto.log")

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def start(self):
        self.process.start()
        wait_until(lambda: f"mosquitto listens: {self.process.read_log()}", self.answers)
        return self

    def answers(self):
        try:
            socket.create_connection((self.host, self.port), 1).close()
            return True
        except OSError:
            return False

    def kill(self):
        self.process.kill()

    def delete_persistence(self):
        assert not self.process.is_running()
        self.database.unlink(missing_ok=True)

    def stop(self):
        self.process.stop()

    def close(self):
        self.process.kill()
        self._number.release()
