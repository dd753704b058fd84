"""dockerd stopped, killed, started again, with and without live-restore."""

import tempfile

from case import ClusterTest, main
from cluster import Cluster, sleeper
from engine import Engine
from wait import wait_until


class ARestartedEngine(ClusterTest):
    @classmethod
    def make(cls, directory):
        live_restore = "test_with_live_restore" in directory.name
        cls.engine = Engine(tempfile.mkdtemp(prefix="agt-", dir="/tmp"), live_restore).start()
        return Cluster(directory, cls.engine.docker, cls.record)

    @classmethod
    def _close(cls):
        try:
            return super()._close()
        finally:
            cls.engine.close()

    def restart_policy(self):
        return {"attempts": 10, "delay": "100ms"}

    def test_without_live_restore_its_containers_are_restarted_by_policy(self):
        cluster = self.cluster
        cluster.set("web", sleeper(count=2, restart=self.restart_policy()))
        cluster.wait_running("web", 2)
        attempts = set(cluster.attempts("web"))
        self.engine.stop()
        self.engine.start()
        cluster.wait_running("web", 2, timeout=60)
        self.assertEqual(set(cluster.attempts_in("running", "web")), attempts, "the same attempts run again")
        self.assertEqual({one["restarts"] for one in cluster.attempts("web").values()}, {1})

    def test_with_live_restore_nothing_is_restarted(self):
        cluster = self.cluster
        cluster.set("web", sleeper(count=2, restart=self.restart_policy()))
        cluster.wait_running("web", 2)
        before = cluster.footprint("web")
        self.engine.kill()
        self.engine.start()
        cluster.set("more", sleeper(count=1))
        cluster.wait_running("more", 1, timeout=60)
        cluster.wait_running("web", 2, timeout=60)
        self.assertEqual(cluster.footprint("web"), before)
        self.assertEqual({one["restarts"] for one in cluster.attempts("web").values()}, {0})

    def test_what_is_submitted_while_it_is_down_starts_when_it_is_back(self):
        cluster = self.cluster
        self.engine.stop()
        cluster.set("later", sleeper(count=1, restart=self.restart_policy()))
        def reason():
            waiting = [group["reason"] for group in (cluster.status("later") or {}).get("pending", [])]
            excluded = [one["reason"] for group in (cluster.status("later") or {}).get("pending", []) for one in group["excluded"]]
            return waiting + excluded + [one.get("reason") for one in cluster.attempts("later").values()]
        wait_until(lambda: f"it says what it waits for: {cluster.describe_words('later')}",
                   lambda: {"engine_down", "runtime_missing"} & set(reason()))
        self.engine.start()
        cluster.wait_running("later", 1, timeout=60)


if __name__ == "__main__":
    main()
