"""broker-config/ with a real Mosquitto: it loads, and the ACL allows what it says and nothing else."""

import pathlib
import secrets
import subprocess
import tempfile
import threading
import unittest

import paho.mqtt.client as mqtt

from broker import REPOSITORY, Broker
from case import ClusterTest, main
from cluster import BINARIES, Cluster, shared_docker, sleeper
from process import Process
from shared_numbers import free_port
from wait import PATIENCE, wait_until

CONFIG = REPOSITORY / "broker-config"
DENIED = 0x87


def make_passwords(directory, *users):
    passwords = directory / "passwords"
    passwords.touch()
    for user in users:
        subprocess.run(["mosquitto_passwd", "-b", passwords, user, "secret"], check=True, capture_output=True)
    return passwords


def under_the_acl(passwords):
    return ["allow_anonymous false", f"password_file {passwords}", f"acl_file {CONFIG}/acl"]


class Client:
    """An MQTT 5 client with a user name, which sees the reason codes of the broker."""

    def __init__(self, port, user, **tls):
        self.reasons, self.heard, self.session, self._event = {}, [], None, threading.Event()
        self.client = mqtt.Client(f"test-{user}", protocol=mqtt.MQTTv5)
        self.client.username_pw_set(user, "secret")
        if tls:
            self.client.tls_set(**tls)
        self.client.on_connect = lambda _c, _d, _f, reason, _p: self._connected(reason)
        self.client.on_message = lambda _c, _d, message: self.heard.append(message.topic)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._event.wait(10 * PATIENCE)

    def _connected(self, reason):
        self.session = reason
        self._event.set()

    def may_publish(self, topic):
        """Publishes, and says whether the broker took it: a denial is reason 0x87 in the acknowledgement."""
        done, result = threading.Event(), []
        # paho 1.6 hides the reason of a PUBACK, so the packet is looked at
        original = self.client._handle_pubackcomp
        def look(command):
            packet = self.client._in_packet["packet"]
            result.append(packet[2] if len(packet) > 2 else 0)
            done.set()
            return original(command)
        self.client._handle_pubackcomp = look
        self.client.publish(topic, b"x", 1)
        assert done.wait(10 * PATIENCE)
        self.client._handle_pubackcomp = original
        return result[0] != DENIED

    def subscribe(self, topic):
        done = threading.Event()
        self.client.on_subscribe = lambda *_: done.set()
        self.client.subscribe(topic, 1)
        assert done.wait(10 * PATIENCE)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class TheAcl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="argosy-test-")
        directory = pathlib.Path(cls.temporary.name)
        passwords = make_passwords(directory, "argosy-manager", "operator", "viewer", "edge-01", "edge-02")
        cls.broker = Broker(directory / "broker", under_the_acl(passwords)).start()
        cls.clients = {}

    @classmethod
    def tearDownClass(cls):
        for client in cls.clients.values():
            client.close()
        cls.broker.close()
        cls.temporary.cleanup()

    def user(self, name):
        if name not in self.clients:
            self.clients[name] = Client(self.broker.port, name)
        return self.clients[name]

    def assert_publishes(self, user, allowed, topics):
        for topic in topics:
            with self.subTest(user=user, topic=topic):
                self.assertEqual(self.user(user).may_publish(f"argosy/v1/{topic}"), allowed)

    def test_a_worker_writes_below_its_own_node(self):
        self.assert_publishes("edge-01", True, [f"nodes/edge-01/{rest}" for rest in (
            "status", "info", "metrics", "barrier", "state/web", "answers/abc", "events/stale_term",
            "logs/web_web_0_aaaaaaaa/stdout", "tasks/web_web_0_aaaaaaaa/metrics")])

    def test_a_worker_does_not_decide(self):
        self.assert_publishes("edge-01", False, ["nodes/edge-01/desired", "nodes/edge-01/assign/web", "manager/status",
                                                 "jobs/web/spec", "do/jobs/web/set", "ask/edge-02/logs"])

    def test_a_worker_does_not_speak_for_another(self):
        self.assert_publishes("edge-01", False, ["nodes/edge-02/status", "nodes/edge-02/state/web", "nodes/edge-02/metrics"])

    def test_a_person_commands_and_asks_but_does_not_write_documents(self):
        self.assert_publishes("operator", True, ["do/jobs/web/set", "do/nodes/edge-01/drain", "ask/edge-01/logs"])
        self.assert_publishes("operator", False, ["jobs/web/spec", "nodes/edge-01/assign/web", "do/jobs/web/set/accepted"])

    def test_a_viewer_says_nothing(self):
        self.assert_publishes("viewer", False, ["do/jobs/web/set", "ask/edge-01/logs", "jobs/web/spec"])

    def test_the_manager_writes_everything_below_the_root(self):
        self.assert_publishes("argosy-manager", True, ["jobs/web/spec", "nodes/edge-01/assign/web", "do/jobs/web/set/accepted",
                                                       "manager/status", "replies/me"])
        self.assertFalse(self.user("argosy-manager").may_publish("elsewhere/x"))

    def test_a_worker_reads_only_what_concerns_it(self):
        worker, manager = self.user("edge-02"), self.user("argosy-manager")
        worker.subscribe("argosy/v1/#")
        allowed = ["nodes/edge-02/desired", "nodes/edge-02/assign/web", "ask/edge-02/logs", "manager/status"]
        for topic in ["jobs/secret/spec", "nodes/edge-01/assign/web", "ask/edge-01/logs", "do/jobs/web/set", *allowed]:
            self.assertTrue(manager.may_publish(f"argosy/v1/{topic}"))
        wait_until("the worker hears what it may", lambda: len(worker.heard) >= len(allowed))
        self.assertEqual(sorted(worker.heard), sorted(f"argosy/v1/{topic}" for topic in allowed))

    def test_nobody_enters_without_a_password(self):
        stranger = mqtt.Client("stranger", protocol=mqtt.MQTTv5)
        refused = threading.Event()
        stranger.on_connect = lambda _c, _d, _f, reason, _p: refused.set() if reason != 0 else None
        stranger.connect("127.0.0.1", self.broker.port)
        stranger.loop_start()
        self.assertTrue(refused.wait(10 * PATIENCE))
        stranger.loop_stop()


