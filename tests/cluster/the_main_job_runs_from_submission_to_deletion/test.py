"""The main job, over a real broker and in real containers: submit, run, answer, scale, stop, delete."""

import json
import subprocess
import urllib.request

from bus import Rejected
from case import ClusterTest, main
from cluster import IMAGE, INTERVAL_MS, batch, httpd, instance_of, sleeper
from wait import PATIENCE, wait_until


class TheMainJob(ClusterTest):
    nodes = ("n1", "n2")
    shared = True

    def mosquitto(self, program, topic, *arguments):
        broker = self.cluster.broker
        return subprocess.run([f"mosquitto_{program}", "-h", broker.host, "-p", str(broker.port),
                               "-t", f"{self.cluster.root}/{topic}", *arguments],
                              capture_output=True, text=True, timeout=30 * PATIENCE, check=False)

    def published_port(self, job):
        attempt = next(iter(self.cluster.wait_state(job, "running").values()))
        return attempt["ports"][0]["host"]

    def test_mosquitto_pub_starts_a_job_whose_instances_run_in_containers(self):
        job = {"image": IMAGE, "command": ["httpd", "-f", "-p", "8080"], "count": 2, "stop": {"timeout": "1s"}}
        self.assertEqual(self.mosquitto("pub", "do/jobs/web/set", "-m", json.dumps(job)).returncode, 0)
        self.cluster.wait_running("web", 2)
        self.assertEqual({instance_of(name) for name in self.cluster.attempts("web")}, {"web_web_0", "web_web_1"})
        status = self.cluster.wait_job("web", "running")
        self.assertEqual((status["version"], status["wanted"], status["counts"]["running"]), (1, 2, 2))

    def test_mosquitto_rr_gets_the_managers_answer(self):
        done = self.mosquitto("rr", "do/jobs/asked/set", "-V", "5", "-e", f"{self.cluster.root}/replies/me", "-m",
                              json.dumps(sleeper(token="asked-by-rr")), "-W", "20")
        self.assertEqual(done.returncode, 0, done.stderr)
        reply = json.loads(done.stdout)
        self.assertEqual((reply["result"], reply["job"], reply["version"], reply["token"]),
                         ("accepted", "asked", 1, "asked-by-rr"))

    def test_a_service_answers_http_on_its_published_port_and_knows_who_it_is(self):
        script = 'echo "$ARGOSY_TASK_ID $ARGOSY_NODE $GREETING" > /www/index.html; exec httpd -f -h /www -p 8080'
        self.cluster.set("site", httpd(command=["sh", "-c", script], ports=["8080"], env={"GREETING": "hello"},
                                       stop={"timeout": "1s"}))
        port = self.published_port("site")
        def answer():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
                    return response.read().decode().split()
            except OSError:
                return None
        task, node, greeting = wait_until("the service answers", answer)
        attempt = self.cluster.attempts("site")[task]
        self.assertEqual((attempt["node"], greeting), (node, "hello"))

    def test_every_state_on_the_way_is_told_in_order(self):
        position = self.cluster.bus.position()
        self.cluster.set("journey", sleeper())
        self.cluster.wait_running("journey", 1)
        self.cluster.do("journey", "stop")
        self.cluster.wait_job("journey", "stopped")
        seen = []
        for message in self.cluster.bus.since(position):
            if message.topic.endswith("/state/journey") and message.json:
                for attempt in message.json.get("attempts", []):
                    if not seen or seen[-1] != attempt["state"]:
                        seen.append(attempt["state"])
        order = ["scheduled", "preparing", "starting", "running", "stopping", "stopped"]
        self.assertEqual([state for state in order if state in seen], seen, "states told out of order")
        self.assertIn("running", seen)
        self.assertEqual(seen[-1], "stopped")

    def test_the_same_specification_twice_is_one_job(self):
        first = self.cluster.set("twice", sleeper())
        self.cluster.wait_running("twice", 1)
        before = self.cluster.footprint("twice")
        second = self.cluster.set("twice", sleeper())
        self.assertEqual((first["version"], first["changed"]), (1, True))
        self.assertEqual((second["version"], second["changed"]), (1, False))
        # a later command has been carried out when its answer comes, so the earlier one has done all it does
        self.cluster.do("nobody", "stop")
        self.assertEqual(self.cluster.footprint("twice"), before)

    def test_a_new_version_replaces_what_runs(self):
        self.cluster.set("new", sleeper(update={"min_healthy": "100ms"}))
        self.cluster.wait_running("new", 1)
        before = self.cluster.footprint("new")
        answer = self.cluster.set("new", sleeper(env={"MODE": "other"}, update={"min_healthy": "100ms"}))
        self.assertEqual(answer["version"], 2)
        wait_until("another attempt runs", lambda: set(self.cluster.footprint("new")).isdisjoint(before)
                   and len(self.cluster.footprint("new")) == 1)
        self.cluster.wait_running("new", 1)
        inspected = self.cluster.docker.inspect(self.cluster.container_of("new_new_0"))
        self.assertIn("MODE=other", inspected["Config"]["Env"])

    def test_scaling_up_and_down_touches_only_the_difference(self):
        self.cluster.set("scaled", sleeper(count=1))
        self.cluster.wait_running("scaled", 1)
        one = self.cluster.footprint("scaled")
        self.cluster.do("scaled", "scale", {"count": 4})
        self.cluster.wait_running("scaled", 4)
        four = self.cluster.footprint("scaled")
        self.assertLessEqual(one.items(), four.items(), "the first one was restarted")
        self.cluster.do("scaled", "scale", {"count": 2})
        self.cluster.wait_running("scaled", 2)
        two = self.cluster.footprint("scaled")
        self.assertLessEqual(two.items(), four.items(), "one was restarted")
        self.assertEqual({instance_of(name) for name in two}, {"scaled_scaled_0", "scaled_scaled_1"})

    def test_a_stopped_job_stops_and_the_same_set_starts_it_again(self):
        self.cluster.set("halted", sleeper(count=2))
        self.cluster.wait_running("halted", 2)
        self.cluster.do("halted", "stop")
        self.cluster.wait_running("halted", 0)
        self.cluster.wait_job("halted", "stopped")
        self.assertTrue(self.cluster.spec("halted")["stopped"])
        self.assertTrue(self.cluster.set("halted", sleeper(count=2))["changed"])
        self.cluster.wait_running("halted", 2)

    def test_a_deleted_job_leaves_no_container_and_no_topic(self):
        self.cluster.set("deleted", sleeper(count=2))
        self.cluster.wait_running("deleted", 2)
        self.assertTrue(self.cluster.do("deleted", "delete")["changed"])
        self.cluster.wait_gone("deleted")
        self.cluster.wait_cleared("deleted")
        self.assertFalse(self.cluster.do("deleted", "delete")["changed"])

    def test_a_deleted_job_can_be_submitted_again(self):
        for _ in range(2):
            self.cluster.set("again", sleeper())
            self.cluster.wait_running("again", 1)
            self.cluster.do("again", "delete")
            self.cluster.wait_gone("again")

    def test_a_batch_job_that_ends_well_has_completed_and_is_not_run_again(self):
        self.cluster.set("good", batch("echo done; exit 0"))
        attempt = next(iter(self.cluster.wait_state("good", "completed").values()))
        self.assertEqual((attempt["exit_code"], attempt["restarts"]), (0, 0))
        self.assertEqual(self.cluster.wait_job("good", "completed")["counts"]["completed"], 1)

    def test_a_batch_job_that_fails_says_so_with_its_exit_code(self):
        self.cluster.set("bad", batch("exit 7"))
        attempt = next(iter(self.cluster.wait_state("bad", "failed").values()))
        self.assertEqual(attempt["exit_code"], 7)
        self.assertEqual(self.cluster.wait_job("bad", "failed")["counts"]["failed"], 1)

    def test_a_failing_batch_job_is_restarted_as_often_as_its_policy_says(self):
        self.cluster.set("tries", batch("exit 3", restart={"policy": "on-failure", "attempts": 2, "delay": "50ms"}))
        attempt = next(iter(self.cluster.wait_state("tries", "failed").values()))
        self.assertEqual((attempt["exit_code"], attempt["restarts"], attempt["run"]), (3, 2, 3))
        self.assertEqual(attempt["reason"], "attempts_exceeded")

    def test_a_killed_container_is_restarted_by_policy_and_restarts_says_so(self):
        self.cluster.set("killed", sleeper(restart={"delay": "100ms"}))
        self.cluster.wait_running("killed", 1)
        (attempt,) = self.cluster.attempts_in("running", "killed")
        self.cluster.docker.kill(self.cluster.container_of("killed_killed_0"))
        wait_until("it runs again", lambda: self.cluster.attempts("killed")[attempt]["restarts"] == 1
                   and self.cluster.attempts("killed")[attempt]["state"] == "running")
        self.cluster.wait_running("killed", 1)
        again = self.cluster.attempts("killed")[attempt]
        self.assertEqual((again["run"], again["restarts"]), (2, 1), "the same attempt, its next run")

    def test_two_tasks_of_a_job_are_placed_independently(self):
        task = sleeper()
        self.cluster.set("pair", {"tasks": [{**task, "name": "front", "count": 2}, {**task, "name": "back"}]})
        self.cluster.wait_running("pair", 3)
        self.assertEqual({instance_of(name) for name in self.cluster.attempts("pair")},
                         {"pair_front_0", "pair_front_1", "pair_back_0"})

    def test_metrics_are_flat_numbers_at_once_and_then_every_interval(self):
        node = self.cluster.workers[0].node
        first = self.mosquitto("sub", f"nodes/{node}/metrics", "-C", "1", "-W", "20")
        self.assertEqual(first.returncode, 0, first.stderr)
        numbers = json.loads(first.stdout)
        self.assertIn("mem_available_bytes", numbers)
        for name, value in numbers.items():
            self.assertIsInstance(value, (int, float), name)
            self.assertNotIsInstance(value, bool, name)
        position = self.cluster.bus.position()
        beats = []
        def heard():
            beats[:] = [message.at for message in self.cluster.bus.since(position) if message.topic == f"nodes/{node}/metrics"]
            return len(beats) >= 5
        wait_until("five heartbeats", heard)
        mean = (beats[4] - beats[0]) / 4
        self.assertLess(abs(mean - INTERVAL_MS / 1000), 0.5 * INTERVAL_MS / 1000, beats)

    def test_a_wrong_specification_is_rejected_with_all_its_errors(self):
        with self.assertRaises(Rejected) as caught:
            self.cluster.set("wrong", {"image": IMAGE, "cuont": 2, "resources": {"memory": "64mb"}}, valid=False)
        reply = caught.exception.reply
        self.assertEqual(reply["code"], "invalid_job")
        errors = {error["path"]: error for error in reply["errors"]}
        self.assertIn("count", errors["/cuont"]["hint"])
        self.assertIn("/resources/memory", errors)
        self.assertIsNone(self.cluster.spec("wrong"))


class TheMainJobInMqtt311(ClusterTest):
    """A clustered broker may speak nothing newer."""

    manager_options = ("--protocol", "3.1.1")
    worker_options = {"options": ("--protocol", "3.1.1")}

    def test_it_runs_is_scaled_and_is_deleted(self):
        self.cluster.set("web", sleeper(count=2))
        self.cluster.wait_running("web", 2)
        self.cluster.do("web", "scale", {"count": 1})
        self.cluster.wait_running("web", 1)
        before = self.cluster.footprint("web")
        self.cluster.manager.kill()
        self.cluster.start_manager()
        self.cluster.wait_ready()
        self.cluster.wait_running("web", 1)
        self.assertEqual(self.cluster.footprint("web"), before)
        self.cluster.do("web", "delete")
        self.cluster.wait_gone("web")


if __name__ == "__main__":
    main()
