"""Placement on real containers: constraints on labels, spread, and a higher priority that takes the room of a lower one."""

from case import ClusterTest, main
from cluster import sleeper
from wait import wait_until

BIG = {"cpu": 3, "memory": "16MiB"}  # a worker has four cores: one of these fills it


class Placement(ClusterTest):
    nodes = ("n1", "n2")
    manager_options = ("--preemption", "all")

    def nodes_of(self, job):
        return sorted(attempt["node"].split("-")[0] for attempt in self.cluster.attempts_in("running", job).values())

    def label(self, node, **labels):
        words = [f"{key}={value}" for key, value in labels.items()]
        result = self.cluster.argosy("node", "labels", self.cluster.worker(node).node, *words)
        self.assertEqual(result.status, 0, result)

    def test_a_constraint_waits_for_a_label_and_a_new_one_moves_the_container(self):
        cluster = self.cluster
        cluster.set("web", sleeper(constraints=["label.site == graz"]))
        wait_until("it says which constraint", lambda: cluster.status("web")["pending"][0]["excluded"][0]["detail"]
                   == "label.site == graz")
        result = cluster.argosy("status", "web")
        self.assertIn("label.site == graz", result.out)
        self.label("n2", site="graz")
        cluster.wait_running("web", 1)
        self.assertEqual(self.nodes_of("web"), ["n2"])
        cluster.set("web", sleeper(constraints=["label.site != graz"]))
        wait_until("it has moved", lambda: self.nodes_of("web") == ["n1"])
        cluster.wait_running("web", 1)

    def test_distinct_hosts_and_spread_use_both_nodes(self):
        cluster = self.cluster
        cluster.set("one", sleeper(2, distinct_hosts=True))
        cluster.set("even", sleeper(4, spread=[{"attribute": "node.id"}]))
        cluster.wait_running("one", 2)
        cluster.wait_running("even", 4)
        self.assertEqual((self.nodes_of("one"), self.nodes_of("even")), (["n1", "n2"], ["n1", "n1", "n2", "n2"]))

    def test_a_higher_priority_gets_its_room_and_who_made_room_comes_back(self):
        cluster = self.cluster
        cluster.set("low", sleeper(2, priority=20, resources=BIG))
        cluster.wait_running("low", 2)
        before = set(cluster.footprint("low"))
        plan = cluster.argosy("plan", "-", "--json", stdin='{"name":"high","image":"x","priority":70,"resources":{"cpu":3}}')
        (one,) = plan.json["instances"]
        cluster.set("high", sleeper(priority=70, resources=BIG))
        cluster.wait_running("high", 1)
        cluster.wait_running("low", 1)
        self.assertEqual(len(before & set(cluster.footprint("low"))), 1, "another one was restarted")
        self.assertEqual((self.nodes_of("high"), len(one["preempts"])), ([one["node"].split("-")[0]], 1))
        self.assertEqual(cluster.status("low")["pending"][0]["count"], 1)
        cluster.do("high", "delete")
        cluster.wait_running("low", 2)
        self.assertFalse([one for one in cluster.attempts_in("failed", "low")])

    def test_room_that_is_being_made_survives_a_new_manager(self):
        cluster = self.cluster
        stubborn = sleeper(priority=20, resources=BIG, stop={"timeout": "5s"},
                           command=["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
        cluster.set("low", {**stubborn, "count": 2})
        cluster.wait_running("low", 2)
        cluster.set("high", sleeper(priority=70, resources=BIG))
        wait_until("room is being made", lambda: cluster.status("high")["pending"][0]["reason"] == "making_room")
        cluster.manager.kill()
        cluster.manager.start()
        cluster.wait_running("high", 1)
        cluster.wait_running("low", 1)


if __name__ == "__main__":
    main()
