"""Malformed, oversized, deeply nested, duplicate-key and wrong-topic messages, also retained ones that were there
before anybody started: answered or reported, no state changed, no process down."""

import json
import random

from case import ClusterTest, main
from cluster import sleeper
from wait import wait_until

COUNT = 2000
KIB = 1024


def bad_payloads(chance):
    """Bodies that no process may accept, one after the other for ever."""
    good = json.dumps(sleeper())
    while True:
        yield b"\xff\xfe\x00\x01"
        yield good[:chance.randrange(1, len(good) - 1)].encode()
        yield (good + "}").encode()
        yield ("[" * 5000 + "]" * 5000).encode()
        yield ('{"image":' + '{"a":' * 200 + "1" + "}" * 200 + "}").encode()
        yield b'{"image":"a:1","image":"b:1"}'
        yield b'{"image":"a\\u0000b"}'
        yield b'{"image":"' + b"\xc3\x28" + b'"}'
        yield b'{"image":"a:1","count":1e400}'
        yield b'{"image":"a:1","count":9007199254740993}'
        yield b'{"image":"a:1","count":1.5}'
        yield b'{"image":"a:1","count":"2"}'
        yield b'{"image":"a:1","counts":2}'
        yield b'{"name":"other","image":"a:1"}'
        yield b"null"
        yield b"[]"
        yield b'"text"'
        yield b"12"
        yield b'{"image":"' + b"x" * (65 * KIB) + b'"}'
        yield bytes(chance.randrange(256) for _ in range(chance.randrange(1, 200)))


def bad_topics(node, chance):
    """(topic, may an answer be expected) for ever."""
    while True:
        yield "do/jobs/bad/set", True
        yield "do/jobs/bad/scale", True
        yield "do/jobs/bad/frobnicate", True
        yield "do/jobs/Bad Name/set", False
        yield f"do/jobs/{'x' * 60}/set", False
        yield f"do/nodes/{node}/eligibility", True
        yield "do/nodes/nobody/interval", True
        yield "do/strange/thing/set", False
        yield f"nodes/{node}/desired", False
        yield f"nodes/{node}/assign/web", False
        yield f"nodes/{node}/assign/ghost{chance.randrange(20)}", False
        yield f"nodes/{node}/state/web", False
        yield f"nodes/{node}/info", False
        yield f"nodes/{node}/status", False
        yield f"nodes/{node}/metrics", False
        yield f"nodes/ghost-{chance.randrange(20)}/status", False
        yield f"nodes/ghost-{chance.randrange(20)}/state/web", False
        yield "jobs/web/spec", False
        yield f"jobs/ghost{chance.randrange(20)}/spec", False
        yield "jobs/web/status", False
        yield f"ask/{node}/logs", False
        yield f"ask/{node}/inspect", False
        yield "manager/status", False
        yield "managers/ghost/status", False


class BadMessages(ClusterTest):
    def flood(self, count, retain, seed):
        chance = random.Random(seed)
        topics, payloads = bad_topics(self.node, chance), bad_payloads(chance)
        answers = 0
        for number in range(count):
            (topic, answered), payload = next(topics), next(payloads)
            retained = retain and not topic.startswith("ask/") and number % 2 == 0
            self.cluster.bus.inject(topic, payload, retain=retained, wait=number == count - 1)
            answers += answered and not retained
        return answers

    @property
    def node(self):
        return self.cluster.workers[0].node

    def check_alive(self):
        for process in self.cluster.processes():
            self.assertTrue(process.is_running(), f"{process.name} is down")
        self.cluster.set("after", sleeper(), timeout=60)
        self.cluster.wait_running("after", 1, timeout=60)

    def test_live_they_are_answered_or_reported_and_change_nothing(self):
        cluster = self.cluster
        cluster.set("web", sleeper(count=2))
        cluster.wait_running("web", 2)
        before, spec = cluster.footprint("web"), cluster.spec("web")
        position = cluster.bus.position()
        expected = self.flood(COUNT, False, 1)
        self.check_alive()
        said = [message for message in cluster.bus.since(position)]
        rejected = [message for message in said if message.topic.endswith("/rejected")]
        self.assertEqual(len(rejected), expected, "each bad command gets its answer")
        self.assertTrue(all(message.json.get("errors") or message.json["message"] for message in rejected))
        self.assertFalse([message for message in said if message.topic.startswith("do/") and message.topic.endswith("/accepted")
                          and "/after/" not in message.topic])
        self.assertTrue([message for message in said if "/events/" in message.topic], "nothing was reported")
        cluster.wait_running("web", 2)
        self.assertEqual(cluster.footprint("web"), before)
        wait_until("the specification is what it was", lambda: cluster.spec("web") == {**spec, "seq": cluster.spec("web")["seq"]})
        self.assertIsNone(cluster.spec("bad"))
        self.assertEqual({topic.split("/")[1] for topic in cluster.bus.documents(
            lambda level: level[0] == "jobs" and level[-1] == "spec" and len(level) == 3) if
            not topic.split("/")[1].startswith("ghost")}, {"web", "after"})


class BadMessagesBeforeTheStart(BadMessages):
    @classmethod
    def prepare(cls, cluster):
        cluster.add_manager(start=False)
        cluster.add_worker("n1", start=False)

    def test_live_they_are_answered_or_reported_and_change_nothing(self):
        """The other beginning: they are retained before anybody starts, commands too."""
        cluster, position = self.cluster, self.cluster.bus.position()
        self.flood(COUNT // 4, True, 2)
        cluster.bus.inject("do/jobs/ghost/set", sleeper(), retain=True)
        for process in cluster.processes():
            process.start()
        cluster.wait_ready()
        self.check_alive()
        self.assertIsNone(cluster.spec("ghost"), "a retained command was executed")
        reasons = {message.json["data"]["reason"] for message in cluster.bus.since(position) if "/events/" in message.topic
                   and message.json and not message.injected}
        self.assertLessEqual({"retained_command", "unreadable_document"}, reasons)
        self.assertEqual({one["Labels"]["io.argosy.job"] for one in cluster.containers()}, {"after"})


if __name__ == "__main__":
    main()