class AClusterUnderTheAcl(ClusterTest):
    """Manager and worker need no more than the ACL gives them."""

    @classmethod
    def make(cls, directory):
        directory.mkdir(parents=True)
        tag = secrets.token_hex(3)
        passwords = make_passwords(directory, "argosy-manager", "operator", f"n1-{tag}")
        return Cluster(directory, shared_docker(), cls.record, root="argosy/v1", tag=tag, login=("operator", "secret"),
                       extra=under_the_acl(passwords))

    @classmethod
    def prepare(cls, cluster):
        cluster.add_manager(options=("--username", "argosy-manager", "--password", "secret"))
        password = cluster.directory / "password"
        password.write_text("secret\n")
        cluster.add_worker("n1", options=("--username", f"n1-{cluster.tag}", "--password-file", password))
        cluster.wait_ready()

    def test_a_job_runs_is_looked_at_and_is_deleted(self):
        cluster = self.cluster
        cluster.set("web", sleeper(count=2))
        cluster.wait_running("web", 2)
        node = cluster.workers[0].node
        cluster.bus.publish(f"ask/{node}/inspect", {"token": "q1", "task": "web_web_0"})
        cluster.bus.wait_for(lambda message: message.topic == f"nodes/{node}/answers/q1", "the worker's answer")
        cluster.do("web", "delete")
        cluster.wait_gone("web")


