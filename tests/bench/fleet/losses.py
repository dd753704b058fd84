"""Machines that end all at once."""

import json
import time

from fleet import messages
from fleet.field import ROOT
from fleet.placing import place_null
from fleet.readings import LOST_AT_ONCE, median_cell, publish_raw, ratio_of, room_for
from table import Table
from wait import wait_until

ASSIGNMENTS = f"{ROOT}/nodes/+/assign/+"
STATES = f"{ROOT}/nodes/+/state/+"
WAVE_SECONDS = 1  # a longer silence separates two waves


def waves_of(recorded):
    """(number of waves, seconds of all): a wave is from an assignment to the last report that something runs before it is silent. Nodes
    are given up when each has been silent for long enough, and the time between two waves is theirs, not ours."""
    waves = []
    for at, topic, payload in recorded:
        is_assignment = topic.split(b"/")[3] == b"assign"
        if waves and at - waves[-1][1] <= WAVE_SECONDS:
            if is_assignment or reports_running(payload):
                waves[-1][1] = at
        elif is_assignment:
            waves.append([at, at])
    return len(waves), sum(last - first for first, last in waves)


def reports_running(payload):
    return any(attempt["state"] == "running" for attempt in json.loads(payload or b"{}").get("attempts", ()))


def lose_some(field, tasks):
    """Seconds until all tasks run elsewhere after the busiest process has ended, as the engines count them."""
    victim = max(field.fleets, key=lambda fleet: len(fleet.running()))
    field.fleets.remove(victim)
    begun = time.monotonic()
    victim.kill()
    wait_until("all run elsewhere", lambda: field.tally()[0] >= tasks, timeout=120, interval=0.01)
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


class Loss:
    """A tenth of the workers are killed; the reference publishes the assignments that followed into another broker."""

    def __init__(self, suite, workers, tasks):
        field = suite.field()
        try:
            field.start(workers, cpu=room_for(tasks, workers), together=workers // 10)
            field.submit("j", tasks // 10, 10, LOST_AT_ONCE)
            field.settle()
            field.check_running(tasks)
            before, recorded = field.retained("before", ASSIGNMENTS), field.record(f"{ASSIGNMENTS},{STATES}")
            self.seconds = lose_some(field, tasks)
            self.waves, self.ours = waves_of(recorded())
            self.changed, self.raw = assignments_again(suite, field, before)
            self.back = reconnect(field)
            field.check_running(tasks)
        finally:
            field.close()
        self.piped = place_null(suite, tasks // 10, 1, workers - workers // 10, 1).seconds


def storm(suite):
    workers = 200 if suite.quick else 1000
    losses = [Loss(suite, workers, 10 * workers) for _ in range(min(suite.rounds, 3))]
    table = Table(f"Storm: {workers} simulated workers, {10 * workers} tasks; {workers // 10} workers are killed at once", ["", "s", "readings"])
    last = losses[-1]
    for name, values in (
            ("until all tasks run again elsewhere, with the silence before a node passes for lost", [loss.seconds for loss in losses]),
            (f"of that, what Argosy adds: in each wave from the first replacement to the last report that it runs ({last.waves} in the last round)",
             [loss.ours for loss in losses]),
            (f"the assignments that followed ({last.changed} in the last round), one raw publisher", [loss.raw for loss in losses]),
            (f"as many tasks as were lost ({workers}) through the null pipeline, heard, started and reported", [loss.piped for loss in losses]),
            (f"then {workers - workers // 10} workers connect again, all at once, until the last one has", [loss.back for loss in losses])):
        table.add(name, median_cell(values, 3), len(losses))
    limits = Table("Limits: storm", ["what", "is", "limit", ""])
    ratio, spread = ratio_of([loss.seconds / loss.raw for loss in losses])
    limits.limit("until all run again, to the raw publisher", ratio, 1.5, spread=spread)
    return [table, limits]
