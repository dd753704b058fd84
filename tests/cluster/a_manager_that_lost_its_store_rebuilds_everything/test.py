"""The manager's store is deleted: it is rebuilt from the bus, and no container is restarted."""

from case import ClusterTest, main
from cluster import batch, sleeper
from wait import wait_until


class AManagerThatLostItsStore(ClusterTest):
    nodes = ("n1", "n2")

    def prepare_jobs(self):
        cluster = self.cluster
        cluster.set("web", sleeper(count=3))
        cluster.set("done", batch("exit 0"))
        cluster.set("broken", batch("exit 5"))
        cluster.set("halted", sleeper())
        cluster.wait_running("web", 3)
        cluster.wait_running("halted", 1)
        cluster.do("halted", "stop")
        cluster.wait_job("halted", "stopped")
        cluster.wait_job("done", "completed")
        cluster.wait_job("broken", "failed")

    def lose(self, also=lambda: None, back=lambda: None):
        cluster = self.cluster
        term = cluster.bus.document("manager/status")["term"]
        position = cluster.bus.position()
        cluster.manager.kill()
        also()
        cluster.manager.delete_store()
        back()
        cluster.manager.start()
        cluster.bus.wait_for(lambda message: message.topic == "manager/status" and message.json
                             and message.json["state"] == "leading" and message.json["term"] > term,
                             "a manager leads with a higher term", since=position)

    def check(self, before):
        cluster = self.cluster
        cluster.wait_running("web", 3)
        self.assertEqual(cluster.footprint("web"), before)
        for job, state in (("halted", "stopped"), ("done", "completed"), ("broken", "failed"), ("web", "running")):
            cluster.wait_job(job, state)
        self.assertEqual({job: cluster.spec(job)["version"] for job in ("web", "done", "broken", "halted")},
                         {"web": 1, "done": 1, "broken": 1, "halted": 1})
        self.assertEqual([attempt["run"] for attempt in cluster.attempts("done").values()], [1], "a finished batch ran again")
        self.assertEqual([attempt["run"] for attempt in cluster.attempts("broken").values()], [1], "a failed batch ran again")
        # and it governs on: the same job is the same job, and scaling works
        self.assertFalse(cluster.set("web", sleeper(count=3))["changed"])
        cluster.do("web", "scale", {"count": 4})
        cluster.wait_running("web", 4)
        self.assertLessEqual(before.items(), cluster.footprint("web").items())

    def test_from_what_is_retained_and_no_container_is_restarted(self):
        self.prepare_jobs()
        before = self.cluster.footprint("web")
        self.lose()
        self.check(before)

    def test_from_the_workers_alone_when_the_broker_lost_everything_too(self):
        cluster = self.cluster
        cluster.set("web", sleeper(count=3))
        cluster.wait_running("web", 3)
        before = cluster.footprint("web")
        cluster_id = cluster.bus.document("manager/status")["cluster"]

        def lose_broker():
            cluster.broker.kill()
            cluster.broker.delete_persistence()
            cluster.bus.forget()
        self.lose(also=lose_broker, back=cluster.broker.start)
        cluster.wait_running("web", 3, timeout=60)
        self.assertEqual(cluster.footprint("web"), before)
        wait_until("the job is published again", lambda: cluster.spec("web"))
        self.assertEqual((cluster.spec("web")["version"], cluster.bus.document("manager/status")["cluster"]), (1, cluster_id))
        self.assertFalse(cluster.set("web", sleeper(count=3))["changed"])
        cluster.do("web", "scale", {"count": 1})
        cluster.wait_running("web", 1)


if __name__ == "__main__":
    main()
