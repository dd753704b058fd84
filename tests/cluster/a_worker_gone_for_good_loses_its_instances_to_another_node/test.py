"""A node that stays silent: its service instances run elsewhere after the grace, and only after it."""

import time

from case import ClusterTest, main
from cluster import GRACE_MS, INTERVAL_MS, batch, instance_of, sleeper
from wait import wait_until

SILENT_S = (3 * INTERVAL_MS + GRACE_MS) / 1000
LOST_AFTER_S = 1.0
IMPATIENT = {"disconnect": {"lost_after": "1s"}, "reschedule": {"delay": "100ms"}}


class AWorkerGoneForGood(ClusterTest):
    nodes = ("n1", "n2")

    def spread(self, **more):
        """One job with instances on both nodes."""
        spec = sleeper(count=4, resources={"cpu": 1.5, "memory": "16MiB"}, **{**IMPATIENT, **more})
        self.cluster.set("web", spec)
        self.cluster.wait_running("web", 4)
        self.cluster.add_worker("n3")
        self.cluster.wait_ready()

    def on(self, node):
        return {name: one for name, one in self.cluster.attempts_in("running", "web").items() if one["node"] == node}

    def test_its_instances_run_elsewhere_after_the_grace_and_the_others_stay(self):
        self.spread()
        gone = self.cluster.worker("n1")
        lost, kept = self.on(gone.node), self.on(self.cluster.worker("n2").node)
        footprint = self.cluster.footprint("web")
        gone.kill()
        at = time.monotonic()
        n3 = self.cluster.worker("n3").node
        wait_until("replacements run on n3", lambda: {instance_of(name) for name in self.on(n3)} ==
                   {instance_of(name) for name in lost}, timeout=60)
        took = time.monotonic() - at
        self.assertGreaterEqual(took, SILENT_S - INTERVAL_MS / 1000, "replaced before the grace was over")
        self.assertLess(took, SILENT_S + LOST_AFTER_S + 10)
        self.assertEqual(set(self.on(self.cluster.worker("n2").node)), set(kept))
        after = self.cluster.footprint("web")
        for name in kept:
            self.assertEqual(after[name], footprint[name])
        status = self.cluster.status("web")
        self.assertEqual(status["counts"]["running"], 4)

    def test_when_it_comes_back_nothing_runs_twice(self):
        self.spread()
        gone = self.cluster.worker("n1")
        gone.kill()
        wait_until("replacements run", lambda: len(self.on(self.cluster.worker("n3").node)) == 2, timeout=60)
        gone.start()
        self.cluster.wait_running("web", 4, timeout=60)

    def test_a_node_that_comes_back_in_time_keeps_its_instances(self):
        self.spread(disconnect={"lost_after": "5m"})
        before = self.cluster.footprint("web")
        gone = self.cluster.worker("n1")
        gone.kill()
        wait_until("its attempts are unknown", lambda: self.cluster.status("web")["counts"]["unknown"] == 2, timeout=60)
        gone.start()
        wait_until("none is unknown", lambda: not self.cluster.status("web")["counts"]["unknown"], timeout=60)
        self.cluster.wait_running("web", 4)
        self.assertEqual(self.cluster.footprint("web"), before)

    def test_a_pinned_instance_is_never_replaced(self):
        self.spread(disconnect={"lost_after": "1s", "replace": False})
        before = self.cluster.footprint("web")
        gone = self.cluster.worker("n1")
        gone.kill()
        wait_until("its attempts are unknown", lambda: self.cluster.status("web")["counts"]["unknown"] == 2, timeout=60)
        # another job's instance of the same age is replaced meanwhile: time has passed for the manager as well
        gone.start()
        self.cluster.wait_running("web", 4, timeout=60)
        self.assertEqual(self.cluster.footprint("web"), before)

    def test_a_frozen_worker_is_silent_too(self):
        self.spread()
        frozen = self.cluster.worker("n1")
        frozen.pause()
        wait_until("replacements run", lambda: len(self.on(self.cluster.worker("n3").node)) == 2, timeout=60)
        frozen.resume()
        self.cluster.wait_running("web", 4, timeout=60)

    def test_a_batch_instance_on_a_lost_node_is_run_again_elsewhere(self):
        cluster = self.cluster
        cluster.set("work", batch("trap 'exit 1' TERM; sleep 1000 & wait", **IMPATIENT | {"reschedule": {"delay": "100ms", "attempts": 1}}))
        first = next(iter(cluster.wait_state("work", "running").values()))
        cluster.worker(first["node"]).kill()
        wait_until("it runs on the other node", lambda: {one["node"] for one in cluster.attempts_in("running", "work").values()}
                   >= {worker.node for worker in cluster.workers} - {first["node"]}, timeout=60)


if __name__ == "__main__":
    main()
