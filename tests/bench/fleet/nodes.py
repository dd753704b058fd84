"""What a node costs: its heartbeats and its memory."""

import time

from fleet.field import ROOT, memory_of
from fleet.readings import LOST_AT_ONCE, room_for
from table import Table

INTERVAL_SECONDS = 10
FIRST_RATE = 2500
WHOLE_CORE = 0.95
DROPPED = "$SYS/broker/publish/messages/dropped"  # since the broker's start; said when it has changed, and gone after a minute
COUNTED_SECONDS = 11  # it is said every 10 s


# ---- heartbeats ----


class Ramp:
    """On behalf of the nodes, more and more heartbeats a second, until the broker or the manager uses a whole core. The nodes go on with
    their own, so that their connections are the broker's to look after, too."""

    def __init__(self, field, workers, seconds):
        self.field, self.seconds, self.connections = field, seconds, workers // 10
        self.own = workers / INTERVAL_SECONDS
        field.retained("heartbeats", f"{ROOT}/nodes/+/metrics")
        self.steps = []  # (heartbeats a second, share of each)
        counts, wanted = field.record(DROPPED), FIRST_RATE
        while self.step(wanted):
            wanted *= 2
        time.sleep(COUNTED_SECONDS)
        self.dropped = max((int(payload) for _, _, payload in counts()), default=0)

    def step(self, wanted):
        """Whether there is more to be had."""
        before = self.field.cpu()
        sent, took = self.field.raw("beat", self.field.directory / "heartbeats", self.connections, wanted, self.seconds)["beaten"]
        share = shares(before, self.field.cpu(), float(took))
        rate = int(sent) / float(took)
        self.steps.append((rate + self.own, share))
        return max(share["broker"], share["manager"]) < WHOLE_CORE and rate > 0.8 * wanted

    def add(self, table):
        for rate, share in self.steps:
            table.add(f"{rate:.0f} a second", *(f"{100 * value:.1f}" for value in share.values()), f"{share['manager'] / share['broker']:.2f}")
        table.add(f"the broker dropped {self.dropped} of all these, for want of room")


def shares(before, after, seconds):
    """Of a core."""
    return {name: (value - before[name]) / seconds for name, value in after.items()}


def watch(field, seconds):
    """The shares of everybody in that time."""
    before, begun = field.cpu(), time.monotonic()
    time.sleep(seconds)  # the measurement itself
    return shares(before, field.cpu(), time.monotonic() - begun)


def heartbeats(suite):
    workers, seconds, step_seconds = (1000, 60, 5) if suite.quick else (10000, 300, 15)
    field = suite.field()
    try:
        # room for one task each, which would be seen elsewhere if its node had passed for lost
        field.start(workers, cpu=room_for(workers, workers))
        field.submit("j", workers // 100, 100, LOST_AT_ONCE)
        field.settle()
        placed = set(field.running())
        share = watch(field, seconds)
        lost = len(set(field.running()) ^ placed)
        ramp = Ramp(field, workers, step_seconds)
        field.settle()
        assert sum(fleet.connected() for fleet in field.fleets) == workers
        lost_later = len(set(field.running()) ^ placed)
    finally:
        field.close()
    table = Table(f"Heartbeats: {workers} simulated workers, a task each; every {INTERVAL_SECONDS} s for {seconds} s, then {step_seconds} s each with more on their behalf; % of a core",
                  ["", *share, "manager, to the broker"])
    table.add(f"{workers / INTERVAL_SECONDS:.0f} a second, the nodes' own", *(f"{100 * value:.1f}" for value in share.values()), f"{share['manager'] / share['broker']:.2f}")
    ramp.add(table)
    limits = Table("Limits: heartbeats", ["what", "is", "limit", ""])
    limits.limit("the manager, to the broker", share["manager"] / share["broker"], 0.25)
    limits.limit("tasks started or ended because a node passed for lost", lost, 0)
    limits.limit("the same after the last step", lost_later, 0)
    return [table, limits]


# ---- memory ----


def memory(suite):
    """What a node and a task add to the manager, and what a task adds to a worker."""
    sizes = ((200, 20), (400, 20)) if suite.quick else ((1000, 10), (1000, 50), (10000, 5))
    table = Table("Memory, bytes: what the manager grows by a node and a task, and a simulated worker by a task",
                  ["simulated workers", "tasks", "manager, a node", "manager, a task", "worker, a task"])
    nodes, tasks_grown = [], []
    for workers, each in sizes:
        field = suite.field()
        try:
            field.start_manager()
            empty = memory_of(field.manager.pid)
            field.start_workers(workers, cpu=room_for(workers * each, workers))
            known, idle = memory_of(field.manager.pid), sum(memory_of(fleet.pid) for fleet in field.fleets)
            field.submit("j", workers * each // 1000, 1000)
            field.settle()
            field.check_running(workers * each)
            full, busy = memory_of(field.manager.pid), sum(memory_of(fleet.pid) for fleet in field.fleets)
        finally:
            field.close()
        nodes.append((known - empty) / workers)
        tasks_grown.append((full - known) / (workers * each))
        table.add(workers, workers * each, f"{nodes[-1]:.0f}", f"{tasks_grown[-1]:.0f}", f"{(busy - idle) / (workers * each):.0f}")
    limits = Table("Limits: memory of a fleet", ["what", "is", "limit", ""])
    limits.limit("manager, a task", max(tasks_grown), 400, " bytes")
    limits.limit("manager, a node", max(nodes), 2048, " bytes")
    return [table, limits]
