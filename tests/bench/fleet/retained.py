"""What is retained is all that is left: of the manager's store, or of the broker's memory."""

import statistics
import time

from fleet.readings import MANAGER_FILTERS, publish_raw, ratio_of, room_for
from table import Table


def recovery(suite):
    """The manager is killed and its store deleted, in turns with a plain subscriber that reads what is retained."""
    jobs, instances, workers = (100, 20, 200) if suite.quick else (100, 1000, 100)
    field, tasks, pairs, ours, drained = suite.field(), jobs * instances, [], [], []
    try:
        field.start(workers, cpu=room_for(tasks, workers))
        field.submit("j", jobs, instances)
        for number in range(suite.rounds):
            field.settle()
            field.manager.kill()
            field.settle()
            messages, seconds, _ = field.raw("drain", "-", ",".join(MANAGER_FILTERS))["drained"]
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


def refill(suite):
    """The broker is killed and its memory deleted; the reference publishes the same messages into another empty one."""
    jobs, instances, workers = (100, 20, 200) if suite.quick else (1000, 10, 1000)
    field, tasks, pairs, ours, raw = suite.field(), jobs * instances, [], [], []
    documents = ",".join(MANAGER_FILTERS[:-1])  # heartbeats come when they come
    try:
        field.start(workers, cpu=room_for(tasks, workers))
        field.submit("j", jobs, instances)
        for _ in range(suite.rounds):
            field.settle()
            kept = field.directory / "retained"
            messages = int(field.raw("drain", kept, documents)["drained"][0])
            raw.append(publish_raw(suite, kept, messages))
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
