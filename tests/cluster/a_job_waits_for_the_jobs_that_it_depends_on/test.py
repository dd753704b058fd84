"""depends_on: submitted in any order, each job starts after what it depends on, and stays when that goes away."""

from bus import Rejected
from case import ClusterTest, main
from cluster import batch, sleeper
from wait import wait_until


class Dependencies(ClusterTest):
    def waits(self, job, text):
        def says():
            pending = (self.cluster.status(job) or {"pending": []})["pending"]
            return [(one["reason"], one["text"]) for one in pending] == [("waiting_for_dependency", text)]
        wait_until(lambda: f"{job} {text}: {self.cluster.describe(job)}", says)

    def started(self, job):
        return min(attempt["started_ms"] for attempt in self.cluster.attempts(job).values())

    def test_the_order_of_submissions_does_not_matter(self):
        cluster = self.cluster
        cluster.set("web", sleeper(depends_on=[{"job": "db", "condition": "healthy"},
                                               {"job": "migrate", "condition": "completed"}]))
        self.waits("web", "waits until job db is healthy; there is no such job")
        cluster.set("db", sleeper(count=2, update={"min_healthy": "500ms"}))
        self.waits("web", "waits until job migrate is completed; there is no such job")
        cluster.set("migrate", batch("sleep 0.5"))
        cluster.wait_running("web", 1)
        done = max(attempt["finished_ms"] for attempt in cluster.attempts("migrate").values())
        self.assertGreaterEqual(self.started("web"), done)
        cluster.do("db", "delete")
        cluster.wait_gone("db")
        before = cluster.footprint("web")
        cluster.manager.kill()
        cluster.start_manager()
        self.assertEqual(cluster.footprint("web"), before)

    def test_a_circle_is_refused(self):
        cluster = self.cluster
        cluster.set("a", sleeper(depends_on=[{"job": "b"}]))
        with self.assertRaises(Rejected) as refused:
            cluster.set("b", sleeper(depends_on=[{"job": "a"}]))
        (error,) = refused.exception.reply["errors"]
        self.assertEqual(error["path"], "/depends_on")
        self.assertIn("b -> a -> b", error["message"])


if __name__ == "__main__":
    main()
