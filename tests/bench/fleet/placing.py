"""How fast tasks are placed, and how that grows."""

import statistics
import time

from fleet.field import memory_of
from fleet.readings import Reading, ratio_of, room_for
from table import Table

C1M_SECONDS = 266  # Nomad's "C1M" of 2016: a million containers, real ones on real machines
PATIENCE_SECONDS = 3600


# ---- beside the null pipeline ----


def place(suite, jobs, instances, workers):
    field = suite.field()
    try:
        field.start(workers, cpu=room_for(jobs * instances, workers))
        reading = Reading(field, jobs * instances, lambda: field.submit("j", jobs, instances))
        field.check_running(jobs * instances)
        return reading
    finally:
        field.close()


def place_null(suite, jobs, instances, workers, together):
    field = suite.field()
    try:
        field.start_null("j", jobs, workers, together)
        return Reading(field, jobs * instances, lambda: field.submit("j", jobs, instances))
    finally:
        field.close()


def add_readings(table, name, readings):
    cpu = [f"{statistics.median(reading.cpu[part] for reading in readings):.0f}" for part in ("broker", "manager", "workers")]
    table.add(name, f"{statistics.median(reading.rate for reading in readings):.0f}", *cpu, len(readings))


def compare(suite, title, jobs, instances, workers, together):
    ours, null = [], []
    for _ in range(suite.rounds):
        ours.append(place(suite, jobs, instances, workers))
        null.append(place_null(suite, jobs, instances, workers, together))
    table = Table(f"{title}: {jobs} jobs of {instances}, {workers} simulated workers; tasks running a second, µs of processor time a task",
                  ["", "tasks/s", "broker", "manager", "workers", "readings"])
    add_readings(table, "Argosy", ours)
    add_readings(table, f"null pipeline, {together} a message", null)
    return table, ratio_of([one.rate / other.rate for one, other in zip(ours, null)]), ours, null


def placement(suite):
    table, (ratio, spread), _, _ = compare(suite, "Placement", 3000 if suite.quick else 30000, 1, 1000, 1)
    limits = Table("Limits: placement", ["what", "is", "limit", ""])
    limits.limit("tasks running a second, to the null pipeline", ratio, 0.8, spread=spread, least=True)
    return [table, limits]


def batched(suite):
    table, (ratio, spread), ours, null = compare(suite, "Placement, batched", 10, 1000 if suite.quick else 10000, 1000, 10)
    limits = Table("Limits: placement, batched", ["what", "is", "limit", ""])
    limits.limit("tasks running a second, to the null pipeline", ratio, 0.6, spread=spread, least=True)
    pipeline = statistics.median(reading.rate for reading in null)
    limits.limit(f"tasks running a second (25,000 where the pipeline does 40,000; it does {pipeline:.0f})",
                 statistics.median(reading.rate for reading in ours), 25000 / 40000 * pipeline, "/s", least=True)
    return [table, limits]


# ---- how cost grows ----


def place_many(suite, workers, tasks, settings=(), then=lambda field: None):
    """A reading, the bytes that everybody has in the end, and what `then` finds out after that."""
    jobs = max(1, tasks // 10000)
    field = suite.field(settings)
    try:
        field.start(workers, cpu=room_for(tasks, workers))
        reading = Reading(field, tasks, lambda: field.submit("j", jobs, tasks // jobs, timeout=PATIENCE_SECONDS))
        field.check_running(tasks)
        return reading, field.memory(), then(field)
    finally:
        field.close()


def growth(suite):
    sizes = ((100, 1000), (200, 1000)) if suite.quick else [(10**w, 10**t) for w in (2, 3, 4) for t in (3, 4, 5)]
    table = Table("Growth: jobs of up to 10000; one reading each; µs of processor time a task", ["simulated workers", "tasks", "s until all run", "tasks/s", "broker", "manager", "workers", "manager, MB", "workers, MB"])
    for workers, tasks in sizes:
        reading, memory, _ = place_many(suite, workers, tasks)
        table.add(workers, tasks, f"{reading.seconds:.2f}", f"{reading.rate:.0f}", *reading.cpu_cells(), *(f"{memory[part] / 1e6:.0f}" for part in ("manager", "workers")))
    return [table]


# As broker-config/README.md says of so many documents: a save writes them all, and the broker stands still meanwhile; a manager that
# starts is sent them all.
OF_MILLIONS = ("autosave_interval 1800", "max_queued_messages 4000000")


def start_again(field):
    """Seconds of a manager that was killed until a new job runs: on its own store, and when that is gone."""
    seconds = []
    for emptied in (0, 1):
        field.kill_manager()
        if emptied:
            field.delete_store()
        begun = time.monotonic()
        field.start_manager()
        field.submit(f"probe{emptied}-", 1, 1)
        seconds.append(time.monotonic() - begun)
    return seconds


def million(suite):
    """All run, and were counted by the engines; one reading. Then the manager starts again."""
    workers, tasks = (200, 10000) if suite.quick else (10000, 1000000)
    reading, memory, (own, emptied) = place_many(suite, workers, tasks, OF_MILLIONS, start_again)
    table = Table(f"A million: {tasks} tasks in jobs of 10000, {workers} simulated workers; until all run, one reading; a broker for so many", ["", "s", "tasks/s", "CPU, s", "memory, MB"])
    table.add("Argosy", f"{reading.seconds:.1f}", f"{reading.rate:.0f}", f"{sum(reading.cpu.values()) * tasks / 1e6:.1f}", f"{sum(memory.values()) / 1e6:.0f}")
    for part, used in memory.items():
        table.add(f"of that, {part}", "", "", f"{reading.cpu[part] * tasks / 1e6:.1f}", f"{used / 1e6:.0f}")
    table.add("then, a manager's start on its own store until a new job runs", f"{own:.1f}")
    table.add("then, an emptied manager's start until a new job runs", f"{emptied:.1f}")
    table.add("Nomad's C1M (real containers on machines of their own): 1000000", C1M_SECONDS, f"{1e6 / C1M_SECONDS:.0f}")
    return [table]
