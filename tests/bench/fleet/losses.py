"""Machines that end all at once."""

import statistics
import time

from fleet import messages
from fleet.field import ROOT
from fleet.readings import LOST_AT_ONCE, median_cell, publish_raw, ratio_of, room_for
from table import Table
from wait import wait_until

ASSIGNMENTS = f"{ROOT}/nodes/+/assign/+"
STATES = f"{ROOT}/nodes/+/state/+"
WAVE_SECONDS = 1  # a longer silence separates two waves


def storm(suite):
    """A tenth of the workers are killed; the reference publishes the assignments that followed into another broker."""
    workers = 200 if suite.quick else 1000
    tasks, pairs, ours, raw, back = 10 * workers, [], [], [], []
    for _ in range(min(suite.rounds, 3)):
        field = suite.field()
        try:
            field.start(workers, cpu=room_for(tasks, workers), together=workers // 10)
            field.submit("j", tasks // 10, 10, LOST_AT_ONCE)
            field.settle()
            field.check_running(tasks)
            before = field.retained("before", ASSIGNMENTS)
            ours.append(lose_some(field, tasks))
            changed, seconds = assignments_again(suite, field, before)
            raw.append(seconds)
            pairs.append(ours[-1] / raw[-1])
            back.append(reconnect(field))
            field.check_running(tasks)
        finally:
            field.close()
    table = Table(f"Storm: {workers} simulated workers, {tasks} tasks; {workers // 10} workers are killed at once", ["", "s", "readings"])
    table.add("until all tasks run again elsewhere", f"{statistics.median(ours):.3f}", len(ours))
    table.add(f"the assignments that followed ({changed} in the last round), one raw publisher", f"{statistics.median(raw):.3f}", len(raw))
    table.add(f"then {workers - workers // 10} workers connect again, all at once, until the last one has", f"{statistics.median(back):.3f}", len(back))
    limits = Table("Limits: storm", ["what", "is", "limit", ""])
    ratio, spread = ratio_of(pairs)
    limits.limit("until all run again, to the raw publisher", ratio, 1.5, spread=spread)
    return [table, limits]


def lose_some(field, tasks):
    """Seconds until all tasks run elsewhere after the busiest process has ended, as the engines count them."""
    victim = max(field.fleets, key=lambda fleet: len(fleet.running()))
    field.fleets.remove(victim)
    begun = time.monotonic()
    victim.kill()
    wait_until("all run elsewhere", lambda: len(field.running()) >= tasks, timeout=120, interval=0.01)
    took = time.monotonic() - begun
    field.settle()
    field.check_running(tasks)
    return took


def assignments_again(suite, field, before):
    """Number of assignments that changed, and seconds to publish them."""
    changed = sorted(field.retained("after", ASSIGNMENTS) - before)
    file = field.directory / "changed"
    file.write_bytes(messages.pack(changed))
    return len(changed), publish_raw(suite, file, len(changed))


def reconnect(field):
    begun = time.monotonic()
    for fleet in field.fleets:
        fleet.ask("reconnect")
    field.wait_connected()
    took = time.monotonic() - begun
    field.settle()
    return took
