"""./quickstart as a person starts it: once without a terminal, and once on one, until Ctrl-C."""

import os
import pathlib
import pty
import re
import select
import shlex
import signal
import subprocess
import time
import unittest

from broker import REPOSITORY
from wait import PATIENCE, wait_until


def traces():
    """What a quickstart might leave: directories, bridges, processes."""
    programs = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"argosy-quickstart." in entry.read_bytes():
                programs.append(entry.parent.name)
        except OSError:
            pass
    return {*pathlib.Path("/tmp").glob("argosy-quickstart.*"), *programs,
            *(path for path in pathlib.Path("/sys/class/net").glob("argosy[0-9]*"))}


class TheQuickstart(unittest.TestCase):
    def setUp(self):
        self.before = traces()

    def assert_nothing_is_left(self):
        self.assertEqual(traces() - self.before, set())

    def test_without_a_terminal_it_runs_the_job_shows_it_and_ends(self):
        done = subprocess.run([REPOSITORY / "quickstart"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=900 * PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for text in ("graz-1", "graz-2", "linz-1", "hello", "mosquitto_pub", "curl http://127.0.0.1:"):
            self.assertIn(text, done.stdout)
        self.assert_nothing_is_left()

    def test_on_a_terminal_it_stays_and_its_lines_can_be_pasted_and_ctrl_c_ends_it(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(REPOSITORY / "quickstart", ["quickstart"])
        seen = ""

        def read_until(text, seconds):
            nonlocal seen
            deadline = time.monotonic() + seconds * PATIENCE
            while text not in seen:
                self.assertLess(time.monotonic(), deadline, f"{text!r} was not printed:\n{seen}")
                if select.select([terminal], [], [], 1)[0]:
                    try:
                        seen += os.read(terminal, 65536).decode(errors="replace").replace("\r\n", "\n")
                    except OSError:  # the other end was closed
                        self.assertIn(text, seen)
        try:
            read_until("until Ctrl-C", 900)
            line = re.search(r"^mosquitto_pub .*/do/jobs/web/set .*$", seen, re.M).group(0)
            subprocess.run(shlex.split(line), check=True, timeout=60)
            address = re.search(r"ARGOSY_BROKER=(\S+)", seen).group(1)
            status = [REPOSITORY / "build/release/bin/argosy", "status", "web"]
            wait_until("the pasted job runs", lambda: "running" in subprocess.run(
                status, env={**os.environ, "ARGOSY_BROKER": address}, capture_output=True, text=True, check=False).stdout)
            os.write(terminal, b"\x03")
            wait_until("it ends", lambda: self.ended(pid, terminal), timeout=60)
        finally:
            if self.status is None:
                os.kill(pid, signal.SIGTERM)
                os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(self.status), 0)
        self.assert_nothing_is_left()

    status = None

    def ended(self, pid, terminal):
        if select.select([terminal], [], [], 0)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                pass
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            self.status = status
        return bool(found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
