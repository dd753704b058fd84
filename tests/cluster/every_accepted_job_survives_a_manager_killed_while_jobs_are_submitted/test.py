"""kill -9 of the manager, again and again, while a job is submitted every 10 ms."""

import json
import threading
import time

from case import ClusterTest, main
from wait import wait_until

JOBS, KILLS = 400, 3


def simulated(index):
    return {"runtime": "simulated", "image": "none", "env": {"NUMBER": str(index)}, "resources": {"cpu": 0.001, "memory": "1MiB"}}


class AManagerKilledWhileJobsAreSubmitted(ClusterTest):
    worker_options = {"memory": "4GiB", "options": ("--runtimes", "simulated")}

    def answers(self, position):
        found = {}
        for message in self.cluster.bus.since(position):
            level = message.topic.split("/")
            if level[:2] == ["do", "jobs"] and level[-1] in ("accepted", "rejected") and len(level) == 5:
                found.setdefault(level[2], []).append((level[-1], message.json))
        return found

    def test_every_accepted_job_exists_exactly_once_and_the_rest_can_be_sent_again(self):
        cluster, position = self.cluster, self.cluster.bus.position()
        # The submitter has a connection of its own and never waits for answers.
        submitter = cluster.bus.client("submitter")
        submitter.connect(cluster.broker.host, cluster.broker.port)
        submitter.loop_start()
        self.addCleanup(submitter.loop_stop)
        submitted = threading.Event()

        def submit():
            for index in range(JOBS):
                submitter.publish(f"{cluster.root}/do/jobs/job-{index}/set", json.dumps(simulated(index)), 1)
                time.sleep(0.01)
            submitted.set()
        thread = threading.Thread(target=submit)
        thread.start()
        killed = 0
        while not submitted.is_set():
            count = len(self.answers(position))
            wait_until("some more are answered", lambda: submitted.is_set() or len(self.answers(position)) > count + 20)
            cluster.manager.kill()
            cluster.manager.start()
            killed += 1
        thread.join()
        self.assertGreaterEqual(killed, KILLS, "the manager was not killed often enough for the test to mean much")
        accepted_early = {job for job, answers in self.answers(position).items() if answers[0][0] == "accepted"}

        # Whatever got no answer is sent again: it is one job all the same.
        cluster.wait_ready()
        for index in range(JOBS):
            if f"job-{index}" not in accepted_early:
                self.assertEqual(cluster.set(f"job-{index}", simulated(index), timeout=60)["version"], 1)
        for index in range(JOBS):
            document = cluster.spec(f"job-{index}")
            self.assertEqual((document["version"], document["spec"]["tasks"][0]["env"]["NUMBER"]), (1, str(index)))
        wait_until("all run", lambda: len(cluster.attempts_in("running", None)) == JOBS, timeout=60)
        instances = [name.rsplit("_", 1)[0] for name in cluster.attempts()]
        self.assertEqual(len(instances), len(set(instances)), "an instance has two attempts")


if __name__ == "__main__":
    main()
