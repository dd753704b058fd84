"""Instructions, counted by callgrind: a bench of the hot paths that does not depend on what else the machine does.

The simulation plays fixed seeds: the shipped shells, cores and codec of manager and workers, one thread, no clock but its own. What is
counted of a function is what it and all that it calls took (the simulated bus, store and oracle, too, where it calls or they call it). The
sums are kept in counts.list beside this file, so that a call more is seen as well as a call that costs more; one that has grown by more than a
twentieth is a limit missed. A change that is meant to cost more writes the list anew (--write), and says why in its commit."""

import collections
import pathlib
import re
import shutil
import subprocess
import sys

from table import Table

LIST = pathlib.Path(__file__).parent / "counts.list"
PLAYED = ("--seeds", "1..6", "--nodes", "8", "--jobs", "12", "--steps", "120", "--faults", "none")
TOLERANCE = 1.05
# Found by their names, so they are functions that no compiler inlines: called through pointers, or from other files. None calls itself.
FUNCTIONS = {
    "manager_step": "the manager decides on an event",
    "manager_shell_on_message": "the manager hears a message",
    "manager_shell_write": "the manager writes what has changed",
    "worker_step": "a worker decides on an event",
    "codec_decode_set": "a specification is read",
    "codec_decode": "another message is read",
    "ledger_commit": "what a batch changed is stored and published",
    "cluster_place": "an instance is placed",
}

NAMED = re.compile(r"^c?fn=\((\d+)\)(?: (.*))?$")


class Profile:
    """Calls, and instructions with all that was called, of each function of a file of callgrind's."""

    def __init__(self, path):
        self.names = {}
        self.calls, self.cost = collections.Counter(), collections.Counter()
        self.read(path)

    def read(self, path):
        called, awaits_cost = None, False
        for line in path.read_text().splitlines():
            named = NAMED.match(line)
            if named:
                if named.group(2):
                    self.names[named.group(1)] = named.group(2)
                if line.startswith("c"):
                    called = named.group(1)
            elif line.startswith("calls="):
                self.calls[called] += int(line[6:].split()[0])
                awaits_cost = True
            elif awaits_cost:
                self.cost[called] += int(line.split()[1])
                awaits_cost = False

    def of(self, function):
        """(calls, instructions)"""
        ids = [number for number, name in self.names.items() if name == function]
        return sum(self.calls[number] for number in ids), sum(self.cost[number] for number in ids)


def count(simulation, directory):
    if not shutil.which("valgrind"):
        sys.exit("the counts need valgrind: apt-get install valgrind")
    out = directory / "callgrind.out"
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", simulation, *PLAYED], check=True, capture_output=True)
    return Profile(out)


def kept():
    """Instructions of each function, as the list says."""
    return {name: int(value) for name, value in (line.split() for line in LIST.read_text().splitlines() if not line.startswith("#"))}


def write_list(profile):
    lines = [f"{name} {profile.of(name)[1]}" for name in FUNCTIONS]
    LIST.write_text("# Instructions, with all that it calls: tests/bench/run counts --write\n" + "\n".join(lines) + "\n")


def counts(simulation, directory, anew):
    """Its tables, beside what was kept until now; `anew`: the list is written then."""
    profile, before = count(simulation, directory), kept()
    missing = [name for name in FUNCTIONS if not profile.of(name)[0]]
    assert not missing, f"no longer found by their names: {', '.join(missing)}"
    table = Table("Instructions, by callgrind", ["", "function", "calls", "instructions a call"])
    limits = Table("Limits: counts", ["what", "is", "limit", ""])
    for name, what in FUNCTIONS.items():
        calls, cost = profile.of(name)
        table.add(what, name, calls, f"{cost / calls:.0f}")
        limits.limit(f"{name}, all instructions, to what was kept", cost / before.get(name, cost), TOLERANCE)
    if anew:
        write_list(profile)
    return [table, limits]
