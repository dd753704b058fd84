"""max_run: enforced by the worker alone, by each container's own start, and the end says why."""

from case import ClusterTest, main
from cluster import batch
from wait import wait_until

SLEEP = "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"


class MaxRun(ClusterTest):
    def the_failed_one(self, job):
        return next(iter(self.cluster.wait_state(job, "failed").values()))

    def test_it_is_stopped_and_failed_though_it_exits_with_0(self):
        cluster = self.cluster
        cluster.set("long", batch(SLEEP, max_run="2s", stop={"timeout": "5s"},
                                  restart={"policy": "on-failure", "attempts": 3, "delay": "50ms"}))
        attempt = self.the_failed_one("long")
        self.assertEqual((attempt["reason"], attempt["exit_code"], attempt["run"]), ("max_run", 0, 1))
        self.assertGreaterEqual(attempt["finished_ms"] - attempt["started_ms"], 2000)
        self.assertEqual(cluster.wait_job("long", "failed")["counts"]["failed"], 1)

    def test_what_ends_in_time_is_completed(self):
        self.cluster.set("short", batch("sleep 0.2", max_run="30s"))
        self.cluster.wait_job("short", "completed")

    def test_without_manager_and_broker_and_after_a_restart_of_the_worker_it_still_ends(self):
        cluster = self.cluster
        worker = cluster.worker("n1")
        cluster.set("away", batch(SLEEP, max_run="6s"))
        cluster.wait_running("away", 1)
        (attempt,) = cluster.footprint("away")
        cluster.manager.kill()
        cluster.broker.stop()
        worker.kill()
        worker.start()
        wait_until("its container has ended", lambda: not cluster.containers("away"))
        cluster.broker.start()
        cluster.manager.start()
        told = self.the_failed_one("away")
        self.assertEqual((told["id"], told["reason"], told["run"]), (attempt, "max_run", 1))


if __name__ == "__main__":
    main()
