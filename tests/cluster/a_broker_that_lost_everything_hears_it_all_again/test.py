"""kill -9 of Mosquitto, its persistence deleted: everything is published again and nothing is restarted."""

from case import ClusterTest, main
from cluster import sleeper
from wait import wait_until

ONES_OWN = ("spec", "desired", "assign", "state", "info")


class ABrokerThatLostEverything(ClusterTest):
    nodes = ("n1", "n2")

    def retained(self):
        """What is durable and has an owner, without what changes by itself."""
        return {topic: {key: value for key, value in document.items() if key not in ("seq", "refused_term")}
                for topic, document in self.cluster.bus.documents(lambda level: any(word in level for word in ONES_OWN)).items()}

    def test_everything_is_published_again_and_nothing_is_restarted(self):
        cluster = self.cluster
        cluster.set("web", sleeper(count=3))
        cluster.set("other", sleeper(count=1))
        cluster.wait_running("web", 3)
        cluster.wait_running("other", 1)
        footprint, retained = cluster.footprint(), self.retained()

        cluster.broker.kill()
        cluster.broker.delete_persistence()
        cluster.bus.forget()
        cluster.broker.start()

        wait_until(lambda: f"all is there again: {set(retained) - set(self.retained())}",
                   lambda: set(self.retained()) == set(retained), timeout=60)
        cluster.wait_ready()
        wait_until("the same is said", lambda: self.retained() == retained)
        cluster.wait_running("web", 3)
        self.assertEqual(cluster.footprint(), footprint)
        cluster.do("web", "scale", {"count": 4})
        cluster.wait_running("web", 4)

    def test_a_broker_that_only_restarts_is_no_event_for_tasks(self):
        cluster = self.cluster
        cluster.set("web", sleeper(count=2))
        cluster.wait_running("web", 2)
        footprint = cluster.footprint()
        cluster.broker.stop()
        cluster.broker.start()
        cluster.bus.command("do/jobs/nobody/stop", timeout=60)
        cluster.wait_running("web", 2)
        self.assertEqual(cluster.footprint(), footprint)


if __name__ == "__main__":
    main()
