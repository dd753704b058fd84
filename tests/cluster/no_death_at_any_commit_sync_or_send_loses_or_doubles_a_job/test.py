"""The countdown on real processes: manager or worker is killed before its n-th write or sync of a file, or its n-th send, for
every n along a short main job, and started again. Four clusters side by side, one for each of (who, what).

Tasks are real processes, which outlive their worker: each instance writes a line when it starts, and holds a lock while it runs.
ARGOSY_TEST_STRIDE=1 does every n, some 380; without it one in four, others each time."""

import mmap
import os
import pathlib
import random
import secrets
import struct
import threading
import time

from bus import Rejected
from case import ClusterTest, main
from cluster import BINARIES, Cluster, instance_of, shared_docker
from wait import wait_until

LIBRARY = BINARIES.parent / "tests/cluster/countdown.so"
STRIDE = int(os.environ.get("ARGOSY_TEST_STRIDE", "4"))
FILE, SEND = 0, 1
RESOURCES = {"cpu": 0.01, "memory": "4MiB"}


class Countdown:
    """The counters that countdown.c shares with us."""

    def __init__(self, process, path):
        path.write_bytes(bytes(32))
        with open(path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 32)
        process.environment = {"LD_PRELOAD": str(LIBRARY), "ARGOSY_COUNTDOWN": str(path),
                               "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:verify_asan_link_order=0"}

    def done(self, kind):
        return struct.unpack_from("q", self._memory, 8 * kind)[0]

    def lay(self, kind, n):
        """The process dies at the n-th from now on; 0: it does not."""
        struct.pack_into("q", self._memory, 16 + 8 * kind, n)


class Victim:
    """One of a cluster, killed at the n-th operation of a kind, for every n along the main job."""

    def __init__(self, directory, name, kind):
        self.directory, self.kind, self.name = pathlib.Path(directory), kind, name
        self.cluster = Cluster(directory, shared_docker(), pathlib.Path(directory).with_suffix(".jsonl"))
        self.runs = self.directory / "runs"
        self.runs.mkdir()
        manager = self.cluster.add_manager(start=False)
        worker = self.cluster.add_worker("n1", start=False, options=("--runtimes", "process"))
        self.process = manager if name == "manager" else worker
        self.countdown = Countdown(self.process, self.directory / "countdown")
        manager.start()
        worker.start()
        self.cluster.wait_ready()
        self.deaths = self.cycles = 0

    # ---- what is waited for, while the victim may die ----

    def revive(self):
        if not self.process.is_running():
            assert self.process.child.returncode == -9, f"{self.name} ended with {self.process.child.returncode}"
            self.deaths += 1
            self.process.start()

    def wait(self, what, condition, timeout=60):
        def living():
            self.revive()
            return condition()
        return wait_until(what, living, timeout, interval=0.01)

    def command(self, topic, body):
        """Sent again with the same token until it is answered."""
        token, bus = secrets.token_hex(8), self.cluster.bus
        position, sent = bus.position(), 0

        def answer():
            nonlocal sent
            if time.monotonic() - sent > 2:
                bus.publish(topic, {**body, "token": token}, wait=False)
                sent = time.monotonic()
            return next((one for one in bus.since(position) if one.topic.startswith(f"{topic}/")
                         and (one.json or {}).get("token") == token), None)
        found = self.wait(f"an answer to {topic}", answer)
        if found.topic.endswith("/rejected"):
            raise Rejected(found.json)
        return found.json

    # ---- the main job ----

    def script(self, job, rest):
        log = self.runs / job
        return ["sh", "-c", f"exec 9>{log}.$ARGOSY_INDEX.lock; flock -n 9 || echo twice >>{log}; "
                            f"echo $ARGOSY_INDEX >>{log}; {rest}"]

    def lines(self, job):
        path = self.runs / job
        return sorted(path.read_text().split()) if path.exists() else []

    def running(self, job, count):
        cluster = self.cluster
        return lambda: (sorted(map(instance_of, cluster.attempts_in("running", job))) ==
                        [f"{job}_{job}_{index}" for index in range(count)]
                        and cluster.status(job)["counts"]["running"] == count
                        and len(self.lines(job)) >= count)

    def main_job(self, number):
        service, batch, cluster = f"s{number}", f"b{number}", self.cluster
        common = {"runtime": "process", "resources": RESOURCES, "stop": {"timeout": "2s"}}
        accepted = self.command(f"do/jobs/{service}/set", {**common, "command": self.script(service, "exec sleep 1000")})
        assert accepted["version"] == 1, accepted
        self.wait(lambda: f"{service} runs: {cluster.describe_words(service)}", self.running(service, 1))
        self.command(f"do/jobs/{batch}/set", {**common, "type": "batch", "command": self.script(batch, "exit 0")})
        self.wait(lambda: f"{batch} completes: {cluster.describe_words(batch)}",
                  lambda: cluster.status(batch)["state"] == "completed")
        self.command(f"do/jobs/{service}/scale", {"count": 2})
        self.wait(lambda: f"{service} runs twice: {cluster.describe_words(service)}", self.running(service, 2))
        assert cluster.spec(batch)["version"] == 1, cluster.spec(batch)
        self.command(f"do/jobs/{service}/stop", {})
        self.wait(lambda: f"{service} is stopped: {cluster.describe_words(service)}",
                  lambda: cluster.status(service)["state"] == "stopped" and not cluster.attempts_in("running", service))
        for job in (service, batch):
            self.command(f"do/jobs/{job}/delete", {})
            self.wait(lambda: f"{job} is gone: {cluster.topics_of(job)}", lambda job=job: all(
                (document or {}).get("tombstone") or not (document or {}).get("attempts", True)
                for document in cluster.topics_of(job).values()))
        assert self.lines(service) == ["0", "1"], f"{service} ran {self.lines(service)}"
        assert self.lines(batch) == ["0"], f"{batch} ran {self.lines(batch)}"

    def every_n(self):
        """Until a main job ends before the n-th operation."""
        n = 1 + random.randrange(STRIDE)
        while True:
            deaths = self.deaths
            self.countdown.lay(self.kind, n)
            try:
                self.main_job(n)
            except AssertionError as error:
                raise AssertionError(f"{self.name} killed at its {n}th {('write or sync', 'send')[self.kind]}: {error}") from error
            self.cycles += 1
            self.countdown.lay(self.kind, 0)
            self.revive()
            if self.deaths == deaths:
                self.last = n
                return
            n += STRIDE


class Test(ClusterTest):
    nodes = ()

    @classmethod
    def _begin(cls, name):
        cls.last = cls.directory / name
        cls.victims = [Victim(cls.last / f"{process}-{what}", process, kind)
                       for process in ("manager", "worker") for kind, what in enumerate(("file", "send"))]

    @classmethod
    def _close(cls):
        problems = [problem for victim in cls.victims for problem in victim.cluster.close()]
        with open(cls.record, "a") as record:
            for victim in cls.victims:
                record.write(victim.directory.with_suffix(".jsonl").read_text())
        return problems

    def test_whatever_was_accepted_is_done_once(self):
        failures = []

        def run(victim):
            try:
                victim.every_n()
            except BaseException as error:  # of a thread: told below
                failures.append(f"{error}")
        threads = [threading.Thread(target=run, args=(victim,)) for victim in self.victims]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        for victim in self.victims:
            print(f"    {victim.directory.name}: {victim.deaths} deaths, the last n was {victim.last}")
            self.assertGreater(victim.deaths, 3, "it did not die often enough for the test to mean much")


if __name__ == "__main__":
    main()
