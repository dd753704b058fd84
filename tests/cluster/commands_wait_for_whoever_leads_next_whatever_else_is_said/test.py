"""Nobody leads, states fill whatever queue the broker has, a job is submitted: whoever leads next runs it."""

import json
import subprocess

from case import ClusterTest, main
from cluster import Cluster, shared_docker
from wait import wait_until

QUEUE = 50  # messages that the broker keeps for a session
ENDLESS = {"runtime": "process", "command": ["true"], "resources": {"cpu": 0.01, "memory": "8MiB"},
           "restart": {"policy": "always", "attempts": 100000, "interval": "1h", "delay": "10ms", "backoff": "constant"}}
WEB = {"runtime": "process", "command": ["sleep", "1000"], "resources": {"cpu": 0.01, "memory": "8MiB"}}


class CommandsWait(ClusterTest):
    worker_options = {"options": ("--runtimes", "process")}

    @classmethod
    def make(cls, directory):
        return Cluster(directory, shared_docker(), cls.record,
                       extra=("allow_anonymous true", f"max_queued_messages {QUEUE}", "sys_interval 1"))

    def states_said(self, position):
        return sum(message.topic.endswith("/state/endless") for message in self.cluster.bus.since(position))

    def submit(self):
        """As somebody with a shell does."""
        broker = self.cluster.broker
        subprocess.run(["mosquitto_pub", "-h", broker.host, "-p", str(broker.port), "-q", "1", "-t",
                        f"{self.cluster.root}/do/jobs/web/set", "-m", json.dumps(WEB)], check=True)

    def watch_sessions(self):
        """What the broker says, each time it changes: how many sessions it keeps for clients that are not there."""
        said, client = [], self.cluster.bus.client("watcher")
        client.on_connect = lambda *_: client.subscribe("$SYS/broker/clients/disconnected")
        client.on_message = lambda _client, _data, message: said.append(int(message.payload))
        client.connect(self.cluster.broker.host, self.cluster.broker.port)
        client.loop_start()
        self.addCleanup(client.loop_stop)
        return said

    def leave_them_alone(self):
        """The manager dies, more is said than a queue holds, then a job is submitted."""
        cluster = self.cluster
        cluster.set("endless", ENDLESS)
        wait_until("it ends again and again", lambda: any(one["run"] > 2 for one in cluster.attempts("endless").values()))
        cluster.manager.kill()
        position = cluster.bus.position()
        wait_until(lambda: f"states are said: {self.states_said(position)}", lambda: self.states_said(position) > 2 * QUEUE, 60)
        self.submit()

    def assert_it_runs(self):
        cluster = self.cluster
        cluster.bus.wait_for(lambda message: message.topic == "do/jobs/web/set/accepted", "the answer")
        cluster.wait_state("web", "running")
        for job in ("endless", "web"):
            cluster.do(job, "delete")
        for job in ("endless", "web"):
            cluster.wait_gone(job)  # processes outlive their worker

    def test_the_same_manager_again(self):
        self.leave_them_alone()
        self.cluster.start_manager()
        self.assert_it_runs()

    def test_another_manager_on_an_empty_store_and_nothing_of_the_old_one_is_kept(self):
        kept = self.watch_sessions()
        self.leave_them_alone()
        wait_until(lambda: f"only commands have a session: {kept}", lambda: kept[-1] == 1)
        self.cluster.manager.delete_store()
        self.cluster.start_manager()
        self.assert_it_runs()
        wait_until(lambda: f"nobody is missed: {kept}", lambda: kept[-1] == 0)


if __name__ == "__main__":
    main()
