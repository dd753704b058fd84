"""A broker of our own and a scripted manager and worker: they answer as the contract says, and do what a test tells
them to. Truth about real managers and workers is tests/cluster's business."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

ROOT = "argosy/v1"


def wait_until(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """`lines` of its configuration may name files in {directory}, which `prepare(directory)` makes."""

    def __init__(self, *lines, prepare=lambda _directory: None):
        self.port = free_port()
        self.directory = tempfile.TemporaryDirectory(prefix="argosy-cli-")
        os.chmod(self.directory.name, 0o755)  # started as root, mosquitto becomes another user
        prepare(self.directory.name)
        lines = [line.format(directory=self.directory.name) for line in lines]
        path = os.path.join(self.directory.name, "mosquitto.conf")
        with open(path, "w") as file:
            file.write("\n".join((f"listener {self.port} 127.0.0.1", "set_tcp_nodelay true",
                                  *(lines or ("allow_anonymous true",)), "")))
        program = "/usr/sbin/mosquitto" if os.path.exists("/usr/sbin/mosquitto") else "mosquitto"
        self.process = subprocess.Popen([program, "-c", path], stderr=subprocess.DEVNULL)
        wait_until("mosquitto listens", self.listens)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()


HEAD = {"cluster": "fakefakefakefake", "manager": "m1", "term": 1}


class Fake:
    """Manager m1 and worker n1 in one client. `script` maps a verb to a function (fake, job, command) that gives the
    reply's fields, or None for no answer."""

    def __init__(self, port, **script):
        self.script, self.seq, self.heard, self.asked, self.unsettled = script, 0, [], [], []
        self.client = mqtt.Client()
        self.client.on_message = self.on_message
        self.ready = threading.Event()
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.connect("127.0.0.1", port)
        self.client.subscribe([(f"{ROOT}/do/+/+/+", 1), (f"{ROOT}/ask/+/+", 1)])
        self.client.loop_start()
        assert self.ready.wait(10)
        self.retain("managers/m1/status", {"state": "online", "session": 1, "instance": "i"})
        self.retain("manager/status", {**self.head(), "state": "leading", "session": 1, "version": "0"})

    def turn_deaf(self):
        """Its documents stay; commands are not listened to any more."""
        done = threading.Event()
        self.client.on_unsubscribe = lambda *_: done.set()
        self.client.unsubscribe(f"{ROOT}/do/+/+/+")
        assert done.wait(10)

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()

    def head(self):
        self.seq += 1
        return {**HEAD, "seq": self.seq}

    def publish(self, topic, payload, **options):
        data = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
        info = self.client.publish(f"{ROOT}/{topic}", data, qos=1, **options)
        self.unsettled.append(info)
        return info

    def settle(self):
        """Returns when the broker has all that was published so far: what connects now finds it."""
        while self.unsettled:
            self.unsettled.pop(0).wait_for_publish(10)

    def retain(self, topic, payload):
        return self.publish(topic, payload, retain=True)

    def job(self, job, version=1, **fields):
        spec = {"name": job, "type": "service", "tasks": [{"name": job, "image": "x"}], **fields.pop("spec", {})}
        self.retain(f"jobs/{job}/spec", {**self.head(), "version": version, "submitted_ms": 1, "spec": spec, **fields})

    def status(self, job, state, version=1, type="service", wanted=1, counts=None, **fields):
        self.retain(f"jobs/{job}/status", {**self.head(), "version": version, "type": type, "state": state,
                                           "wanted": wanted, "counts": counts or {}, "changed_ms": 1, **fields})

    def node(self, state="online"):
        self.retain("nodes/n1/status", {"state": state, "session": 1, "instance": "w"})
        self.retain("nodes/n1/info", {"cluster": HEAD["cluster"], "term": 1, "seq": 1, "datacenter": "graz",
                                      "address": "192.0.2.7", "runtimes": ["docker"], "labels": {"rack": "r1"},
                                      "capacity": {"cpu_millis": 2000, "memory_bytes": 1 << 30, "disk_bytes": 1 << 33}})
        self.retain("nodes/n1/desired", {**self.head(), "eligible": True, "assignments": {}})

    def attempt(self, job, attempt, state, run=1, **fields):
        self.retain(f"nodes/n1/assign/{job}",
                    {**self.head(), "revision": 1, "version": 1,
                     "spec": {"name": job, "tasks": [{"name": job, "image": "x"}]},
                     "attempts": [{"id": attempt, "version": 1, "desired": "run"}]})
        self.retain(f"nodes/n1/state/{job}",
                    {"cluster": HEAD["cluster"], "term": 1, "seq": self.seq, "revision": 1,
                     "attempts": [{"id": attempt, "version": 1, "state": state, "run": run, "restarts": run - 1,
                                   "seq": 1, "changed_ms": 1, **fields}]})

    def on_message(self, _client, _data, message):
        kind, *rest = message.topic[len(ROOT) + 1:].split("/")
        command = json.loads(message.payload or b"{}")
        if kind == "ask":
            self.asked.append((rest[1], command))
            act = self.script.get(rest[1])
            if act:
                act(self, rest[0], command)
            return
        _, name, verb = rest
        self.heard.append((name, verb, command))
        act = self.script.get(verb)
        result = act(self, name, command) if act else {"version": 1}
        if result is None:
            return
        rejected = "errors" in result or result.get("result") == "rejected"
        reply = {"token": command["token"], "result": "rejected" if rejected else "accepted",
                 "code": "invalid_job" if rejected else "accepted", "message": "no" if rejected else "ok", **result}
        self.client.publish(command["reply_to"], json.dumps(reply), qos=1)
