"""States that change while the manager is killed again and again: how many a second, and whether one is lost."""

import json
import random
import subprocess
import time

from fleet.field import ROOT
from fleet.readings import Reading, median_cell, ratio_of, room_for
from table import Table
from wait import wait_until

RESTARTED_AT_ONCE = ',"restart":{"attempts":1000000,"delay":"0s"}'
CHANGES_A_RESTART = 2  # running -> starting with the next run -> running
PROCESSES = 2  # for the workers: one would need more than a core
RECORD_BYTES = 384  # what the store keeps of an attempt, at most (LIMIT_ATTEMPT_RECORD_BYTES)
KILLED_WITHIN_SECONDS = 0.2  # of a round of changes


class Size:
    def __init__(self, quick):
        self.workers, self.each, self.jobs = (100, 20, 10) if quick else (1000, 100, 10)
        self.together, self.kills = (4, 3) if quick else (20, 6)  # so many tasks of each worker end at once
        self.tasks = self.workers * self.each
        self.restarts = (10 if quick else 5) * self.tasks
        self.changes = self.restarts * CHANGES_A_RESTART
        self.singles = 200 if quick else 2000


def change_all(field, size, order):
    """Seconds from the first change until all were made and nobody is busy with them any more."""
    rounds = size.restarts // (size.together * size.workers)  # at least: some workers may have nothing to run
    kills, number, made, begun = set(order.sample(range(rounds), size.kills)), 0, 0, time.monotonic()
    while made < size.restarts:
        made += sum(fleet.end(size.together) for fleet in field.fleets)
        if number in kills:
            time.sleep(order.uniform(0, KILLED_WITHIN_SECONDS))
            field.kill_manager()
            field.launch_manager()
        wait_until("all run again", lambda: field.tally() == (size.tasks, size.tasks + made), timeout=120, interval=0.01)
        number += 1
    field.wait_leading()
    return field.quiet_since() - begun


def runs_by_engines(field, size):
    field.check_running(size.tasks, runs=None)
    return {task: int(run) for _, task, run in field.running()}


def running_by_manager(field):
    return sum(json.loads(payload)["counts"].get("running", 0) for _, payload in field.retained("statuses", f"{ROOT}/jobs/+/status"))


def runs_by_manager(field, size):
    """The run of each attempt as the manager knows it: it says so when the task is to stop."""
    ended = field.record(f"{ROOT}/nodes/+/assign/+")
    field.say([(f"{ROOT}/do/jobs/j{job}/stop".encode(), b"{}") for job in range(size.jobs)])
    wait_until("all are stopped", lambda: not field.tally()[0], timeout=300)
    field.settle()
    known = {}
    for _, _, payload in ended():
        for attempt in json.loads(payload or b"{}").get("attempts", ()):
            if attempt["desired"] == "stop":
                known.setdefault(attempt["id"], attempt.get("known", {}).get("run", 0))
    return known


class Round:
    def __init__(self, suite, size, order):
        field = suite.field()
        try:
            field.start(size.workers, cpu=room_for(size.tasks, size.workers), together=size.workers // PROCESSES)
            field.submit("j", size.jobs, size.tasks // size.jobs, RESTARTED_AT_ONCE)
            field.settle()
            self.reading = Reading(field, size.changes, lambda: change_all(field, size, order))
            made = runs_by_engines(field, size)
            self.changes = CHANGES_A_RESTART * sum(run - 1 for run in made.values())
            self.not_running = size.tasks - running_by_manager(field)
            known = runs_by_manager(field, size)
            self.lost = sum(known.get(task) != run for task, run in made.items())
        finally:
            field.close()
        self.singles = singles_a_second(suite, size.singles)


def singles_a_second(suite, count):
    """Records that an LMDB on the same disk takes a second, each synchronised by itself."""
    directory = suite.directory / "singles"
    directory.mkdir(exist_ok=True)
    words = (suite.tools / "lmdb_writes", directory, count, RECORD_BYTES, 1)
    return count / float(subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout)


def transitions(suite):
    """Tasks end and are started again by their workers while the manager is killed; in turns with one synchronised write a change."""
    size, order = Size(suite.quick), random.Random(1)
    rounds = [Round(suite, size, order) for _ in range(1 if suite.quick else 3)]
    readings = [one.reading for one in rounds]
    table = Table(f"Transitions: {size.changes} changes of state of {size.tasks} tasks, {size.workers} simulated workers; the manager is killed {size.kills} times meanwhile; "
                  "µs of processor time a change", ["", "a second", "s", "broker", "manager", "workers", "rounds"])
    cpu = [median_cell([reading.cpu[part] for reading in readings], 0) for part in ("broker", "manager", "workers")]
    table.add("changes of state, until the manager has dealt with the last", median_cell([reading.rate for reading in readings], 0),
              median_cell([reading.seconds for reading in readings]), *cpu, len(rounds))
    table.add(f"records of {RECORD_BYTES} bytes, each synchronised by itself", median_cell([one.singles for one in rounds], 0), "", "", "", "", len(rounds))
    limits = Table("Limits: transitions", ["what", "is", "limit", ""])
    ratio, spread = ratio_of([one.reading.rate / one.singles for one in rounds])
    limits.limit("changes a second, to single synchronised writes", ratio, 20, spread=spread, least=True)
    limits.limit("changes that were made, to those that were to be", min(one.changes for one in rounds) / size.changes, 1, least=True)
    limits.limit("attempts whose last run the manager does not know", max(one.lost for one in rounds), 0)
    limits.limit("tasks that run and are not counted by the manager", max(abs(one.not_running) for one in rounds), 0)
    return [table, limits]
