"""SEMANTICS section 10: each weakness of cube is a test, named after it."""

import json
import urllib.request

from bus import Rejected
from case import ClusterTest, main
from cluster import batch, httpd, instance_of, sleeper
from wait import wait_until


class Weaknesses(ClusterTest):
    nodes = ("n1", "n2")
    worker_options = {"cpu": "8", "memory": "2GiB"}
    shared = True

    def metrics(self, worker=0):
        return self.cluster.bus.document(f"nodes/{self.cluster.workers[worker].node}/metrics")

    def test_an_unplaceable_task_is_not_dropped(self):
        self.cluster.set("huge", sleeper(resources={"cpu": 1000, "memory": "16MiB"}))
        status = wait_until("it is pending", lambda: self.cluster.status("huge") if self.cluster.status("huge").get("pending") else None)
        self.assertEqual(status["counts"]["pending"], 1)
        self.cluster.set("huge", sleeper())
        self.cluster.wait_running("huge", 1)

    def test_the_cpu_reading_is_not_always_zero(self):
        def busy():
            return self.metrics()["cpu_seconds_total"] > 0
        wait_until("cpu seconds are told", busy)
        first = self.metrics()["cpu_seconds_total"]
        wait_until("and they grow", lambda: self.metrics()["cpu_seconds_total"] > first)

    def test_the_memory_reading_is_not_always_zero(self):
        numbers = self.metrics()
        self.assertGreater(numbers["mem_total_bytes"], 0)
        self.assertGreater(numbers["mem_total_bytes"], numbers["mem_available_bytes"])

    def test_cpu_and_memory_are_checked_and_given_back(self):
        for _ in range(3):  # each time most of both nodes: it fits only if the last one's was given back
            self.cluster.set("big", sleeper(count=2, resources={"cpu": 0.5, "memory": "1200MiB"}))
            self.cluster.wait_running("big", 2)
            self.assertEqual(len({one["node"] for one in self.cluster.attempts_in("running", "big").values()}), 2)
            self.cluster.do("big", "delete")
            self.cluster.wait_gone("big")

    def test_the_task_count_also_falls(self):
        def counts():
            """(what the heartbeats say, what the states say)"""
            return (sum(self.metrics(number)["attempts_running"] for number in (0, 1)), len(self.cluster.attempts_in("running", None)))
        self.cluster.set("counted", sleeper(count=3))
        self.cluster.wait_running("counted", 3)
        wait_until(lambda: f"it counts what runs: {counts()}", lambda: counts()[0] == counts()[1] >= 3)
        high = counts()[0]
        self.cluster.do("counted", "delete")
        self.cluster.wait_gone("counted")
        wait_until(lambda: f"it falls from {high}: {counts()}", lambda: counts()[0] == counts()[1] < high)

    def test_stop_works_for_a_task_that_does_not_run_yet(self):
        self.cluster.set("waiting", sleeper(resources={"cpu": 1000, "memory": "16MiB"}))
        self.cluster.do("waiting", "stop")
        self.cluster.wait_job("waiting", "stopped")

    def test_stop_works_for_a_task_that_waits_to_be_restarted(self):
        self.cluster.set("crashing", {**batch("exit 1"), "restart": {"policy": "on-failure", "attempts": 5, "delay": "1h"}})
        wait_until("it waits", lambda: [one for one in self.cluster.attempts("crashing").values() if one.get("reason") == "backoff"])
        self.cluster.do("crashing", "stop")
        self.cluster.wait_job("crashing", "stopped")

    def test_the_same_id_submitted_twice_is_not_a_stop(self):
        for _ in range(2):
            self.cluster.set("same", sleeper())
        self.cluster.wait_running("same", 1)

    def test_unknown_ids_are_refused_and_crash_nobody(self):
        with self.assertRaises(Rejected) as caught:
            self.cluster.do("nobody", "scale", {"count": 2})
        self.assertEqual(caught.exception.reply["code"], "unknown_job")
        with self.assertRaises(Rejected) as caught:
            self.cluster.bus.command("do/nodes/nobody/eligibility", {"eligible": False})
        self.assertEqual(caught.exception.reply["code"], "unknown_node")
        node = self.cluster.workers[0].node
        self.cluster.bus.publish(f"ask/{node}/inspect", {"token": "q1", "task": "nobody_nobody_0_aaaaaaaa"})
        answer = self.cluster.bus.wait_for(lambda message: message.topic == f"nodes/{node}/answers/q1", "an answer").json
        self.assertEqual((answer["result"], answer["code"]), ("rejected", "unknown_task"))

    def test_not_every_exit_is_a_failure(self):
        self.cluster.set("well", batch("exit 0"))
        self.cluster.wait_job("well", "completed")

    def test_a_failed_start_leaves_neither_container_nor_name(self):
        self.cluster.set("broken", {**batch(""), "command": ["/no/such/program"]})
        self.cluster.wait_job("broken", "failed")
        wait_until("nothing is left", lambda: not self.cluster.containers("broken", running=False))

    def test_exactly_one_layer_restarts(self):
        self.cluster.set("once", sleeper())
        self.cluster.wait_running("once", 1)
        policy = self.cluster.docker.inspect(self.cluster.container_of("once_once_0"))["HostConfig"]["RestartPolicy"]
        self.assertIn(policy["Name"], ("", "no"))

    def test_restarts_are_not_limited_to_three_for_life(self):
        self.cluster.set("flaky", {**batch("exit 1"), "restart": {"policy": "on-failure", "attempts": 5, "delay": "20ms"}})
        attempt = next(iter(self.cluster.wait_state("flaky", "failed").values()))
        self.assertEqual(attempt["restarts"], 5)

    def test_it_is_not_always_the_same_worker(self):
        self.cluster.set("spread", sleeper(count=2, resources={"cpu": 0.1, "memory": "1200MiB"}))
        self.cluster.wait_running("spread", 2)
        self.assertEqual(len({one["node"] for one in self.cluster.attempts_in("running", "spread").values()}), 2)
        self.cluster.do("spread", "delete")
        self.cluster.wait_gone("spread")

    def test_health_checks_are_made_by_the_worker_not_the_manager(self):
        """The container's port is not published at all: only who is on its node can ask it."""
        self.cluster.set("healthy", httpd(health=[{"tcp": ":8080", "interval": "200ms", "timeout": "200ms", "retries": 3, "grace": "1s"}]))
        wait_until("it is healthy", lambda: [one for one in self.cluster.attempts_in("running", "healthy").values()
                                             if one.get("health") == "healthy"])

    def test_a_failing_health_check_restarts_the_task(self):
        self.cluster.set("sick", sleeper(health=[{"exec": ["false"], "interval": "1s", "timeout": "1s", "retries": 2, "grace": "100ms"}],
                                         restart={"attempts": 1, "delay": "50ms"}, reschedule={"delay": "1h"}))
        attempt = next(iter(self.cluster.wait_state("sick", "failed").values()))
        self.assertEqual(attempt["restarts"], 1)

    def test_each_port_has_its_own_mapping(self):
        self.cluster.set("ports", httpd(ports=["8080", "9000", "9001/udp"]))
        attempt = next(iter(self.cluster.wait_state("ports", "running").values()))
        mapped = {(one["port"], bool(one.get("udp"))): one["host"] for one in attempt["ports"]}
        self.assertEqual(set(mapped), {(8080, False), (9000, False), (9001, True)})
        def answers():
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{mapped[(8080, False)]}/", timeout=5)
            except urllib.error.HTTPError as error:
                return error.code == 404  # httpd without files
            except OSError:
                return False
            return True
        wait_until("the port of HTTP answers HTTP", answers)

    def test_what_is_deleted_is_gone(self):
        self.cluster.set("gone", sleeper())
        self.cluster.wait_running("gone", 1)
        self.cluster.do("gone", "delete")
        self.cluster.wait_gone("gone")

    def test_environment_and_command_are_not_ignored(self):
        self.cluster.set("env", batch('[ "$ANSWER" = 42 ] && exit 42', env={"ANSWER": 42}))
        attempt = next(iter(self.cluster.wait_state("env", "failed").values()))
        self.assertEqual(attempt["exit_code"], 42)

    def test_the_command_line_prints_no_success_for_what_failed(self):
        path = self.cluster.directory / "bad.json"
        path.write_text(json.dumps({"name": "cli-bad", **batch("exit 9")}))
        result = self.cluster.argosy("run", path)
        self.assertEqual(result.status, 1, result)
        path.write_text(json.dumps({"name": "cli-huge", **sleeper(resources={"cpu": 1000, "memory": "16MiB"})}))
        result = self.cluster.argosy("run", path)
        self.assertEqual(result.status, 6, result)
        path.write_text(json.dumps({"name": "cli-wrong", "imagee": "x"}))
        self.assertEqual(self.cluster.argosy("run", path).status, 2)


