"""A process of a test: its log is kept, and it is ended by its pid only."""

import os
import re
import signal
import subprocess

from wait import PATIENCE, wait_until

# What a sanitizer prints when it has found something.
_SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer|LeakSanitizer has encountered")


def _environment():
    environment = dict(os.environ)
    environment.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=99")
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    environment["NO_COLOR"] = "1"
    return environment


class Process:
    """One program under test. start(), kill(), stop() may follow each other as often as wanted."""

    def __init__(self, name, arguments, log):
        self.name, self.arguments, self.log = name, [str(argument) for argument in arguments], str(log)
        self.child = None
        self.paused = False
        self.environment = {}  # beyond ours

    @property
    def pid(self):
        return self.child.pid

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def start(self):
        assert not self.is_running(), f"{self.name} runs already"
        with open(self.log, "ab") as log:
            log.write(f"--- {' '.join(self.arguments)}\n".encode())
            log.flush()
            self.child = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env={**_environment(), **self.environment}, start_new_session=True)
        return self

    def kill(self):
        """As if the power went: SIGKILL, nothing is said."""
        if self.is_running():
            self.child.kill()
            self.child.wait()
        return self

    def stop(self, timeout=20.0):
        """Asks it to end, and returns its exit status."""
        if not self.is_running():
            return self.child.returncode if self.child else None
        self.resume()
        self.child.terminate()
        try:
            return self.child.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout} s of SIGTERM") from None

    def pause(self):
        os.kill(self.pid, signal.SIGSTOP)
        self.paused = True

    def resume(self):
        if self.paused and self.is_running():
            os.kill(self.pid, signal.SIGCONT)
        self.paused = False

    def wait_for_exit(self, timeout=20.0):
        return self.child.wait(timeout * PATIENCE)

    def read_log(self):
        try:
            with open(self.log, errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def wait_for_log(self, text, timeout=20.0):
        wait_until(f"{self.name} says {text!r}", lambda: text in self.read_log(), timeout)

    def sanitizer_report(self):
        """The first lines of a sanitizer's report in the log, or None."""
        log = self.read_log()
        found = _SANITIZER.search(log)
        return log[max(0, found.start() - 200):found.start() + 4000] if found else None
