"""System and sysbatch jobs: one container on each node of the datacenters, late joiners too, none twice."""

from collections import Counter

from case import ClusterTest, main
from cluster import batch, sleeper
from wait import wait_until


def system(**more):
    spec = sleeper(**more)
    del spec["count"]
    return {**spec, "type": "system"}


class SystemJobs(ClusterTest):
    nodes = ("n1", "n2")

    def nodes_of(self, job):
        return Counter(attempt["node"].split("-")[0] for attempt in self.cluster.attempts_in("running", job).values())

    def wait_nodes(self, job, *names):
        wait_until(lambda: f"{job} on {names}: {self.cluster.describe(job)}",
                   lambda: self.nodes_of(job) == Counter(names))
        self.cluster.wait_running(job, len(names))

    def test_one_on_each_node_and_on_those_that_join_later(self):
        cluster = self.cluster
        cluster.set("mon", system())
        self.wait_nodes("mon", "n1", "n2")
        before = cluster.footprint("mon")
        cluster.add_worker("n3")
        self.wait_nodes("mon", "n1", "n2", "n3")
        self.assertLessEqual(before.items(), cluster.footprint("mon").items(), "something was restarted")
        self.assertEqual(cluster.status("mon")["wanted"], 3)
        cluster.do("mon", "delete")
        cluster.wait_gone("mon")

    def test_only_in_its_datacenters(self):
        cluster = self.cluster
        cluster.add_worker("far", datacenter="mars-1")
        cluster.set("mon", system(datacenters=["dc*"]))
        self.wait_nodes("mon", "n1", "n2")
        cluster.set("mon", system(datacenters=["mars-*"]))
        self.wait_nodes("mon", "far")

    def test_a_worker_that_was_away_and_a_new_manager_change_nothing(self):
        cluster = self.cluster
        cluster.set("mon", system(disconnect={"lost_after": "0s"}))
        self.wait_nodes("mon", "n1", "n2")
        before = cluster.footprint("mon")
        cluster.worker("n2").kill()
        wait_until("it is unknown", lambda: cluster.status("mon")["counts"]["unknown"] == 1)
        cluster.manager.kill()
        cluster.manager.delete_store()
        cluster.manager.start()
        cluster.worker("n2").start()
        self.wait_nodes("mon", "n1", "n2")
        self.assertEqual(cluster.footprint("mon"), before)

    def test_a_new_version_replaces_one_node_at_a_time(self):
        cluster = self.cluster
        cluster.set("mon", system(update={"max_parallel": 1, "min_healthy": "500ms"}))
        self.wait_nodes("mon", "n1", "n2")
        before = cluster.footprint("mon")
        cluster.set("mon", system(update={"max_parallel": 1, "min_healthy": "500ms"}, env={"A": "b"}))
        wait_until("both are new", lambda: not set(before) & set(cluster.footprint("mon"))
                   and not cluster.status("mon").get("outdated"))
        self.wait_nodes("mon", "n1", "n2")

    def test_a_sysbatch_completes_on_each_node(self):
        cluster = self.cluster
        cluster.set("fix", {**batch("exit 0"), "type": "sysbatch", "reschedule": {}})
        cluster.wait_job("fix", "completed")
        self.assertEqual(cluster.status("fix")["counts"]["completed"], 2)
        cluster.add_worker("n3")
        wait_until("three completed", lambda: cluster.status("fix")["counts"]["completed"] == 3)
        self.assertEqual(len(cluster.attempts("fix")), 3)


if __name__ == "__main__":
    main()