class WeaknessesThatNeedTheirOwnCluster(ClusterTest):
    nodes = ("n1", "n2")

    def test_an_unreachable_worker_does_not_harm_the_manager_and_a_dead_node_does_not_win(self):
        cluster = self.cluster
        dead = cluster.worker("n1")
        dead.kill()
        cluster.set("early", sleeper(disconnect={"lost_after": "1s"}, reschedule={"delay": "100ms"}, count=2))
        wait_until("both run on the living node", lambda: len(
            [1 for one in cluster.attempts_in("running", "early").values() if one["node"] == cluster.worker("n2").node]) == 2, timeout=60)
        position = cluster.bus.position()
        cluster.set("late", sleeper(count=4))
        cluster.wait_running("late", 4)
        self.assertFalse([message for message in cluster.bus.since(position) if message.topic == f"nodes/{dead.node}/assign/late"],
                         "something was placed on a dead node")
        self.assertTrue(cluster.manager.is_running())

    def test_a_restarted_manager_has_lost_nothing(self):
        cluster = self.cluster
        cluster.set("web", sleeper(count=2))
        cluster.set("waits", sleeper(resources={"cpu": 1000, "memory": "16MiB"}))
        cluster.wait_running("web", 2)
        before = cluster.footprint("web")
        cluster.manager.kill()
        cluster.start_manager()
        cluster.wait_ready()
        cluster.do("web", "scale", {"count": 3})
        cluster.wait_running("web", 3)
        self.assertLessEqual(before.items(), cluster.footprint("web").items())
        self.assertEqual(cluster.status("waits")["counts"]["pending"], 1)

    def test_the_state_table_is_enforced(self):
        """A worker's report that would take an attempt from its end back to running is not believed."""
        cluster = self.cluster
        cluster.set("ended", batch("exit 0"))
        cluster.wait_job("ended", "completed")
        (name, attempt), = cluster.attempts("ended").items()
        topic = f"nodes/{attempt['node']}/state/ended"
        state = cluster.bus.document(topic)
        back = {**state, "seq": state["seq"] + 1, "attempts": [{**state["attempts"][0], "state": "running", "run": 2,
                                                              "seq": state["attempts"][0]["seq"] + 1}]}
        position = cluster.bus.position()
        cluster.bus.inject(topic, back, retain=True)
        wait_until("the worker says again how it is", lambda: cluster.attempts("ended")[name]["state"] == "completed")
        cluster.do("nobody", "stop")
        said = [message.json["state"] for message in cluster.bus.since(position) if message.topic == "jobs/ended/status" and message.json]
        self.assertLessEqual(set(said), {"completed"})
        self.assertEqual(instance_of(name), "ended_ended_0")


if __name__ == "__main__":
    main()
