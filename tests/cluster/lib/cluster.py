"""A cluster of a test: broker, manager, workers, the command line, and questions about what runs."""

import json
import os
import pathlib
import secrets
import subprocess
from collections import Counter

from broker import REPOSITORY, Broker
from bus import Bus
from engine import IMAGE, LABEL, Docker, EngineError
from process import Process
from wait import PATIENCE, wait_until

BINARIES = pathlib.Path(os.environ.get("ARGOSY_BIN", REPOSITORY / "build/debug/bin"))
INTERVAL_MS, GRACE_MS = 500, 1000


def shared_docker():
    socket = os.environ.get("ARGOSY_TEST_DOCKER") or pathlib.Path(os.environ["ARGOSY_TEST_ENGINE"], "socket").read_text()
    return Docker(socket)


class Manager(Process):
    def __init__(self, cluster, name="manager", options=()):
        self.store = cluster.directory / name
        self.id = f"{name}-{cluster.tag}"
        super().__init__(name, [BINARIES / "argosy-manager", "--broker", cluster.broker.address, "--root", cluster.root,
                                "--data-dir", self.store, "--grace", f"{GRACE_MS}ms", *options],
                         cluster.directory / f"{name}.log")

    def delete_store(self):
        assert not self.is_running()
        subprocess.run(["rm", "-rf", str(self.store)], check=True)


class Worker(Process):
    def __init__(self, cluster, name, datacenter="dc1", cpu="4", memory="1GiB", options=()):
        self.node = f"{name}-{cluster.tag}"
        self.store = cluster.directory / name
        super().__init__(name, [BINARIES / "argosy-worker", "--broker", cluster.broker.address, "--root", cluster.root,
                                "--node", self.node, "--data-dir", self.store, "--datacenter", datacenter,
                                "--interval", f"{INTERVAL_MS}ms", "--cpu", cpu, "--memory", memory,
                                "--engine", f"unix://{cluster.docker.socket}", *options],
                         cluster.directory / f"{name}.log")

    def delete_store(self):
        assert not self.is_running()
        subprocess.run(["rm", "-rf", str(self.store)], check=True)


class Result:
    """What a call of the command line gave."""

    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"status {self.status}\n{self.out}{self.err}"


