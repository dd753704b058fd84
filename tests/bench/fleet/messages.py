"""Files of messages, as fleet_raw writes and reads them."""

import struct


def unpack(kept, stamped=False):
    """Yields (topic, payload) of each message, in bytes; with `stamped` the monotonic time of its arrival before it."""
    at = 0
    while at < len(kept):
        when = struct.unpack_from("=d", kept, at) if stamped else ()
        at += 8 * len(when)
        topic, payload = struct.unpack_from("=II", kept, at)
        at += 8 + topic + payload
        yield (*when, kept[at - topic - payload:at - payload], kept[at - payload:at])


def pack(messages):
    return b"".join(struct.pack("=II", len(topic), len(payload)) + topic + payload for topic, payload in messages)
