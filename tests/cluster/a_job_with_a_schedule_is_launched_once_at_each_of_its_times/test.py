"""Scheduled jobs: a child in a container at each time, none twice, whatever dies; and what is refused."""

import re

from bus import Rejected
from case import ClusterTest, main
from cluster import batch
from wait import wait_until

CHILD = re.compile(r"^jobs/(tick-(\d{10})-\d+)/spec$")


def scheduled(cron, script="exit 0", **more):
    return batch(script, schedule={"cron": cron, **more})


class Schedules(ClusterTest):
    nodes = ("n1",)

    def children(self):
        """{time of the launch: name} of all children that were ever told of and are not forgotten."""
        names = self.cluster.bus.documents(lambda level: level[0] == "jobs" and level[2] == "spec")
        return {int(match[2]): match[1] for match in map(CHILD.match, names) if match}

    def completed(self):
        return [name for name in self.children().values() if (self.cluster.status(name) or {}).get("state") == "completed"]

    def test_a_container_runs_at_each_time_and_a_new_manager_repeats_none(self):
        cluster = self.cluster
        cluster.set("tick", scheduled("*/2 * * * * *", "echo $ARGOSY_JOB"))
        self.assertEqual(cluster.status("tick")["state"], "parent")
        wait_until("two have completed", lambda: len(self.completed()) >= 2)
        cluster.manager.kill()
        cluster.manager.delete_store()
        cluster.manager.start()
        before = len(self.children())
        wait_until("it goes on", lambda: len(self.children()) >= before + 2)
        times = sorted(self.children())
        self.assertTrue(all(time % 2 == 0 for time in times), times)
        result = cluster.argosy("status", "tick")
        self.assertIn("next launch in", result.out)
        cluster.do("tick", "stop")
        stopped = len(self.children())
        wait_until("all have completed", lambda: len(self.completed()) == stopped)
        runs = [attempt["run"] for name in self.children().values() for attempt in cluster.attempts(name).values()]
        self.assertEqual(runs, [1] * stopped)

    def test_a_launch_that_still_runs_makes_the_next_ones_pass(self):
        cluster = self.cluster
        cluster.set("tick", scheduled("* * * * * *", "sleep 6"))
        wait_until("the second one comes", lambda: len(self.children()) == 2)
        first, second = sorted(self.children())
        self.assertGreaterEqual(second - first, 6)
        passed = [message for message in cluster.bus.since(0) if message.topic.endswith("/events/launch_passed_over")]
        self.assertTrue(passed, "nobody said that times were passed over")

    def test_what_is_wrong_is_refused_with_its_place(self):
        with self.assertRaises(Rejected) as refused:
            self.cluster.set("tick", scheduled(["61 * * * *"], timezone="Europe/Wienna"))
        errors = {error["path"]: (error["message"], error["hint"]) for error in refused.exception.reply["errors"]}
        self.assertEqual(errors["/schedule/cron/0"], ('"61" is no minute (at character 1)', "0 to 59"))
        self.assertEqual(errors["/schedule/timezone"],
                         ("the manager has no time zone Europe/Wienna", 'did you mean "Europe/Vienna"?'))


if __name__ == "__main__":
    main()
