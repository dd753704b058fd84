"""CONTRACT, "Rules that keep it right": one test a rule, or several, each named after it."""

import time

from bus import Rejected
from case import ClusterTest, main
from cluster import batch, counts_of, instance_of, sleeper
from engine import IMAGE, LABEL
from wait import stays_true, wait_until

A_WHILE_S = 1.5  # several heartbeats


class TheRules(ClusterTest):
    def run_web(self, count=2, **more):
        self.cluster.set("web", sleeper(count=count, **more))
        self.cluster.wait_running("web", count)
        return self.cluster.footprint("web")

    @property
    def worker(self):
        return self.cluster.workers[0]

    @property
    def node(self):
        return self.worker.node

    def topic(self, rest):
        return f"nodes/{self.node}/{rest}"

    def assert_untouched(self, before, why):
        stays_true(why, lambda: self.cluster.footprint("web") == before, A_WHILE_S)

    def wait_for_event(self, reason, position, what=None):
        return self.cluster.bus.wait_for(
            lambda message: "/events/" in message.topic and ((message.json or {}).get("data") or {}).get("reason") == reason,
            what or f"an event {reason}", since=position)

    # ---- 1 --------------------------------------------------------------------------------------

    def test_rule_1_absence_never_means_stop(self):
        before = self.run_web()
        cluster = self.cluster
        cluster.manager.kill()
        for topic in ("assign/web", "desired"):
            cluster.bus.inject(self.topic(topic), b"", retain=True)
        self.assert_untouched(before, "an emptied topic stopped something")
        cluster.start_manager()
        cluster.wait_ready()
        cluster.wait_running("web", 2)
        self.assertEqual(cluster.footprint("web"), before)

    def test_rule_1_an_attempt_that_an_assignment_does_not_mention_runs_on(self):
        """Until the leader's own index names that very assignment."""
        before = self.run_web()
        cluster, assignment = self.cluster, self.cluster.bus.document(self.topic("assign/web"))
        cluster.manager.pause()
        without = {**assignment, "seq": assignment["seq"] + 100, "revision": assignment["revision"] + 1, "attempts": []}
        cluster.bus.inject(self.topic("assign/web"), without, retain=True)
        self.assert_untouched(before, "an attempt that was not mentioned was stopped")

    def test_rule_1_an_attempt_leaves_the_assignment_only_when_its_end_is_known(self):
        cluster = self.cluster
        self.run_web()
        (first, _) = sorted(cluster.attempts("web"))
        second = max(cluster.attempts("web"), key=instance_of)
        self.worker.pause()
        cluster.do("web", "scale", {"count": 1})
        wait_until("it is told to stop", lambda: {one["id"]: one["desired"] for one in cluster.bus.document(
            self.topic("assign/web"))["attempts"]}.get(second) == "stop")
        stays_true("it is still assigned", lambda: second in [one["id"] for one in cluster.bus.document(
            self.topic("assign/web"))["attempts"]], A_WHILE_S)
        self.worker.resume()
        wait_until("it has left", lambda: second not in [one["id"] for one in cluster.bus.document(
            self.topic("assign/web"))["attempts"]])
        self.assertIn(first, cluster.attempts_in("running", "web"))

    # ---- 2 --------------------------------------------------------------------------------------

    def test_rule_2_nobody_decides_on_half_a_picture(self):
        cluster = self.cluster
        before = self.run_web()
        cluster.manager.kill()
        cluster.manager.delete_store()
        position = cluster.bus.position()
        cluster.start_manager()
        barriers = before_it_wrote = 0
        for message in cluster.bus.since(position):
            level = message.topic.split("/")
            if level[0] == "managers" and level[-1] == "barrier":
                barriers += 1
            if level[0] == "jobs" or "assign" in level or "desired" in level:
                break
            before_it_wrote = barriers
        # its own documents, what workers say; the third stage brings only commands
        self.assertGreaterEqual(before_it_wrote, 2, "a document was written before the barrier of a stage")
        cluster.wait_running("web", 2)
        self.assertEqual(cluster.footprint("web"), before)

    def test_rule_2_a_worker_says_its_barrier_before_it_acts_on_what_it_hears(self):
        cluster = self.cluster
        before = self.run_web()
        self.worker.kill()
        self.worker.delete_store()
        position = cluster.bus.position()
        self.worker.start()
        cluster.bus.wait_for(lambda message: message.topic == self.topic("barrier"), "the worker's barrier", since=position)
        cluster.wait_running("web", 2)
        self.assertEqual(cluster.footprint("web"), before)

    # ---- 3 --------------------------------------------------------------------------------------

    def test_rule_3_a_writer_writes_again_what_another_wrote_on_its_topic(self):
        before = self.run_web()
        bus = self.cluster.bus
        older_manager = {"manager": "usurper", "term": 1}
        for topic, foreign in (("jobs/web/spec", older_manager), (self.topic("assign/web"), older_manager),
                               (self.topic("desired"), older_manager), (self.topic("state/web"), {"seq": 1}),
                               (self.topic("info"), {"seq": 1})):
            with self.subTest(topic=topic):
                own = bus.document(topic)
                bus.inject(topic, {**own, **foreign}, retain=True)
                wait_until(lambda: f"{topic} is its owner's again: {bus.document(topic)}", lambda: all(
                    bus.document(topic).get(key) == own.get(key) for key in ("cluster", "manager", "term"))
                    and bus.document(topic)["seq"] >= own["seq"])
        self.assertEqual(self.cluster.footprint("web"), before)

    def test_rule_3_a_topic_is_cleared_after_a_tombstone(self):
        cluster = self.cluster
        self.run_web()
        position = cluster.bus.position()
        cluster.do("web", "delete")
        cluster.wait_cleared("web")
        for topic in ("jobs/web/spec", self.topic("assign/web"), self.topic("state/web")):
            said = [message for message in cluster.bus.since(position) if message.topic == topic]
            self.assertTrue(said[-2].json["tombstone"], topic)
            self.assertEqual(said[-1].payload, b"", topic)

    def test_rule_3_a_lost_store_never_mutes_its_writer(self):
        cluster = self.cluster
        self.run_web()
        seq = cluster.bus.document(self.topic("state/web"))["seq"]
        self.worker.kill()
        self.worker.delete_store()
        self.worker.start()
        wait_until("the worker's documents go on above what they were", lambda:
                   cluster.bus.document(self.topic("state/web"))["seq"] > seq)
        cluster.do("web", "scale", {"count": 1})
        cluster.wait_running("web", 1)

    # ---- 4 --------------------------------------------------------------------------------------

    def test_rule_4_an_older_observation_changes_nothing(self):
        cluster = self.cluster
        before = self.run_web()
        state = cluster.bus.document(self.topic("state/web"))
        older = {**state, "attempts": [{**one, "state": "scheduled", "seq": 0} for one in state["attempts"]]}
        position = cluster.bus.position()
        cluster.bus.inject(self.topic("state/web"), {**older, "seq": state["seq"] + 1}, retain=True)
        wait_until("the worker says again how it is", lambda: cluster.attempts_in("running", "web"))
        said = [counts_of(message.json)["running"] for message in cluster.bus.since(position)
                if message.topic == "jobs/web/status" and message.json]
        self.assertTrue(all(count == 2 for count in said), said)
        self.assert_untouched(before, "an older report moved something")

    def test_rule_4_an_old_will_does_not_make_a_node_offline(self):
        cluster = self.cluster
        before = self.run_web()
        present = cluster.bus.document(self.topic("status"))
        position = cluster.bus.position()
        cluster.bus.inject(self.topic("status"), {**present, "state": "offline", "session": present["session"] - 1}, retain=True)
        cluster.set("more", sleeper())
        cluster.wait_running("more", 1)
        unknown = [message for message in cluster.bus.since(position) if message.topic == "jobs/web/status"
                   and message.json and counts_of(message.json)["unknown"]]
        self.assertFalse(unknown)
        self.assertEqual(cluster.footprint("web"), before)

    def test_rule_4_a_worker_that_sees_its_own_will_says_online_with_the_next_session(self):
        cluster = self.cluster
        before = self.run_web()
        present = cluster.bus.document(self.topic("status"))
        cluster.bus.inject(self.topic("status"), {**present, "state": "offline"}, retain=True)
        wait_until("it is online with a larger session", lambda: cluster.bus.document(self.topic("status"))["state"] == "online"
                   and cluster.bus.document(self.topic("status"))["session"] > present["session"])
        cluster.wait_running("web", 2)
        self.assertEqual(cluster.footprint("web"), before)

    # ---- 5 --------------------------------------------------------------------------------------

    def stop_all(self, **head):
        assignment = self.cluster.bus.document(self.topic("assign/web"))
        return {**assignment, "seq": assignment["seq"] + 1000, "revision": assignment["revision"] + 1,
                "attempts": [{**one, "desired": "stop"} for one in assignment["attempts"]],
                **{key: value(assignment[key]) for key, value in head.items()}}

    def test_rule_5_a_worker_refuses_a_lower_term_and_says_the_highest_it_knows(self):
        cluster = self.cluster
        before = self.run_web()
        term = cluster.bus.document("manager/status")["term"]
        cluster.manager.pause()
        self.addCleanup(cluster.manager.resume)
        cluster.bus.inject(self.topic("assign/web"), self.stop_all(term=lambda term: term - 1, manager=lambda _: "usurper"))
        self.assert_untouched(before, "an older manager was obeyed")
        wait_until("the worker tells of it", lambda: cluster.bus.document(self.topic("info")).get("refused_manager") == "usurper")
        self.assertEqual(cluster.bus.document(self.topic("info"))["term"], term)
        cluster.manager.resume()

    def test_rule_5_a_worker_refuses_an_equal_term_of_another_manager(self):
        before = self.run_web()
        self.cluster.manager.pause()
        self.cluster.bus.inject(self.topic("assign/web"), self.stop_all(manager=lambda _: "zz-usurper"))
        self.assert_untouched(before, "two managers had one term")
        self.cluster.manager.resume()

    def test_rule_5_a_manager_that_was_away_while_another_led_is_not_obeyed(self):
        cluster = self.cluster
        before = self.run_web()
        first = cluster.manager
        term = cluster.bus.document("manager/status")["term"]
        first.pause()
        second = cluster.add_manager("second")
        wait_until("the second leads with a higher term", lambda: cluster.bus.document("manager/status")["term"] > term
                   and cluster.bus.document("manager/status")["state"] == "leading")
        self.assertEqual(cluster.footprint("web"), before)
        first.resume()
        first.stop()
        self.assertTrue(second.is_running())
        cluster.do("web", "scale", {"count": 3})
        cluster.wait_running("web", 3)
        self.assertLessEqual(before.items(), cluster.footprint("web").items())

    # ---- 6 --------------------------------------------------------------------------------------

    def test_rule_6_manager_and_worker_store_lost_together(self):
        cluster = self.cluster
        before = self.run_web()
        cluster.set("done", batch("exit 0"))
        cluster.wait_job("done", "completed")
        for process in (cluster.manager, self.worker):
            process.kill()
            process.delete_store()
        cluster.manager.start()
        self.worker.start()
        cluster.wait_ready()
        cluster.wait_running("web", 2, timeout=60)
        self.assertEqual(cluster.footprint("web"), before)
        cluster.wait_job("done", "completed")
        self.assertEqual([one["run"] for one in cluster.attempts("done").values()], [1])

    def test_rule_6_containers_run_on_while_neither_manager_nor_broker_is_there(self):
        cluster = self.cluster
        before = self.run_web()
        cluster.manager.kill()
        self.worker.kill()
        cluster.broker.kill()
        cluster.broker.delete_persistence()
        self.worker.delete_store()
        cluster.bus.forget()
        cluster.broker.start()
        self.worker.start()
        wait_until("the worker is back", lambda: cluster.bus.document(self.topic("status"))["state"] == "online", timeout=60)
        self.assert_untouched(before, "a worker stopped what it could not know")
        cluster.start_manager()
        cluster.wait_ready()
        cluster.wait_running("web", 2, timeout=60)
        self.assertEqual(cluster.footprint("web"), before)

    # ---- 7 --------------------------------------------------------------------------------------

    def test_rule_7_a_command_waits_at_the_broker_for_a_manager_that_is_away(self):
        cluster = self.cluster
        cluster.manager.kill()
        cluster.bus.publish("do/jobs/waiting/set", {**sleeper(), "token": "waited"})
        cluster.manager.start()
        cluster.wait_running("waiting", 1)

    def test_rule_7_a_token_is_one_command_even_after_the_manager_was_killed(self):
        cluster = self.cluster
        first = cluster.set("web", sleeper(), token="token-1")
        cluster.set("web", sleeper(count=2), token="token-2")
        cluster.manager.kill()
        cluster.manager.start()
        position = cluster.bus.position()
        cluster.bus.publish("do/jobs/web/set", {**sleeper(), "token": "token-1"})
        again = cluster.bus.wait_for(lambda message: message.topic == "do/jobs/web/set/accepted"
                                     and message.json["token"] == "token-1", "the answer again", since=position)
        self.assertEqual(again.json, first)
        self.assertEqual(cluster.spec("web")["spec"]["tasks"][0]["count"], 2)

    def test_rule_7_a_lost_update_is_refused(self):
        cluster = self.cluster
        self.run_web()
        cluster.set("web", sleeper(count=1), token="t1")
        with self.assertRaises(Rejected) as caught:
            cluster.set("web", {**sleeper(count=5), "expect_version": 1})
        self.assertEqual(caught.exception.reply["code"], "version_mismatch")
        self.assertEqual(cluster.set("web", {**sleeper(count=3), "expect_version": 2})["version"], 3)

    def test_rule_7_reserved_keys_are_no_part_of_the_specification(self):
        cluster = self.cluster
        self.assertTrue(cluster.set("web", {**sleeper(), "expires_at_ms": int(time.time() * 1000) + 60000})["changed"])
        self.assertFalse(cluster.set("web", sleeper())["changed"])

    def test_rule_7_an_expired_command_is_refused(self):
        with self.assertRaises(Rejected) as caught:
            self.cluster.set("web", {**sleeper(), "expires_at_ms": int(time.time() * 1000) - 60000})
        self.assertEqual(caught.exception.reply["code"], "command_expired")
        self.assertIsNone(self.cluster.spec("web"))

    def test_rule_7_an_answer_goes_to_the_reply_topic_and_nowhere_else(self):
        cluster = self.cluster
        position = cluster.bus.position()
        cluster.bus.publish("do/jobs/web/set", {**sleeper(), "token": "r1", "reply_to": f"{cluster.root}/replies/here"})
        cluster.bus.wait_for(lambda message: message.topic == "replies/here" and message.json["token"] == "r1", "the reply",
                             since=position)
        cluster.bus.inject("do/jobs/web/set", {**sleeper(), "token": "r2", "reply_to": f"{cluster.root}/jobs/web/spec"})
        refusal = cluster.bus.wait_for(lambda message: message.topic == "do/jobs/web/set/rejected"
                                       and message.json["token"] == "r2", "the refusal", since=position)
        self.assertEqual(refusal.json["code"], "reply_refused")
        self.assertIn("spec", cluster.spec("web"))

    def test_rule_7_a_retained_command_is_reported_cleared_and_not_executed(self):
        cluster = self.cluster
        position = cluster.bus.position()
        # live: the flag is not seen by who is subscribed, so it is present before the manager starts
        cluster.manager.kill()
        cluster.manager.delete_store()
        cluster.bus.inject("do/jobs/ghost/set", {**sleeper(), "token": "retained"}, retain=True)
        cluster.manager.start()
        self.wait_for_event("retained_command", position)
        cluster.bus.wait_for(lambda message: message.topic == "do/jobs/ghost/set" and not message.payload, "it is cleared",
                             since=position)

    def test_rule_7_the_last_set_wins_and_deleting_nothing_is_accepted(self):
        cluster = self.cluster
        for count in (1, 3, 2):
            cluster.set("web", sleeper(count=count))
        cluster.wait_running("web", 2)
        self.assertFalse(cluster.do("nothing", "delete")["changed"])

    # ---- 8 --------------------------------------------------------------------------------------

    def test_rule_8_two_workers_with_one_id_are_reported(self):
        cluster = self.cluster
        position = cluster.bus.position()
        twin = cluster.add_worker("n1", start=False)
        twin.store = cluster.directory / "twin"
        twin.arguments[twin.arguments.index("--data-dir") + 1] = str(twin.store)
        twin.start()
        self.wait_for_event("duplicate_node", position)

    def test_rule_8_only_an_exact_match_is_adopted(self):
        cluster = self.cluster
        before = self.run_web(1)
        labels = cluster.docker.inspect(cluster.container_of("web_web_0"))["Config"]["Labels"]
        foreign = {**labels, LABEL + "cluster": "another", LABEL + "task": "web_web_7_aaaaaaaa"}
        name = f"argosy-foreign-{cluster.tag}"
        container = cluster.docker.create_and_start(name, {"Image": IMAGE, "Cmd": ["sleep", "1000"], "Labels": foreign})
        self.addCleanup(cluster.docker.remove, container)
        self.worker.kill()
        self.worker.delete_store()
        self.worker.start()
        cluster.wait_online(self.worker)
        stays_true("another cluster's container runs on", lambda: cluster.docker.inspect(container)["State"]["Running"], A_WHILE_S)
        self.assertNotIn("web_web_7_aaaaaaaa", cluster.attempts("web"))
        self.assertEqual(cluster.footprint("web").items() & before.items(), before.items())

    # ---- 9 --------------------------------------------------------------------------------------

    def test_rule_9_what_nobody_wrote_is_reported_once_and_changes_nothing(self):
        cluster = self.cluster
        before = self.run_web()
        position = cluster.bus.position()
        for _ in range(3):
            cluster.bus.inject(self.topic("state/strange"), b"\xff\xfe not json", retain=True)
        self.wait_for_event("unreadable_document", position)
        cluster.do("nobody", "stop")
        events = [message for message in cluster.bus.since(position) if "/events/" in message.topic
                  and (message.json["data"].get("topic") or "").endswith("state/strange")]
        said = [(event.json["source"], event.json["data"]["reason"]) for event in events]
        self.assertEqual(len(said), len(set(said)), "reported more than once")
        cluster.wait_running("web", 2)
        self.assertEqual(cluster.footprint("web"), before)


if __name__ == "__main__":
    main()
