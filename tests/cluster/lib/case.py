"""The base of every cluster test: a fresh cluster for each test method, judged as a whole at the end.

At the end of each test every process must end with status 0 and without a sanitizer's report, nothing of ours
may be left in the engine, and every message that was on the bus must be in the schema."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from broker import REPOSITORY
from cluster import Cluster, shared_docker

_VALIDATOR = REPOSITORY / "tests/contract/validate_bus.py"


class ClusterTest(unittest.TestCase):
    nodes = ("n1",)  # workers to start with
    worker_options = {}
    manager_options = ()
    shared = False  # one cluster for all methods of the class

    longMessage = True
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="argosy-test-", dir="/tmp"))
        cls.record = cls.directory / "bus.jsonl"
        cls._any_failed = False
        cls.cluster = None
        if cls.shared:
            try:
                cls._begin("cluster")
            except BaseException:
                cls._print_logs()
                cls._close()
                raise

    @classmethod
    def tearDownClass(cls):
        problems = cls._close() if cls.shared else []
        problems += cls._judge_messages()
        if problems or cls._any_failed:
            print(f"logs are kept in {cls.directory}", file=sys.stderr)
        else:
            shutil.rmtree(cls.directory)
        assert not problems, "\n".join(problems)

    def setUp(self):
        if not self.shared:
            try:
                type(self)._begin(self._testMethodName)
            except BaseException:
                self._print_logs()
                self._close()
                raise

    def tearDown(self):
        if not self.shared:
            problems = self._close()
            self.assertFalse(problems, "\n".join(problems))

    def run(self, result=None):
        before, began = len(result.failures) + len(result.errors), time.monotonic()
        super().run(result)
        print(f"    {time.monotonic() - began:.1f} s", file=sys.stderr)
        if len(result.failures) + len(result.errors) > before:
            type(self)._any_failed = True
            self._print_logs()

    @classmethod
    def _begin(cls, name):
        cls.last = cls.directory / name
        cls.cluster = cls.make(cls.last)
        cls.prepare(cls.cluster)

    @classmethod
    def make(cls, directory):
        """The broker and who listens to it; a test that needs another kind overrides it."""
        return Cluster(directory, shared_docker(), cls.record)

    @classmethod
    def prepare(cls, cluster):
        """Starts manager and workers; a test that needs another beginning overrides it."""
        cluster.add_manager(options=cls.manager_options)
        for name in cls.nodes:
            cluster.add_worker(name, **cls.worker_options)
        cluster.wait_ready()

    @classmethod
    def _close(cls):
        cluster, cls.cluster = cls.cluster, None
        return cluster.close() if cluster else []

    @classmethod
    def _print_logs(cls):
        for log in sorted(cls.last.rglob("*.log")):
            text = log.read_text(errors="replace")
            print(f"===== {log}\n{text[-6000:]}", file=sys.stderr)

    @classmethod
    def _judge_messages(cls):
        if not cls.record.exists():
            return []
        done = subprocess.run(["/usr/bin/python3", _VALIDATOR, cls.record], capture_output=True, text=True,
                              cwd=REPOSITORY, check=False)
        return [] if done.returncode == 0 else [f"messages that are not in the schema:\n{done.stdout}{done.stderr}"]


def main():
    os.environ.setdefault("ARGOSY_TEST_ENGINE", str(REPOSITORY / "build/debug/tests/engine"))
    unittest.main(verbosity=2)