class Cluster:
    def __init__(self, directory, docker, record=None, root=None, tag=None, **broker_options):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.docker = docker
        self.tag = tag or secrets.token_hex(3)  # in every node's id: tests share an engine
        self.root = root or f"test/{self.tag}"
        self.broker = Broker(self.directory / "broker", **broker_options).start()
        self.bus = Bus(self.broker, self.root, record)
        self.managers, self.workers = [], []

    # ---- processes ------------------------------------------------------------------------------

    def add_manager(self, name="manager", options=(), start=True):
        manager = Manager(self, name, options)
        self.managers.append(manager)
        return manager.start() if start else manager

    @property
    def manager(self):
        return self.managers[0]

    def add_worker(self, name, start=True, **options):
        worker = Worker(self, name, **options)
        self.workers.append(worker)
        return worker.start() if start else worker

    def worker(self, name):
        return next(worker for worker in self.workers if worker.name == name or worker.node == name)

    def processes(self):
        return [*self.managers, *self.workers]

    def start_manager(self):
        """Again, until it leads by its own words: what its former process said of that is still retained."""
        position = self.bus.position()
        self.manager.start()
        self.bus.wait_for(lambda message: message.topic == "manager/status" and (message.json or {}).get("state") == "leading",
                          "the manager leads", since=position)

    def wait_ready(self):
        """The manager leads and has heard of every worker."""
        wait_until("the manager leads", lambda: (self.bus.document("manager/status") or {})["state"] == "leading")
        for worker in self.workers:
            if worker.is_running():
                self.wait_online(worker)

    def wait_online(self, worker):
        wait_until(f"{worker.name} is online and the manager knows it", lambda:
                   self.bus.document(f"nodes/{worker.node}/status")["state"] == "online"
                   and self.bus.document(f"nodes/{worker.node}/desired"))

    def argosy(self, *arguments, timeout=60, stdin=None):
        command = [str(BINARIES / "argosy"), *map(str, arguments)]
        environment = {**os.environ, "NO_COLOR": "1", "ARGOSY_BROKER": self.broker.address, "ARGOSY_ROOT": self.root}
        return Result(subprocess.run(command, env=environment, capture_output=True, text=True, input=stdin,
                                     timeout=timeout * PATIENCE))

    # ---- jobs -----------------------------------------------------------------------------------

    def set(self, job, spec, **options):
        return self.bus.command(f"do/jobs/{job}/set", spec, **options)

    def do(self, job, verb, body=None, **options):
        return self.bus.command(f"do/jobs/{job}/{verb}", body, **options)

    def spec(self, job):
        return self.bus.document(f"jobs/{job}/spec")

    def status(self, job):
        document = self.bus.document(f"jobs/{job}/status")
        return document and {"pending": [], **document, "counts": counts_of(document)}

    def attempts(self, job=None):
        """What the workers say of their attempts: {attempt id: its report, with "node"}."""
        found = {}
        for topic, document in self.bus.documents(
                lambda level: level[0] == "nodes" and len(level) == 4 and level[2] == "state"
                and job in (None, level[3])).items():
            for attempt in (document or {}).get("attempts", []):
                found[attempt["id"]] = {"restarts": 0, "run": 0, "reason": "", **attempt, "node": topic.split("/")[1]}
        return found

    def attempts_in(self, state, job):
        return {name: attempt for name, attempt in self.attempts(job).items() if attempt["state"] == state}

    def describe_words(self, job):
        return json.dumps({"status": self.status(job), "attempts": self.attempts(job)}, indent=1)

    def describe(self, job):
        containers = [(one["Names"], one["Status"]) for one in self.containers(job, running=False)]
        return f"{self.describe_words(job)}\n{containers}"

    def wait_state(self, job, state, count=1, timeout=30.0):
        """Until exactly `count` attempts of the job are in `state`, by the workers' word."""
        def settled():
            found = self.attempts_in(state, job)
            return found if len(found) == count else None
        return wait_until(lambda: f"{count} of {job} {state}: {self.describe(job)}", settled, timeout) if count else \
            wait_until(lambda: f"none of {job} {state}: {self.describe(job)}",
                       lambda: not self.attempts_in(state, job), timeout)

    def wait_running(self, job, count, timeout=30.0):
        """Until `count` instances run, by the manager's word, the workers' and the engine's, each exactly once."""
        def settled():
            instances = sorted(instance_of(name) for name in self.attempts_in("running", job))
            running = sorted(instance_of(one["Labels"][LABEL + "task"]) for one in self.containers(job))
            told = (self.status(job) or {"counts": Counter()})["counts"]["running"]
            return instances == running and len(set(running)) == len(running) == count == told
        wait_until(lambda: f"{count} of {job} run: {self.describe(job)}", settled, timeout)

    def wait_job(self, job, state, timeout=30.0):
        """Until the manager says so of the job."""
        def settled():
            return self.status(job)["state"] == state
        wait_until(lambda: f"{job} is {state}: {self.describe(job)}", settled, timeout)
        return self.status(job)

    def topics_of(self, job):
        return self.bus.documents(lambda level: (level[0] == "jobs" and level[1] == job)
                                  or (level[0] == "nodes" and len(level) == 4 and level[3] == job))

    def wait_gone(self, job, timeout=30.0):
        """Until a deleted job has no container and tombstones at most, which are cleared some seconds later."""
        def gone():
            return not self.containers(job, running=False) and all(
                (document or {}).get("tombstone") for document in self.topics_of(job).values())
        wait_until(lambda: f"nothing of {job} is left: {self.describe(job)}", gone, timeout)

    def wait_cleared(self, job, timeout=40.0):
        """Until nothing at all is retained of a deleted job."""
        wait_until(lambda: f"no topic of {job} is left: {self.topics_of(job)}", lambda: not self.topics_of(job), timeout)

    # ---- containers -----------------------------------------------------------------------------

    def containers(self, job=None, running=True, node=None):
        """Containers of this cluster's nodes, by their labels."""
        nodes = {worker.node for worker in self.workers}
        return [one for one in self.docker.containers(LABEL + "node", not running)
                if one["Labels"][LABEL + "node"] in (nodes if node is None else {node})
                and job in (None, one["Labels"].get(LABEL + "job"))]

    def footprint(self, job=None):
        """{attempt: (container, when it started)} of all that runs: equal footprints = nothing was restarted."""
        return {one["Labels"][LABEL + "task"]: (one["Id"], self.docker.inspect(one["Id"])["State"]["StartedAt"])
                for one in self.containers(job)}

    def container_of(self, instance):
        """The running container of an instance such as web_web_0."""
        found = [one for one in self.containers() if instance_of(one["Labels"][LABEL + "task"]) == instance]
        assert len(found) == 1, f"{instance}: {found}"
        return found[0]["Id"]

    # ---- the end --------------------------------------------------------------------------------

    def close(self):
        """Ends everything and removes its containers. Returns what was wrong about it, as texts."""
        problems = []
        for process in [*self.workers, *self.managers]:
            problems += end(process)
        self.bus.close()
        self.broker.close()
        if self.docker.answers():
            for container in self.containers(running=False):
                self.docker.remove(container["Id"])
        return problems


def end(process):
    """Stops one process of ours; what was wrong with it."""
    problems = []
    was_running = process.is_running()
    if process.child is not None and not was_running and process.child.returncode not in (0, -9, -15):
        problems.append(f"{process.name} had ended with status {process.child.returncode}")
    try:
        status = process.stop()
        if was_running and status != 0:
            problems.append(f"{process.name} ended with status {status} after SIGTERM")
    except AssertionError as error:
        problems.append(str(error))
    report = process.sanitizer_report()
    if report:
        problems.append(f"{process.name}:\n{report}")
    return problems


def counts_of(status):
    """The counts of a job's status; what is 0 is left out on the bus."""
    return Counter(status.get("counts", {}))


def instance_of(attempt):
    """job_task_index of an attempt's id."""
    return attempt.rsplit("_", 1)[0]


def httpd(count=1, **more):
    """A service for tests: serves HTTP on port 8080 inside, ends at once when it is asked to."""
    return {"image": IMAGE, "pull": "never", "command": ["sh", "-c", "trap 'exit 0' TERM; httpd -f -p 8080 & wait"],
            "count": count, "resources": {"cpu": 0.1, "memory": "16MiB"}, "stop": {"timeout": "2s"}, **more}


def sleeper(count=1, **more):
    """A service that does nothing until it is stopped."""
    return {"image": IMAGE, "pull": "never", "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"],
            "count": count, "resources": {"cpu": 0.1, "memory": "16MiB"}, "stop": {"timeout": "2s"}, **more}


def batch(script, count=1, **more):
    """A batch job of one shell script that is not restarted when it fails."""
    return {"type": "batch", "image": IMAGE, "pull": "never", "command": ["sh", "-c", script], "count": count,
            "resources": {"cpu": 0.1, "memory": "16MiB"}, "restart": {"policy": "never"}, "reschedule": {"attempts": 0},
            **more}


__all__ = ["BINARIES", "Cluster", "EngineError", "Manager", "Result", "Worker", "batch", "counts_of", "httpd", "instance_of",
           "shared_docker", "sleeper", "GRACE_MS", "INTERVAL_MS"]
