"""A broker, a manager and simulated workers for one reading of a bench, and what they cost."""

import os
import re
import shutil
import subprocess
import time

from broker import Broker
from fleet import messages
from process import Process
from wait import wait_until

TICKS = os.sysconf("SC_CLK_TCK")
ROOT = "t"
WORKERS_A_PROCESS = 5000  # each takes three descriptors
QUIET_SECONDS, QUIET_CPU = 0.5, 0.03
HEARTBEATS_CPU = 2e-5  # of a worker, which are not work: seconds a second


def cpu_of(pid):
    """Seconds of processor time, of all threads."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid):
    """Bytes; the pages of the store that are mapped are the kernel's to drop, and not counted."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return int(re.search(r"^Anonymous:\s+(\d+) kB", rollup.read(), re.M).group(1)) * 1024


class Fleet:
    """One process with many simulated workers."""

    def __init__(self, field, first, count, cpu, interval):
        self.count, self.report_file = count, field.directory / f"report-{first}"
        with open(field.directory / f"fleet-{first}.log", "ab") as log:
            self.child = subprocess.Popen(
                [str(word) for word in (field.tools / "argosy-fleet", "--broker", field.broker.address, "--root", ROOT, "--first", first,
                                        "--count", count, "--cpu", f"{cpu:.2f}", "--interval", interval)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.child.stdout.readline().startswith("started"), f"argosy-fleet ended; see {log.name}"

    @property
    def pid(self):
        return self.child.pid

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().split()

    def connected(self):
        return int(self.ask("count")[1])

    def settled(self):
        """Have heard what is retained for them, and the broker has what they said."""
        return int(self.ask("count")[3])

    def running(self):
        """(node, task, run) of each execution, as the engines know them."""
        self.ask(f"report {self.report_file}")
        return [tuple(line.split()) for line in self.report_file.read_text().splitlines()]

    def end(self, each):
        """So many tasks of each worker end with code 1; how many will."""
        return int(self.ask(f"end {each}")[1])

    def tally(self):
        """How many tasks run, and the sum of the numbers of their runs."""
        words = self.ask("end 0")
        return int(words[3]), int(words[5])

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()


class Field:
    """`settings`: lines of the broker's configuration beside those that we ship."""

    def __init__(self, tools, directory, settings=()):
        self.tools, self.directory = tools, directory
        self.broker = Broker(directory / "broker", ("allow_anonymous true", *settings)).start()
        self.fleets, self.others, self.recorders = [], [], []
        self.said = 0  # by the manager before its last start
        self.spent = 0  # seconds of processor time, by managers that were killed
        self.manager = Process("manager", [tools / "argosy-manager", "--broker", self.broker.address, "--root", ROOT, "--data-dir",
                                           directory / "store"], directory / "manager.log")

    def start(self, workers, cpu, interval="10s", together=WORKERS_A_PROCESS):
        """A manager that leads, and so many connected workers."""
        self.start_manager()
        return self.start_workers(workers, cpu, interval, together)

    def start_manager(self):
        """Started, and leading."""
        self.launch_manager()
        self.wait_leading()

    def launch_manager(self):
        self.note_log()
        self.manager.start()

    def kill_manager(self):
        self.spent += cpu_of(self.manager.pid)
        self.manager.kill()

    def note_log(self):
        """wait_leading() waits for what is said from here on."""
        self.said = len(self.manager.read_log())

    def wait_leading(self):
        wait_until("the manager leads", lambda: "leading" in self.manager.read_log()[self.said:], timeout=300, interval=0.01)

    def delete_store(self):
        shutil.rmtree(self.directory / "store")

    def start_workers(self, workers, cpu, interval="10s", together=WORKERS_A_PROCESS):
        """`together`: so many in a process, which end with it."""
        for first in range(0, workers, together):
            self.fleets.append(Fleet(self, first, min(together, workers - first), cpu, interval))
        self.wait_connected()
        self.settle()
        return self

    def wait_connected(self):
        wait_until("the workers are connected", lambda: all(fleet.connected() == fleet.count for fleet in self.fleets), timeout=120, interval=0.01)

    def wait_settled(self):
        """The manager leads, and workers have heard and said all that a connection begins with. What the manager says of it may follow."""
        self.wait_leading()
        wait_until("the workers have settled", lambda: all(fleet.settled() == fleet.count for fleet in self.fleets), timeout=120, interval=0.02)

    def settle(self):
        """Until nobody works any more: what was said is done with."""
        def is_idle():
            before = sum(self.cpu().values())
            subprocess.run(["sleep", "1"], check=True)
            return sum(self.cpu().values()) - before < 0.1 + HEARTBEATS_CPU * sum(fleet.count for fleet in self.fleets)
        wait_until("all is quiet", is_idle, timeout=120)

    def quiet_since(self):
        """Waits as settle() does; when the work ended, in monotonic seconds."""
        samples = [(time.monotonic(), sum(self.cpu().values()))]
        while samples[-1][0] < samples[0][0] + QUIET_SECONDS or samples[-1][1] > samples[0][1] + QUIET_CPU:
            time.sleep(0.02)
            samples.append((time.monotonic(), sum(self.cpu().values())))
            while samples[-1][0] - samples[1][0] > QUIET_SECONDS:
                samples.pop(0)
        return samples[0][0]

    def start_null(self, prefix, jobs, workers, together):
        """The null pipeline instead."""
        for name, words in (("null-manager", (prefix, jobs, workers, together)), ("null-workers", (0, workers, together))):
            other = Process(name, [self.tools / "fleet_raw", name, self.broker.host, self.broker.port, ROOT, *words], self.directory / f"{name}.log")
            self.others.append(other.start())
            other.wait_for_log("ready", timeout=120)
        return self

    def raw(self, verb, *words, timeout=900):
        """Runs a reference program; its lines, as words."""
        done = subprocess.run([str(word) for word in (self.tools / "fleet_raw", verb, self.broker.host, self.broker.port, *words)],
                              capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode:
            raise RuntimeError(f"fleet_raw {verb}: {done.stderr}")
        return {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}

    def retained(self, name, filters):
        """What is retained, in a file of that name and as a set of (topic, payload)."""
        file = self.directory / name
        self.raw("drain", file, filters)
        return set(messages.unpack(file.read_bytes()))

    def say(self, said):
        """Publishes these (topic, payload)."""
        file = self.directory / "said"
        file.write_bytes(messages.pack(said))
        self.raw("say", file)

    def record(self, filters):
        """Begins to record what is said; a function that ends it and gives (time, topic, payload) of each message."""
        file = self.directory / "recorded"
        recorder = Process("record", [self.tools / "fleet_raw", "record", self.broker.host, self.broker.port, file, filters], self.directory / "record.log")
        self.recorders.append(recorder.start())
        recorder.wait_for_log("ready")

        def ended():
            recorder.stop()
            return list(messages.unpack(file.read_bytes(), stamped=True))
        return ended

    def submit(self, prefix, jobs, instances, more="", timeout=900):
        """Seconds until the manager has said that all of them run; `more`: further members of the specification, each after a comma."""
        return float(self.raw("submit", ROOT, prefix, jobs, instances, more, timeout=timeout)["running"][1])

    def cpu(self):
        workers = [process.pid for process in (*self.fleets, *self.others[1:])]
        manager = self.others[0] if self.others else self.manager
        return {"broker": cpu_of(self.broker.process.pid), "manager": self.spent + (cpu_of(manager.pid) if manager.is_running() else 0),
                "workers": sum(cpu_of(pid) for pid in workers)}

    def memory(self):
        """Bytes."""
        return {"broker": memory_of(self.broker.process.pid), "manager": memory_of(self.manager.pid),
                "workers": sum(memory_of(fleet.pid) for fleet in self.fleets)}

    def running(self):
        return [line for fleet in self.fleets for line in fleet.running()]

    def tally(self):
        """As of one fleet, of all."""
        return tuple(map(sum, zip(*(fleet.tally() for fleet in self.fleets))))

    def check_running(self, wanted, runs=("1",)):
        """Counted by the engines: so many, each once; `runs`: that they may have, None: any."""
        found = self.running()
        slots = {task.rsplit("_", 1)[0] for _, task, _ in found}
        assert len(found) == len(slots) == wanted, f"{len(found)} executions of {len(slots)} instances run, wanted {wanted}"
        assert runs is None or all(run in runs for _, _, run in found), "something was started again"

    def close(self):
        for process in (*self.fleets, *self.others, *self.recorders, self.manager):
            process.kill()
        self.broker.close()
        shutil.rmtree(self.directory, ignore_errors=True)
