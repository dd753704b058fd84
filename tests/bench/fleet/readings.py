"""What the benches of whole fleets share. Their workers are simulated (argosy-fleet): one process, the shipped core, shell, codec and
MQTT client with a connection and a will of each, a store in memory and tasks that only pretend. The manager is the shipped program
with its LMDB store. Each reading has a broker of its own; readings and references alternate, and a limit is held against the median
of the ratios of the rounds. End states are counted where the tasks run, in the simulated engines."""

import statistics

from fleet.field import ROOT, Field

CPU_OF_TASK = 0.1
LOST_AT_ONCE = ',"disconnect":{"lost_after":"0s"}'  # given up as soon as their node passes for silent
MANAGER_FILTERS = [f"{ROOT}/{rest}" for rest in (
    "jobs/+/spec", "jobs/+/history", "jobs/+/status", "nodes/+/desired", "nodes/+/assign/+", "manager/status", "nodes/+/info", "nodes/+/status",
    "nodes/+/state/+", "nodes/+/metrics")]


class Suite:
    """What every bench is given."""

    def __init__(self, tools, directory, quick):
        self.tools, self.directory, self.quick = tools, directory, quick
        self.rounds = 2 if quick else 5
        self.fields = 0

    def field(self, settings=()):
        self.fields += 1
        return Field(self.tools, self.directory / f"field-{self.fields}", settings)


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

    def cpu_cells(self):
        return [f"{self.cpu[part]:.0f}" for part in ("broker", "manager", "workers")]


def room_for(tasks, workers):
    """Cores of each worker: two tenths more than is needed."""
    return max(1, tasks / workers) * CPU_OF_TASK * 1.2


def ratio_of(pairs):
    """Median, and the spread as text."""
    return statistics.median(pairs), f" ({min(pairs):.2f} to {max(pairs):.2f})"


def median_cell(values, digits=2):
    return f"{statistics.median(values):.{digits}f}"


def publish_raw(suite, kept, messages, heard=False):
    """Seconds of one raw publisher for so many messages of a file, into a broker of its own; `heard`: and until it has heard all of them."""
    field = suite.field()
    try:
        published, seconds = (field.raw("refill-heard", kept, f"{ROOT}/#") if heard else field.raw("refill", kept))["published"]
        assert int(published) == messages
        return float(seconds)
    finally:
        field.close()
