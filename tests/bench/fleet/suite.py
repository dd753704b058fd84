"""The benches of whole fleets. Their workers are simulated (argosy-fleet): one process, the shipped core, shell, codec and MQTT
client with a connection and a will of each, a store in memory and tasks that only pretend. The manager is the shipped program with
its LMDB store. Each reading has a broker of its own; readings and references alternate, and a limit is held against the median of
the ratios of the rounds. End states are counted where the tasks run, in the simulated engines."""

import statistics
import struct
import time

from fleet.field import ROOT, Field, memory_of
from table import Table
from wait import wait_until

CPU_OF_TASK = 0.1
LOST_AT_ONCE = ',"disconnect":{"lost_after":"0s"}'  # given up as soon as their node passes for silent
MANAGER_FILTERS = ",".join(f"{ROOT}/{rest}" for rest in (
    "jobs/+/spec", "jobs/+/history", "jobs/+/status", "nodes/+/desired", "nodes/+/assign/+", "manager/status", "nodes/+/info", "nodes/+/status",
    "nodes/+/state/+", "nodes/+/metrics"))


class Reading:
    """Seconds and processor time of one piece of work of so many tasks."""

    def __init__(self, field, tasks, work):
        before = field.cpu()
        self.seconds = work()
        self.tasks = tasks
        self.cpu = {name: (after - before[name]) / tasks * 1e6 for name, after in field.cpu().items()}

    @property
    def rate(self):
        return self.tasks / self.seconds


def ratio_of(pairs):
    """Median, and the spread as text."""
    return statistics.median(pairs), f" ({min(pairs):.2f} to {max(pairs):.2f})"


def add_readings(table, name, readings):
    cpu = [f"{statistics.median(reading.cpu[part] for reading in readings):.0f}" for part in ("broker", "manager", "workers")]
    table.add(name, f"{statistics.median(reading.rate for reading in readings):.0f}", *cpu, len(readings))


def messages_of(kept):
    """What fleet_raw has kept, as a set of (topic, payload)."""
    messages, at = set(), 0
    while at < len(kept):
        topic, payload = struct.unpack_from("=II", kept, at)
        messages.add((kept[at + 8:at + 8 + topic], kept[at + 8 + topic:at + 8 + topic + payload]))
        at += 8 + topic + payload
    return messages