def certificate(directory, name, *, authority=None, extra=""):
    """Makes NAME.key and NAME.crt, signed by `authority` or by itself."""
    key, request, crt = (directory / f"{name}.{end}" for end in ("key", "csr", "crt"))
    run = lambda *arguments: subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=directory)
    if authority is None:
        run("req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", crt)
        return
    run("req", "-newkey", "ed25519", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    (directory / f"{name}.ext").write_text(extra)
    run("x509", "-req", "-in", request, "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "2",
        "-extfile", f"{name}.ext", "-out", crt)


class TheTlsExample(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="argosy-test-")
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        certificate(self.directory, "ca")
        certificate(self.directory, "broker", authority="ca", extra="subjectAltName=IP:127.0.0.1")
        certificate(self.directory, "edge-01", authority="ca")
        self.broker = Broker(self.directory / "broker-data", self.shipped())
        self.addCleanup(self.broker.close)

    def shipped(self):
        """tls.conf with its paths replaced and without the revocation list."""
        text = (CONFIG / "tls.conf").read_text().replace("/etc/mosquitto/argosy/acl", str(CONFIG / "acl"))
        return [line for line in text.replace("/etc/mosquitto/argosy", str(self.directory)).splitlines()
                if not line.startswith("crlfile")]

    def start(self):
        """The broker, on other ports: that of workers, and that of people and the manager."""
        configuration, ports = self.broker.configuration, []
        for listener in ("listener 8883", "listener 8884"):
            number = free_port()
            self.addCleanup(number.release)
            self.assertIn(listener, configuration.read_text())
            configuration.write_text(configuration.read_text().replace(listener, f"listener {number.value} 127.0.0.1"))
            ports.append(number.value)
        self.broker.start()
        return ports

    def test_a_certificate_is_an_identity(self):
        port, _ = self.start()
        worker = Client(port, "whatever", ca_certs=str(self.directory / "ca.crt"),
                        certfile=str(self.directory / "edge-01.crt"), keyfile=str(self.directory / "edge-01.key"))
        self.addCleanup(worker.close)
        self.assertTrue(worker.may_publish("argosy/v1/nodes/edge-01/status"))
        self.assertFalse(worker.may_publish("argosy/v1/nodes/whatever/status"))

    def test_a_manager_has_two_connections_with_one_certificate(self):
        _, port = self.start()
        certificate(self.directory, "argosy-manager", authority="ca")
        manager = Process("manager", [BINARIES / "argosy-manager", "--broker", f"ssl://127.0.0.1:{port}",
                                      "--data-dir", self.directory / "manager", "--ca-file", self.directory / "ca.crt",
                                      "--certificate", self.directory / "argosy-manager.crt",
                                      "--key", self.directory / "argosy-manager.key"], self.directory / "manager.log").start()
        self.addCleanup(manager.kill)
        manager.wait_for_log("leading")
        self.assertEqual(manager.stop(), 0)
        self.assertNotIn("lost", manager.read_log())


class TheLimits(unittest.TestCase):
    """The defaults would deliver 1000 of the 1500 and 1020 of the 5000, while every publisher saw success."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="argosy-test-")
        self.addCleanup(temporary.cleanup)
        self.broker = Broker(pathlib.Path(temporary.name) / "broker").start()
        self.addCleanup(self.broker.close)

    def connect(self, name, clean, heard=None):
        client = mqtt.Client(name, clean_session=clean)
        client.on_message = lambda _c, _d, message: heard.append(message.topic)
        client.max_inflight_messages_set(1000)
        client.connect(self.broker.host, self.broker.port)
        client.loop_start()
        self.addCleanup(client.loop_stop)
        wait_until("it is connected", client.is_connected)
        return client

    def publish(self, count, retain):
        publisher = self.connect("publisher", True)
        sent = [publisher.publish(f"x/{number}", b"1", 1, retain) for number in range(count)]
        wait_until("all are acknowledged", lambda: all(one.is_published() for one in sent))

    def subscribe(self, name, clean):
        heard, granted = [], threading.Event()
        client = self.connect(name, clean, heard)
        client.on_subscribe = lambda *_: granted.set()
        client.subscribe("x/+", 1)
        self.assertTrue(granted.wait(10 * PATIENCE))
        return client, heard

    def test_an_absent_session_gets_more_than_a_thousand_messages(self):
        absent, _ = self.subscribe("absent", False)
        absent.disconnect()
        absent.loop_stop()
        self.publish(1500, False)
        _, heard = self.subscribe("absent", False)
        wait_until(lambda: f"all have come: {len(heard)}", lambda: len(set(heard)) == 1500)

    def test_a_fresh_subscriber_gets_five_thousand_retained_messages(self):
        self.publish(5000, True)
        _, heard = self.subscribe("fresh", True)
        wait_until(lambda: f"all have come: {len(heard)}", lambda: len(set(heard)) == 5000)


class TheReadme(unittest.TestCase):
    def test_it_explains_every_setting_of_argosy_conf(self):
        settings = [line.strip() for line in (CONFIG / "conf.d/argosy.conf").read_text().splitlines()
                    if line.strip() and not line.startswith("#")]
        readme = (CONFIG / "README.md").read_text()
        self.assertGreater(len(settings), 6)
        for setting in settings:
            self.assertIn(f"`{setting}`", readme)


if __name__ == "__main__":
    main()
