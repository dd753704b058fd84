"""Podman's API is the Engine API with an accent: what the main job needs of an engine, on a real Podman."""

import pathlib
import tempfile

from case import ClusterTest, main
from cluster import Cluster, batch, httpd, sleeper
from podman import Podman
from wait import wait_until


class PodmanRunsTasks(ClusterTest):
    shared = True

    @classmethod
    def setUpClass(cls):
        cls.podman = Podman(pathlib.Path(tempfile.mkdtemp(prefix="argosy-podman-", dir="/tmp")) / "engine")
        cls.addClassCleanup(cls.podman.directory.parent.rmdir)
        cls.addClassCleanup(cls.podman.close)
        cls.podman.start()
        super().setUpClass()

    @classmethod
    def make(cls, directory):
        return Cluster(directory, cls.podman.docker, cls.record)

    def tearDown(self):
        for topic in self.cluster.bus.documents(lambda level: level[0] == "jobs" and level[2] == "spec"):
            job = topic.split("/")[1]
            self.cluster.do(job, "delete")
            self.cluster.wait_gone(job)

    def test_a_service_runs_with_its_ports_and_stops(self):
        self.cluster.set("web", httpd(count=2, ports=["8080"]))
        self.cluster.wait_running("web", 2)
        published = {self.cluster.docker.inspect(one["Id"])["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"]
                     for one in self.cluster.containers("web")}
        told = {str(one["ports"][0]["host"]) for one in self.cluster.attempts_in("running", "web").values()}
        self.assertEqual((told, len(told)), (published, 2))  # whether the machine's firewall lets anybody through is not ours
        self.cluster.do("web", "stop")
        self.cluster.wait_job("web", "stopped")
        self.assertEqual(self.cluster.containers("web"), [])

    def test_an_end_is_told_at_once_with_its_code_and_the_log_is_kept(self):
        self.cluster.set("bad", batch("echo over and out; exit 7"))
        self.cluster.wait_job("bad", "failed")
        (attempt,) = self.cluster.attempts("bad").values()
        self.assertEqual((attempt["state"], attempt["exit_code"]), ("failed", 7))
        self.assertEqual(self.cluster.argosy("logs", "bad_bad_0").out, "over and out\n")
        self.cluster.set("good", batch("exit 0"))
        self.cluster.wait_job("good", "completed")

    def test_a_killed_container_is_restarted_and_counted(self):
        self.cluster.set("web", sleeper(restart={"delay": "100ms"}))
        self.cluster.wait_running("web", 1)
        self.cluster.docker.kill(self.cluster.container_of("web_web_0"))
        wait_until("restarted once", lambda: [one["restarts"] for one in self.cluster.attempts_in("running", "web").values()] == [1])
        self.cluster.wait_running("web", 1)

    def test_a_killed_worker_adopts_its_containers(self):
        self.cluster.set("web", sleeper(count=2))
        self.cluster.wait_running("web", 2)
        before = self.cluster.footprint("web")
        worker = self.cluster.worker("n1")
        worker.kill().start()
        self.cluster.wait_online(worker)
        self.cluster.wait_running("web", 2)
        self.assertEqual(self.cluster.footprint("web"), before)

    def test_what_cannot_start_says_why_and_leaves_nothing(self):
        self.cluster.set("nothing", batch("exit 0") | {"image": "no-such-image:1"})
        self.cluster.wait_job("nothing", "failed")
        (attempt,) = self.cluster.attempts("nothing").values()
        self.assertEqual(attempt["reason"], "image_not_found")
        self.cluster.set("wrong", batch("exit 0") | {"command": ["/no/such/command"]})
        self.cluster.wait_job("wrong", "failed")
        (attempt,) = self.cluster.attempts("wrong").values()
        self.assertEqual(attempt["reason"], "command_not_found")
        self.assertEqual(self.cluster.containers("nothing", running=False) + self.cluster.containers("wrong", running=False), [])


if __name__ == "__main__":
    main()
