"""`argosy dev` with the real manager and worker: it comes up, runs a job, and leaves nothing behind."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

from fake import free_port, wait_until

ARGOSY, SOURCE = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))


class Dev(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="argosy-dev-")
        self.addCleanup(self.directory.cleanup)
        self.port = free_port()
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8", "DOCKER_HOST": "none",
                            "ARGOSY_BROKER": f"127.0.0.1:{self.port}"}

    def start(self, *words):
        process = subprocess.Popen([ARGOSY, "dev", "--data-dir", self.directory.name, "--port", str(self.port), *words],
                                   env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def up(self):
        process = self.start()
        self.assertIn("node dev is online", process.stdout.readline())
        return process

    def argosy(self, *words, stdin=None):
        return subprocess.run([ARGOSY, *words], input=stdin, capture_output=True, text=True, timeout=60,
                              env=self.environment)

    def ours(self):
        """Processes that name our directory or port."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if self.directory.name in line and not line.startswith(sys.executable):
                found.append((int(path.parent.name), line))
        return found

    def test_once_comes_up_and_stops_everything(self):
        process = self.start("--once")
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("Ctrl-C stops everything", out)
        self.assertEqual(self.ours(), [])

    def test_ctrl_c_stops_the_jobs_and_then_everything(self):
        process = self.up()
        nodes = json.loads(self.argosy("nodes", "--json").stdout)["nodes"]
        self.assertEqual([(node["id"], node["state"]) for node in nodes], [("dev", "online")])
        result = self.argosy("run", "-", stdin="name: hi\nruntime: process\n"
                             "command: [sh, -c, 'while :; do echo tick; sleep 1; done']\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        wait_until("its log has a line", lambda: "tick" in self.argosy("logs", "hi_hi_0").stdout)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(self.ours(), [])

    def test_jobs_are_still_known_at_the_next_start(self):
        process = self.up()
        self.argosy("run", "-d", "-", stdin="name: hi\nruntime: process\ncommand: [sleep, 1000]\n")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        again = self.up()
        self.assertEqual(json.loads(self.argosy("status", "hi", "--json").stdout)["status"]["state"], "stopped")
        again.send_signal(signal.SIGTERM)
        again.communicate(timeout=60)

    def test_a_second_one_in_the_same_place_is_refused(self):
        process = self.up()
        second = self.start()
        _, err = second.communicate(timeout=60)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another `argosy dev`", err)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    def test_a_child_that_ends_ends_all_and_is_named(self):
        process = self.up()
        worker = next(pid for pid, line in self.ours() if "argosy-worker" in line)
        os.kill(worker, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn("argosy-worker has ended", err)
        self.assertEqual(self.ours(), [])

    def test_killed_itself_it_takes_its_children_along(self):
        process = self.up()
        process.kill()
        process.communicate()
        wait_until("its children are gone", lambda: not self.ours())


if __name__ == "__main__":
    unittest.main()
