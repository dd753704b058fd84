"""Numbers that tests running side by side must not share: ports and bridge numbers."""

import fcntl
import os
import socket

# Outside the range from which the kernel takes ports for outgoing connections, so that a broker that was
# killed finds its port free again.
FIRST_PORT, LAST_PORT = 21600, 21999
_DIRECTORY = "/tmp/argosy-test-numbers"


class Number:
    """A number from a range that is ours until release() or the end of the process."""

    def __init__(self, kind, first, last, is_free=lambda number: True):
        os.makedirs(_DIRECTORY, exist_ok=True)
        span = last - first + 1
        for offset in range(span):
            number = first + (os.getpid() * 7 + offset) % span
            handle = os.open(f"{_DIRECTORY}/{kind}-{number}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                continue
            if is_free(number):
                self.value, self._handle = number, handle
                return
            os.close(handle)
        raise RuntimeError(f"no {kind} is free in {first}..{last}")

    def release(self):
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
            return True
        except OSError:
            return False


def free_port():
    return Number("port", FIRST_PORT, LAST_PORT, port_is_free)
