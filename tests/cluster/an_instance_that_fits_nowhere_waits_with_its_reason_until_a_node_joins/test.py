"""Three workers with 1 core and 128 MiB each: what they hold is never exceeded, and what does not fit says why."""

from collections import Counter

from case import ClusterTest, main
from cluster import sleeper
from wait import wait_until

HALF = {"cpu": 0.5, "memory": "64MiB"}


class Capacity(ClusterTest):
    nodes = ("n1", "n2", "n3")
    worker_options = {"cpu": "1", "memory": "128MiB"}

    def test_it_is_respected_and_a_new_node_takes_what_waits(self):
        cluster = self.cluster
        cluster.set("full", sleeper(count=7, resources=HALF))
        cluster.wait_running("full", 6)
        status = wait_until("one is pending with its reason", lambda: (
            cluster.status("full") if cluster.status("full")["counts"]["pending"] == 1
            and cluster.status("full").get("pending") else None))
        per_node = Counter(attempt["node"] for attempt in cluster.attempts_in("running", "full").values())
        self.assertEqual(sorted(per_node.values()), [2, 2, 2])
        (group,) = status["pending"]
        self.assertEqual(group["count"], 1)
        self.assertEqual(sum(one["nodes"] for one in group["excluded"]), 3)
        self.assertLessEqual({one["reason"] for one in group["excluded"]}, {"cpu_exhausted", "memory_exhausted"})
        self.assertTrue(group["text"] and group["nearest"])
        before = cluster.footprint("full")

        cluster.add_worker("n4", cpu="1", memory="128MiB")
        cluster.wait_running("full", 7)
        self.assertLessEqual(before.items(), cluster.footprint("full").items(), "something was moved or restarted")
        wait_until("nothing is pending", lambda: not cluster.status("full").get("pending"))

    def test_what_one_job_gives_back_another_gets(self):
        cluster = self.cluster
        cluster.set("first", sleeper(count=6, resources=HALF))
        cluster.wait_running("first", 6)
        cluster.set("second", sleeper(count=1, resources=HALF))
        wait_until("the second waits", lambda: cluster.status("second")["counts"]["pending"] == 1)
        cluster.do("first", "scale", {"count": 5})
        cluster.wait_running("second", 1)
        cluster.wait_running("first", 5)

    def test_a_datacenter_that_nobody_is_in_is_a_reason(self):
        cluster = self.cluster
        cluster.set("far", sleeper(datacenters=["mars-*"]))
        status = wait_until("it is pending", lambda: cluster.status("far") if cluster.status("far").get("pending") else None)
        (group,) = status["pending"]
        self.assertEqual([(one["reason"], one["nodes"]) for one in group["excluded"]], [("datacenter", 3)])
        cluster.add_worker("n5", datacenter="mars-1")
        cluster.wait_running("far", 1)


if __name__ == "__main__":
    main()