class Suite:
    def __init__(self, tools, directory, quick):
        self.tools, self.directory, self.quick = tools, directory, quick
        self.rounds = 2 if quick else 5
        self.fields = 0

    def field(self):
        self.fields += 1
        return Field(self.tools, self.directory / f"field-{self.fields}")

    # ---- placement ------------------------------------------------------------------------------

    def place(self, jobs, instances, workers):
        field = self.field()
        try:
            # two tenths more room than is needed
            field.start(workers, cpu=max(1, jobs * instances / workers) * CPU_OF_TASK * 1.2)
            reading = Reading(field, jobs * instances, lambda: field.submit("j", jobs, instances))
            field.check_running(jobs * instances)
            return reading
        finally:
            field.close()

    def place_null(self, jobs, instances, workers, together):
        field = self.field()
        try:
            field.start_null("j", jobs, workers, together)
            return Reading(field, jobs * instances, lambda: field.submit("j", jobs, instances))
        finally:
            field.close()

    def compare(self, title, jobs, instances, workers, together):
        ours, null = [], []
        for _ in range(self.rounds):
            ours.append(self.place(jobs, instances, workers))
            null.append(self.place_null(jobs, instances, workers, together))
        table = Table(f"{title}: {jobs} jobs of {instances}, {workers} simulated workers; tasks running a second, µs of processor time a task",
                      ["", "tasks/s", "broker", "manager", "workers", "readings"])
        add_readings(table, "Argosy", ours)
        add_readings(table, f"null pipeline, {together} a message", null)
        return table, ratio_of([one.rate / other.rate for one, other in zip(ours, null)]), ours, null

    def placement(self):
        table, (ratio, spread), _, _ = self.compare("Placement", 3000 if self.quick else 30000, 1, 1000, 1)
        limits = Table("Limits: placement", ["what", "is", "limit", ""])
        limits.limit("tasks running a second, to the null pipeline", ratio, 0.8, spread=spread, least=True)
        return [table, limits]

    def batched(self):
        table, (ratio, spread), ours, null = self.compare("Placement, batched", 10, 1000 if self.quick else 10000, 1000, 10)
        limits = Table("Limits: placement, batched", ["what", "is", "limit", ""])
        limits.limit("tasks running a second, to the null pipeline", ratio, 0.6, spread=spread, least=True)
        pipeline = statistics.median(reading.rate for reading in null)
        limits.limit(f"tasks running a second (25,000 where the pipeline does 40,000; it does {pipeline:.0f})",
                     statistics.median(reading.rate for reading in ours), 25000 / 40000 * pipeline, "/s", least=True)
        return [table, limits]

    # ---- recovery -------------------------------------------------------------------------------

    def recovery(self):
        """The manager is killed and its store deleted, in turns with a plain subscriber that reads what is retained."""
        jobs, instances, workers = (100, 20, 200) if self.quick else (100, 1000, 100)
        field, tasks, pairs, ours, drained = self.field(), jobs * instances, [], [], []
        try:
            field.start(workers, cpu=tasks / workers * CPU_OF_TASK * 1.2)
            field.submit("j", jobs, instances)
            for number in range(self.rounds):
                field.settle()
                field.manager.kill()
                field.settle()
                messages, seconds, _ = field.raw("drain", "-", MANAGER_FILTERS)["drained"]
                drained.append((int(messages), float(seconds)))
                field.delete_store()
                begun = time.monotonic()
                field.start_manager()  # its id is new: what is submitted before has nobody to wait for
                field.submit(f"probe{number}-", 1, 1)
                ours.append(time.monotonic() - begun)
                pairs.append(ours[-1] / drained[-1][1])
                field.check_running(tasks + number + 1)
        finally:
            field.close()
        table = Table(f"Recovery: {tasks} tasks, {workers} simulated workers; the manager's store is gone", ["", "s", "messages", "readings"])
        table.add("from the manager's start until a new job runs", f"{statistics.median(ours):.2f}", "", len(ours))
        table.add("a raw subscriber reads what is retained", f"{statistics.median(seconds for _, seconds in drained):.2f}",
                  statistics.median(messages for messages, _ in drained), len(drained))
        limits = Table("Limits: recovery", ["what", "is", "limit", ""])
        ratio, spread = ratio_of(pairs)
        limits.limit("first right placement, to the raw subscriber", ratio, 2, spread=spread)
        return [table, limits]

    # ---- the broker is empty --------------------------------------------------------------------

    def refill(self):
        """The broker is killed and its memory deleted; the reference publishes the same messages into another empty one."""
        jobs, instances, workers = (100, 20, 200) if self.quick else (1000, 10, 1000)
        field, tasks, pairs, ours, raw = self.field(), jobs * instances, [], [], []
        documents = ",".join(MANAGER_FILTERS.split(",")[:-1])  # heartbeats come when they come
        try:
            field.start(workers, cpu=tasks / workers * CPU_OF_TASK * 1.2)
            field.submit("j", jobs, instances)
            for _ in range(self.rounds):
                field.settle()
                kept = field.directory / "retained"
                messages = int(field.raw("drain", kept, documents)["drained"][0])
                raw.append(self.refill_raw(kept, messages))
                field.broker.kill()
                field.broker.delete_persistence()
                begun = time.monotonic()
                field.broker.start()
                field.raw("gather", messages, documents)
                ours.append(time.monotonic() - begun)
                pairs.append(ours[-1] / raw[-1])
                field.check_running(tasks)
        finally:
            field.close()
        table = Table(f"An empty broker is filled again: {tasks} tasks, {workers} simulated workers, {messages} documents", ["", "s", "readings"])
        table.add("from the broker's start until every document is there", f"{statistics.median(ours):.2f}", len(ours))
        table.add("the same messages, one raw publisher", f"{statistics.median(raw):.2f}", len(raw))
        limits = Table("Limits: refill", ["what", "is", "limit", ""])
        ratio, spread = ratio_of(pairs)
        limits.limit("to the raw publisher (ours waits for its reconnects, too)", ratio, 1.5, spread=spread)
        return [table, limits]

    def refill_raw(self, kept, messages):
        field = self.field()
        try:
            published, seconds = field.raw("refill", kept)["published"]
            assert int(published) == messages
            return float(seconds)
        finally:
            field.close()

    # ---- machines that end all at once ----------------------------------------------------------

    def storm(self):
        """A tenth of the workers are killed; the reference publishes the assignments that followed into another broker."""
        workers = 200 if self.quick else 1000
        tasks, pairs, ours, raw, back = 10 * workers, [], [], [], []
        for _ in range(min(self.rounds, 3)):
            field = self.field()
            try:
                field.start(workers, cpu=10 * CPU_OF_TASK * 1.2, together=workers // 10)
                field.submit("j", tasks // 10, 10, LOST_AT_ONCE)
                field.settle()
                field.check_running(tasks)
                ours.append(self.lose_some(field, tasks))
                messages, seconds = self.assignments_again(field)
                raw.append(seconds)
                pairs.append(ours[-1] / raw[-1])
                back.append(self.reconnect(field))
                field.check_running(tasks)
            finally:
                field.close()
        table = Table(f"Storm: {workers} simulated workers, {tasks} tasks; {workers // 10} workers are killed at once", ["", "s", "readings"])
        table.add("until all tasks run again elsewhere", f"{statistics.median(ours):.3f}", len(ours))
        table.add(f"the assignments that followed ({messages} in the last round), one raw publisher", f"{statistics.median(raw):.3f}", len(raw))
        table.add(f"then {workers - workers // 10} workers connect again, all at once, until the last one has", f"{statistics.median(back):.3f}", len(back))
        limits = Table("Limits: storm", ["what", "is", "limit", ""])
        ratio, spread = ratio_of(pairs)
        limits.limit("until all run again, to the raw publisher", ratio, 1.5, spread=spread)
        return [table, limits]

    def lose_some(self, field, tasks):
        """Seconds until all tasks run elsewhere after the busiest process has ended, as the engines count them."""
        self.drained(field, "before")
        victim = max(field.fleets, key=lambda fleet: len(fleet.running()))
        field.fleets.remove(victim)
        begun = time.monotonic()
        victim.kill()
        wait_until("all run elsewhere", lambda: len(field.running()) >= tasks, timeout=120, interval=0.01)
        took = time.monotonic() - begun
        field.settle()
        field.check_running(tasks)
        return took

    def drained(self, field, name):
        """The retained assignments, in a file and as (topic, payload)."""
        file = field.directory / name
        field.raw("drain", file, f"{ROOT}/nodes/+/assign/+")
        return messages_of(file.read_bytes())

    def assignments_again(self, field):
        """Number of assignments that changed, and seconds to publish them."""
        old = messages_of((field.directory / "before").read_bytes())
        new = sorted(self.drained(field, "after") - old)
        file = field.directory / "changed"
        file.write_bytes(b"".join(struct.pack("=II", len(topic), len(payload)) + topic + payload for topic, payload in new))
        return len(new), self.refill_raw(file, len(new))

    def reconnect(self, field):
        begun = time.monotonic()
        for fleet in field.fleets:
            fleet.ask("reconnect")
        field.wait_connected()
        took = time.monotonic() - begun
        field.settle()
        return took

    # ---- how cost grows -------------------------------------------------------------------------

    def place_many(self, workers, tasks):
        """A reading, and the bytes that the manager and the workers have in the end."""
        jobs = max(1, tasks // 10000)
        field = self.field()
        try:
            field.start(workers, cpu=max(1, tasks / workers) * CPU_OF_TASK * 1.2)
            reading = Reading(field, tasks, lambda: field.submit("j", jobs, tasks // jobs))
            field.check_running(tasks)
            return reading, memory_of(field.manager.pid), sum(memory_of(fleet.pid) for fleet in field.fleets)
        finally:
            field.close()

    def growth(self):
        sizes = ((100, 1000), (200, 1000)) if self.quick else [(10**w, 10**t) for w in (2, 3, 4) for t in (3, 4, 5)]
        table = Table("Growth: jobs of up to 10000; one reading each; µs of processor time a task", ["simulated workers", "tasks", "s until all run", "tasks/s", "broker", "manager", "workers", "manager, MB", "workers, MB"])
        for workers, tasks in sizes:
            reading, manager, fleet = self.place_many(workers, tasks)
            cpu = [f"{reading.cpu[part]:.0f}" for part in ("broker", "manager", "workers")]
            table.add(workers, tasks, f"{reading.seconds:.2f}", f"{reading.rate:.0f}", *cpu, f"{manager / 1e6:.0f}", f"{fleet / 1e6:.0f}")
        return [table]

    # ---- heartbeats -----------------------------------------------------------------------------

    def heartbeats(self):
        workers, seconds = (1000, 45) if self.quick else (10000, 60)
        field = self.field()
        try:
            # room for one task each, which would be seen elsewhere if its node had passed for lost
            field.start(workers, cpu=CPU_OF_TASK * 1.2)
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

    # ---- memory ---------------------------------------------------------------------------------

    def memory(self):
        """What a node and a task add to the manager, and what a task adds to a worker."""
        sizes = ((200, 20), (400, 20)) if self.quick else ((1000, 10), (1000, 50), (10000, 5))
        table = Table("Memory, bytes: what the manager grows by a node and a task, and a simulated worker by a task",
                      ["simulated workers", "tasks", "manager, a node", "manager, a task", "worker, a task"])
        nodes, tasks_grown = [], []
        for workers, each in sizes:
            field = self.field()
            try:
                field.start_manager()
                empty = memory_of(field.manager.pid)
                field.start_workers(workers, cpu=each * CPU_OF_TASK * 1.2)
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
