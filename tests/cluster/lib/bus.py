"""The bus as a test sees it: records every message, remembers what is retained, sends commands."""

import json
import secrets
import threading
import time

import paho.mqtt.client as mqtt

from wait import PATIENCE, TimedOut, wait_until


class Message:
    """A message as it was received; `topic` is below the root."""

    __slots__ = ("topic", "payload", "retained", "qos", "at", "injected")

    def __init__(self, topic, payload, retained, qos, injected):
        self.topic, self.payload, self.retained, self.qos, self.injected = topic, payload, retained, qos, injected
        self.at = time.monotonic()

    @property
    def json(self):
        """The payload as an object, which every message of ours is; None for anything else."""
        try:
            value = json.loads(self.payload) if self.payload else None
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


class Rejected(AssertionError):
    def __init__(self, reply):
        super().__init__(json.dumps(reply))
        self.reply = reply


class Bus:
    """`record`: a file that gets one JSON line for each message, but for those that the test itself injected."""

    def __init__(self, broker, root, record=None):
        self.root, self._broker = root, broker
        self._record = open(record, "a", encoding="utf-8") if record else None
        self._changed = threading.Condition()
        self._injected = set()
        self.messages, self.latest = [], {}
        self._client = self.client("recorder")
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect(broker.host, broker.port, keepalive=60)
        self._client.loop_start()
        assert self._subscribed.wait(20 * PATIENCE), "the recorder could not subscribe"

    def client(self, name, **options):
        """A further client of the broker, not connected yet."""
        client = mqtt.Client(f"{name}-{secrets.token_hex(4)}", **options)
        if self._broker.login:
            client.username_pw_set(*self._broker.login)
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(0)
        return client

    def _on_connect(self, client, *_):
        client.subscribe(f"{self.root}/#", 1)

    def _on_message(self, _client, _data, message):
        topic = message.topic[len(self.root) + 1:]
        with self._changed:
            injected = (topic, message.payload) in self._injected
            self.messages.append(Message(topic, message.payload, message.retain, message.qos, injected))
            if message.payload:
                self.latest[topic] = self.messages[-1]
            else:
                self.latest.pop(topic, None)
            if self._record and not injected:
                self._record.write(json.dumps({"topic": message.topic, "retain": bool(message.retain), "qos": message.qos,
                                               "payload": message.payload.decode("utf-8", "replace")}) + "\n")
            self._changed.notify_all()

    def leave(self):
        """Hears nothing any more: for measurements, in which a listener would be a load."""
        self._client.disconnect()
        self._client.loop_stop()

    def close(self):
        self.leave()
        if self._record:
            self._record.close()

    # ---- speaking -------------------------------------------------------------------------------

    def publish(self, topic, payload=b"", qos=1, retain=False, wait=True):
        """Publishes and waits until the broker has it. `payload`: bytes, text, or something for JSON."""
        if not isinstance(payload, (bytes, str)):
            payload = json.dumps(payload)
        wait_until("the broker is there", self._client.is_connected)
        sent = self._client.publish(f"{self.root}/{topic}", payload, qos, retain)
        if sent.rc == mqtt.MQTT_ERR_NO_CONN:  # paho keeps it and sends it with the next connection
            sent.rc = mqtt.MQTT_ERR_SUCCESS
        if wait:
            wait_until(f"the broker takes {topic}", sent.is_published, interval=0.001)

    def inject(self, topic, payload=b"", qos=1, retain=False, wait=True):
        """Publishes what no process of ours would: it is not judged against the schema."""
        if isinstance(payload, str):
            payload = payload.encode()
        elif not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        with self._changed:
            self._injected.add((topic, payload))
        self.publish(topic, payload, qos, retain, wait)

    def command(self, topic, body=None, timeout=20.0, token=None, valid=True):
        """Sends a command and returns its acceptance; raises Rejected with what the manager said. With `valid`
        false it is wrong on purpose and not judged against the schema."""
        token = token or secrets.token_hex(8)
        (self.publish if valid else self.inject)(topic, {**(body or {}), "token": token})
        answer = self.wait_for(
            lambda message: message.topic in (f"{topic}/accepted", f"{topic}/rejected")
            and (message.json or {}).get("token") == token, f"an answer to {topic}", timeout)
        if answer.topic.endswith("/rejected"):
            raise Rejected(answer.json)
        return answer.json

    # ---- listening ------------------------------------------------------------------------------

    def wait_for(self, predicate, what, timeout=20.0, since=0):
        """The first recorded message, from number `since` on, for which `predicate` holds."""
        deadline = time.monotonic() + timeout * PATIENCE
        position = since
        with self._changed:
            while True:
                while position < len(self.messages):
                    message = self.messages[position]
                    position += 1
                    if predicate(message):
                        return message
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimedOut(f"not within {timeout * PATIENCE:.0f} s: {what}")
                self._changed.wait(left)

    def position(self):
        with self._changed:
            return len(self.messages)

    def since(self, position):
        with self._changed:
            return self.messages[position:]

    def forget(self):
        """Forgets what is retained, as a broker does whose persistence was deleted."""
        with self._changed:
            self.latest.clear()

    def document(self, topic):
        """What is retained (or was last said) on a topic, decoded; None when there is nothing."""
        with self._changed:
            message = self.latest.get(topic)
        return message.json if message else None

    def documents(self, matches):
        """{topic: document} of all topics for which `matches(levels)` holds."""
        with self._changed:
            found = [(topic, message) for topic, message in self.latest.items() if matches(topic.split("/"))]
        return {topic: message.json for topic, message in found}
