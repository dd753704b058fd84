"""Waiting by retry: a condition and a deadline, never a fixed sleep."""

import os
import time

# One knob for slow machines: every deadline is multiplied by it.
PATIENCE = float(os.environ.get("ARGOSY_TEST_PATIENCE", "1"))


class TimedOut(AssertionError):
    """A condition did not come true in time."""


def wait_until(what, condition, timeout=30.0, interval=0.05):
    """Calls `condition` until it returns something true, and returns that.

    An AssertionError, LookupError or TypeError inside it counts as "not yet"; its text is part of the failure. `what`
    may be a function, called for the text when time is up."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        reason = ""
        try:
            result = condition()
            if result:
                return result
        except (AssertionError, LookupError, TypeError) as error:  # a document that is not there yet is None
            reason = f": {error!r}"
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise TimedOut(f"not within {timeout * PATIENCE:.0f} s: {text}{reason}")
        time.sleep(interval)


def stays_true(what, condition, seconds):
    """Asserts that `condition` holds, again and again, for a while: for "nothing happens" there is no event to
    wait for, so this is the one place where time passes on purpose."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            raise AssertionError(what() if callable(what) else what)
        time.sleep(0.1)
