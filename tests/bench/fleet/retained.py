"""What is retained is all that is left: of the manager's store, or of the broker's memory."""

import time

from fleet.field import ROOT
from fleet.readings import MANAGER_FILTERS, median_cell, publish_raw, ratio_of, room_for
from table import Table

CONNECTION_SETTLES_SECONDS = 10  # a connection that lasted less is made again ever more slowly
OF_NODES = ("assign", "state")  # more of them may be retained than wait for one subscriber


class Shape:
    """So many tasks on so many workers."""

    def __init__(self, jobs, instances, workers):
        self.jobs, self.instances, self.workers = jobs, instances, workers
        self.tasks = jobs * instances

    def fill(self, field):
        field.start(self.workers, cpu=room_for(self.tasks, self.workers))
        field.submit("j", self.jobs, self.instances)

    def __str__(self):
        return f"{self.jobs} jobs of {self.instances} on {self.workers} workers"


def count_retained(field, workers):
    """What a subscriber to all of the manager's filters is to receive: counted node by node, so that nothing can be dropped."""
    filters = [one for one in MANAGER_FILTERS if one.split("/")[3:4] not in ([word] for word in OF_NODES)]
    filters += [f"{ROOT}/nodes/n{number}/{word}/+" for word in OF_NODES for number in range(workers)]
    return int(field.raw("drain", "-", ",".join(filters))["drained"][0])


def drain(field, file, filters, wanted):
    """Seconds of a plain subscriber that receives all of it."""
    messages, seconds, _ = field.raw("drain", file, ",".join(filters))["drained"]
    assert int(messages) == wanted, f"the raw subscriber received {messages} messages of {wanted}"
    return float(seconds)


# ---- the manager's store is gone ----


class Recovery:
    """The manager is killed and its store deleted, in turns with a plain subscriber that reads what is retained."""

    def __init__(self, suite, shape):
        self.shape, self.ours, self.raw, self.parsed, self.messages = shape, [], [], [], []
        field = suite.field()
        try:
            shape.fill(field)
            for number in range(suite.rounds):
                self.measure(field, number)
        finally:
            field.close()

    def measure(self, field, number):
        field.settle()
        field.kill_manager()
        field.settle()
        self.messages.append(count_retained(field, self.shape.workers))
        self.raw.append(drain(field, "-", MANAGER_FILTERS, self.messages[-1]))
        self.parsed.append(float(field.raw("parse", ",".join(MANAGER_FILTERS))["drained"][1]))
        field.delete_store()
        begun = time.monotonic()
        field.start_manager()  # its id is new: what is submitted before has nobody to wait for
        field.submit(f"probe{number}-", 1, 1)
        self.ours.append(time.monotonic() - begun)
        field.check_running(self.shape.tasks + number + 1)

    def add(self, table, limits):
        table.add(f"{self.shape}: from the manager's start until a new job runs", median_cell(self.ours), "", len(self.ours))
        table.add(f"{self.shape}: a raw subscriber reads what is retained", median_cell(self.raw), median_cell(self.messages, 0), len(self.raw))
        table.add(f"{self.shape}: the same, and parses each with cJSON", median_cell(self.parsed), "", len(self.parsed))
        ratio, spread = ratio_of([one / other for one, other in zip(self.ours, self.raw)])
        limits.limit(f"{self.shape}: first right placement, to the raw subscriber", ratio, 2, spread=spread)


def recovery(suite):
    sizes = ((40, 50, 40), (20, 100, 20)) if suite.quick else ((1000, 100, 1000), (100, 1000, 100))
    table = Table("Recovery: the manager's store is gone; simulated workers", ["", "s", "messages", "readings"])
    limits = Table("Limits: recovery", ["what", "is", "limit", ""])
    for size in sizes:
        Recovery(suite, Shape(*size)).add(table, limits)
    return [table, limits]


# ---- the broker is empty ----


class Refill:
    """The broker is killed and its memory deleted; the reference publishes the same messages into another empty one."""

    def __init__(self, suite, shape):
        self.shape, self.ours, self.raw, self.heard, self.messages = shape, [], [], [], []
        field = suite.field()
        try:
            shape.fill(field)
            for _ in range(suite.rounds):
                self.measure(suite, field)
        finally:
            field.close()

    def measure(self, suite, field):
        field.settle()
        kept, documents = field.directory / "retained", MANAGER_FILTERS[:-1]  # heartbeats come when they come
        self.messages.append(count_retained(field, self.shape.workers) - self.shape.workers)
        drain(field, kept, documents, self.messages[-1])
        self.raw.append(publish_raw(suite, kept, self.messages[-1]))
        self.heard.append(publish_raw(suite, kept, self.messages[-1], heard=True))
        time.sleep(CONNECTION_SETTLES_SECONDS)
        field.note_log()
        field.broker.kill()
        field.broker.delete_persistence()
        begun = time.monotonic()
        field.broker.start()
        field.wait_settled()  # which says nothing of what the manager still has to say: commands come on another connection
        self.ours.append(field.quiet_since() - begun)
        field.settle()
        found = count_retained(field, self.shape.workers) - self.shape.workers
        assert found == self.messages[-1], f"{found} documents are there again, of {self.messages[-1]}"
        field.check_running(self.shape.tasks)

    def add(self, table, limits):
        table.add(f"{self.shape}: from the broker's start until every document is there", median_cell(self.ours), median_cell(self.messages, 0), len(self.ours))
        table.add(f"{self.shape}: the same messages, one raw publisher", median_cell(self.raw), "", len(self.raw))
        table.add(f"{self.shape}: the same, who also hears each once", median_cell(self.heard), "", len(self.heard))
        ratio, spread = ratio_of([one / other for one, other in zip(self.ours, self.raw)])
        limits.limit(f"{self.shape}: to the raw publisher (ours waits for its reconnects, too)", ratio, 1.5, spread=spread)


def refill(suite):
    sizes = ((10, 100, 100), (100, 20, 200)) if suite.quick else ((100, 1000, 1000), (1000, 10, 1000))
    table = Table("An empty broker is filled again; simulated workers", ["", "s", "documents", "readings"])
    limits = Table("Limits: refill", ["what", "is", "limit", ""])
    for size in sizes:
        Refill(suite, Shape(*size)).add(table, limits)
    return [table, limits]
