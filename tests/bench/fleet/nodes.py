"""What a node costs: its heartbeats and its memory."""

import time

from fleet.field import memory_of
from fleet.readings import LOST_AT_ONCE, room_for
from table import Table


def heartbeats(suite):
    workers, seconds = (1000, 45) if suite.quick else (10000, 60)
    field = suite.field()
    try:
        # room for one task each, which would be seen elsewhere if its node had passed for lost
        field.start(workers, cpu=room_for(workers, workers))
        field.submit("j", workers // 100, 100, LOST_AT_ONCE)
        field.settle()
        placed = set(field.running())
        before, begun = field.cpu(), time.monotonic()
        time.sleep(seconds)  # the measurement itself
        took = time.monotonic() - begun
        share = {name: (after - before[name]) / took for name, after in field.cpu().items()}
        assert sum(fleet.connected() for fleet in field.fleets) == workers
        lost = len(set(field.running()) ^ placed)
    finally:
        field.close()
    table = Table(f"Heartbeats: {workers} simulated workers, a task each, heard every 10 s, for {seconds} s", ["", "% of a core"])
    for name, value in share.items():
        table.add(name, f"{100 * value:.1f}")
    limits = Table("Limits: heartbeats", ["what", "is", "limit", ""])
    limits.limit("the manager, to the broker", share["manager"] / share["broker"], 0.25)
    limits.limit("tasks started or ended because a node passed for lost", lost, 0)
    return [table, limits]


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
