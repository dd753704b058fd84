"""The command against a real broker and a scripted manager: what it sends, what it prints, how it ends."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from fake import Broker, Fake, free_port

ARGOSY, SOURCE = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))


class Case(unittest.TestCase):
    maxDiff = None
    lines = ()

    @staticmethod
    def prepare(_directory):
        pass

    def setUp(self):
        self.broker = Broker(*self.lines, prepare=self.prepare)
        self.addCleanup(self.broker.stop)
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.fakes = []

    def fake(self, **script):
        fake = Fake(self.broker.port, **script)
        self.addCleanup(fake.stop)
        self.fakes.append(fake)
        return fake

    def argosy(self, *words, stdin=None, **environment):
        for fake in self.fakes:
            fake.settle()
        result = subprocess.run([ARGOSY, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=60,
                                env={**os.environ, "ARGOSY_BROKER": f"127.0.0.1:{self.broker.port}",
                                     "LC_ALL": "C.UTF-8", **environment})
        self.assertNotIn("Sanitizer", result.stderr)
        return result

    def file(self, text="name: web\nimage: x\n", name="job.yaml"):
        path = pathlib.Path(self.directory.name, name)
        path.write_text(text)
        return path


def running(fake, job, _command):
    fake.job(job)
    fake.status(job, "running", counts={"running": 1})
    return {"job": job, "version": 1, "changed": True}


class Unreachable(Case):
    def test_a_broker_that_does_not_answer_is_3_with_its_address_and_a_remedy(self):
        port = free_port()
        result = self.argosy("status", ARGOSY_BROKER=f"127.0.0.1:{port}")
        self.assertEqual(result.returncode, 3)
        self.assertIn(f"127.0.0.1:{port}", result.stderr)
        self.assertIn("refused", result.stderr)
        self.assertIn("--broker", result.stderr)

    def test_a_broker_that_freezes_is_3_after_the_timeout(self):
        self.broker.process.send_signal(19)
        result = self.argosy("status", "--timeout", "1s")
        self.broker.process.send_signal(18)
        self.assertEqual(result.returncode, 3)

    def test_with_json_the_error_is_an_object_too(self):
        result = self.argosy("status", "--json", ARGOSY_BROKER=f"127.0.0.1:{free_port()}")
        error = json.loads(result.stdout)["error"]
        self.assertEqual((error["exit"], error["code"]), (3, "unreachable"))

    def test_without_a_manager_commands_are_3_and_send_nothing(self):
        for words in (("stop", "web"), ("run", self.file()), ("scale", "web", "2"), ("delete", "web"),
                      ("restart", "web"), ("node", "eligibility", "n1", "off")):
            with self.subTest(words=words):
                result = self.argosy(*words)
                self.assertEqual((result.returncode, result.stdout), (3, ""))
                self.assertIn("nothing was sent", result.stderr)

    def test_without_a_manager_reads_show_what_is_retained_and_say_so(self):
        fake = self.fake()
        fake.job("web")
        fake.status("web", "running", counts={"running": 1})
        fake.retain("managers/m1/status", {"state": "offline", "session": 1, "instance": "i"})
        result = self.argosy("status")
        self.assertEqual(result.returncode, 0)
        self.assertIn("web", result.stdout)
        self.assertIn("no manager leads", result.stderr)

    def test_no_answer_is_4_and_says_that_it_may_still_happen(self):
        self.fake(stop=lambda *_: None)
        result = self.argosy("stop", "web", "--timeout", "500ms")
        self.assertEqual((result.returncode, result.stdout), (4, ""))
        self.assertIn("may still be carried out", result.stderr)

    def test_a_command_that_nobody_listens_to_is_3_without_waiting(self):
        self.fake().turn_deaf()
        told = os.environ["ARGOSY_TEST_MQTT"] != "paho"  # which does not hand over what the broker says
        result = self.argosy("stop", "web", "--timeout", "300s" if told else "500ms")
        self.assertEqual((result.returncode, result.stdout), (3 if told else 4, ""))
        self.assertIn("no manager listens" if told else "may still be carried out", result.stderr)


class Login(Case):
    lines = ("allow_anonymous false", "password_file {directory}/passwords")

    @staticmethod
    def prepare(directory):
        subprocess.run(["mosquitto_passwd", "-b", "-c", f"{directory}/passwords", "ann", "secret"], check=True)
        os.chmod(f"{directory}/passwords", 0o644)

    def test_a_refused_login_is_3(self):
        result = self.argosy("status")
        self.assertEqual(result.returncode, 3)
        self.assertIn("uthori", result.stderr)

    def test_name_and_password_file_log_in(self):
        path = self.file("secret\n", "password")
        result = self.argosy("status", "--username", "ann", "--password-file", path)
        self.assertEqual(result.returncode, 0, result.stderr)
        result = self.argosy("status", ARGOSY_USERNAME="ann", ARGOSY_PASSWORD_FILE=str(path))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.argosy("status", "-u", "ann", "--password-file", "/nowhere").returncode, 2)


class Tls(Case):
    lines = ("allow_anonymous true", "cafile {directory}/ca.pem", "certfile {directory}/ca.pem",
             "keyfile {directory}/key.pem")

    @staticmethod
    def prepare(directory):
        Tls.ca, key = f"{directory}/ca.pem", f"{directory}/key.pem"
        for ca, key in ((Tls.ca, key), (f"{directory}/other.pem", f"{directory}/other-key.pem")):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", ca],
                           check=True, stderr=subprocess.DEVNULL)
            os.chmod(key, 0o644)

    def test_a_ca_file_switches_tls_on_and_is_checked(self):
        result = self.argosy("status", "--ca-file", self.ca)
        self.assertEqual(result.returncode, 0, result.stderr)
        for words in ((), ("--ca-file", self.ca.replace("ca.pem", "other.pem"))):
            with self.subTest(words=words):
                result = self.argosy("status", *words, "--timeout", "3s")
                self.assertEqual((result.returncode, result.stdout), (3, ""))


class Snapshot(Case):
    def test_it_has_the_nodes_with_what_they_offer_and_what_is_placed_on_them(self):
        fake = self.fake()
        fake.node()
        fake.attempt("web", "web_web_0_aaaaaaaa", "running")
        fake.attempt("done", "done_done_0_bbbbbbbb", "completed")
        result = self.argosy("snapshot")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        snapshot = json.loads(result.stdout)
        (node,) = snapshot["nodes"]
        self.assertEqual((node["id"], node["datacenter"], node["labels"]), ("n1", "graz", {"rack": "r1"}))
        self.assertEqual(node["capacity"], {"cpu": 2, "memory": 1 << 30, "disk": 1 << 33})
        (task,) = snapshot["tasks"]
        self.assertEqual((task["job"], task["task"], task["index"], task["node"], task["state"]), ("web", "web", 0, "n1", "running"))
        self.assertEqual((task["resources"]["cpu"], task["resources"]["memory"]), (0.1, 64 << 20))

    def test_it_has_the_jobs_and_how_the_manager_places(self):
        fake = self.fake()
        fake.node()
        fake.job("web", spec={"priority": 70})
        fake.attempt("web", "web_web_0_aaaaaaaa", "running")
        fake.retain("manager/status", {**fake.head(), "state": "leading", "session": 1, "version": "0", "policy": "spread",
                                       "preemption": "none"})
        snapshot = json.loads(self.argosy("snapshot").stdout)
        self.assertEqual((snapshot["policy"], snapshot["preemption"]), ("spread", "none"))
        self.assertEqual([(job["name"], job["priority"]) for job in snapshot["jobs"]], [("web", 70)])
        again = self.file(json.dumps(snapshot), "snapshot.json")
        self.assertEqual(self.argosy("plan", "--cluster", str(again), self.file()).returncode, 0)


class Plan(Case):
    """On a cluster out of a file: no broker is asked."""

    def plan(self, job, cluster, *words):
        snapshot = self.file(json.dumps(cluster), "snapshot.json")
        return self.argosy("plan", "--cluster", str(snapshot), self.file(job), *words, ARGOSY_BROKER="127.0.0.1:1")

    @staticmethod
    def node(name, cpu=2, memory="1GiB", **more):
        return {"id": name, "capacity": {"cpu": cpu, "memory": memory, "disk": "1GiB"}, **more}

    def instances(self, *words):
        result = self.plan(*words, "--json")
        return {one["instance"]: one for one in json.loads(result.stdout)["instances"]}, result.returncode

    def test_what_is_there_stays_and_the_rest_goes_to_the_best_node(self):
        cluster = {"nodes": [self.node("n1"), self.node("n2", cpu=1)],
                   "tasks": [{"job": "web", "index": 0, "node": "n1", "resources": {"cpu": 0.5, "memory": "64MiB"}},
                             {"job": "web", "index": 2, "node": "n1", "resources": {"cpu": 0.5, "memory": "64MiB"}}]}
        found, code = self.instances("name: web\nimage: x\ncount: 2\nresources: {cpu: 0.5}\n", cluster)
        self.assertEqual({name: (one["action"], one["node"]) for name, one in found.items()},
                         {"web_web_0": ("keep", "n1"), "web_web_1": ("place", "n2"), "web_web_2": ("stop", "n1")})
        self.assertEqual(code, 0)

    def test_the_policy_decides(self):
        cluster = {"nodes": [self.node("full"), self.node("empty")],
                   "tasks": [{"job": "other", "node": "full", "resources": {"cpu": 1, "memory": "512MiB"}}]}
        job = "name: web\nimage: x\n"
        self.assertEqual(self.instances(job, cluster)[0]["web_web_0"]["node"], "full")
        self.assertEqual(self.instances(job, {**cluster, "policy": "spread"})[0]["web_web_0"]["node"], "empty")
        self.assertEqual(self.plan(job, cluster, "--policy", "best").returncode, 2)

    def test_what_fits_nowhere_is_6_with_reasons_and_the_nearest_miss(self):
        cluster = {"nodes": [self.node("n1"), self.node("n2", eligible=False), self.node("n3", ports_used=[8080])]}
        found, code = self.instances("name: web\nimage: x\nports: ['8080:80']\nresources: {cpu: 2.5}\n", cluster)
        pending = found["web_web_0"]
        self.assertEqual((pending["action"], code, pending["nearest"]), ("pending", 6, "n1 lacks 0.5 cpu"))
        self.assertEqual({why["reason"]: why["nodes"] for why in pending["excluded"]},
                         {"cpu_exhausted": 1, "ineligible": 1, "port_taken": 1})

    def test_explain_tells_of_every_node(self):
        cluster = {"nodes": [self.node("n1"), self.node("n2", online=False)]}
        result = self.plan("name: web\nimage: x\n", cluster, "--explain", "--json")
        (one,) = json.loads(result.stdout)["instances"]
        n1, n2 = one["candidates"]
        self.assertEqual((n1["node"], n1["score"]), ("n1", one["score"]))
        self.assertEqual((n2["node"], n2["excluded"]), ("n2", "node_silent"))

    def test_a_system_job_goes_to_each_node_that_matches(self):
        cluster = {"nodes": [self.node("n1", datacenter="a"), self.node("n2", datacenter="b"), self.node("n3", datacenter="a")]}
        found, code = self.instances("name: agent\ntype: system\nimage: x\ndatacenters: [a]\n", cluster)
        self.assertEqual(([one["node"] for one in found.values()], code), (["n1", "n3"], 0))

    WEB = {"name": "web", "type": "service", "tasks": [{"name": "web", "image": "web:1", "env": {"A": "b", "C": "d"}}]}

    def test_what_would_change_is_told_field_by_field(self):
        cluster = {"nodes": [self.node("n1")], "tasks": [{"job": "web", "node": "n1"}], "jobs": [self.WEB]}
        job = "name: web\nimage: web:2\nenv: {A: b2, E: f}\nconstraints: ['label.rack is_not_set']\n"
        result = json.loads(self.plan(job, cluster, "--json").stdout)
        (told,) = result["jobs"]
        self.assertEqual((told["job"], told["new"]), ("web", False))
        self.assertEqual({one["field"]: (one.get("from"), one.get("to")) for one in told["changes"]},
                         {"/constraints": (None, '["label.rack is_not_set"]'), "/tasks/web/image": ("web:1", "web:2"),
                          "/tasks/web/env/A": ("b", "b2"), "/tasks/web/env/C": ("d", None), "/tasks/web/env/E": (None, "f")})
        self.assertEqual([one["action"] for one in result["instances"]], ["replace"])
        self.assertIn("~ /tasks/web/image: web:1 -> web:2", self.plan(job, cluster).stdout)

    def test_what_changes_in_place_stays_unless_its_node_does_not_match_any_more(self):
        cluster = {"nodes": [self.node("n1", labels={"rack": "a"}), self.node("n2")],
                   "tasks": [{"job": "web", "node": "n1"}], "jobs": [self.WEB]}
        job = "name: web\nimage: web:1\nenv: {A: b, C: d}\n"
        for more, action, node in (("", "keep", "n1"), ("priority: 60\n", "update", "n1"),
                                   ("constraints: ['label.rack == a']\n", "update", "n1"),
                                   ("constraints: ['label.rack != a']\n", "replace", "n2")):
            with self.subTest(more=more):
                (one,) = self.instances(job + more, cluster)[0].values()
                self.assertEqual((one["action"], one["node"]), (action, node))

    def test_a_higher_priority_names_who_has_to_make_room(self):
        cluster = {"nodes": [self.node("n1")],
                   "tasks": [{"job": "low", "index": 3, "node": "n1", "priority": 20, "resources": {"cpu": 2}}]}
        job = "name: web\nimage: x\npriority: 30\n"
        found, code = self.instances(job, cluster)
        self.assertEqual((found["web_web_0"]["node"], found["web_web_0"]["preempts"], code), ("n1", ["low_low_3"], 0))
        self.assertEqual(self.instances(job.replace("30", "29"), cluster)[1], 6)
        self.assertEqual(self.instances(job, {**cluster, "preemption": "system"})[1], 6)
        self.assertEqual(self.instances(job + "type: system\n", {**cluster, "preemption": "system"})[1], 0)

    def test_the_constraint_that_nothing_satisfies_is_named(self):
        cluster = {"nodes": [self.node("n1", attributes={"arch": "amd64"})]}
        found, code = self.instances("name: web\nimage: x\nconstraints: ['arch == arm64']\n", cluster)
        (why,) = found["web_web_0"]["excluded"]
        self.assertEqual((why["reason"], why["detail"], code), ("constraint", "arch == arm64", 6))

    def test_nothing_of_a_job_with_a_schedule_is_placed(self):
        result = self.plan("name: nightly\ntype: batch\nimage: x\nschedule: {cron: '@daily'}\n", {"nodes": [self.node("n1")]})
        self.assertEqual((result.returncode, result.stdout.split("\n")[0]), (0, "nightly: new, run by its children only"))
        self.assertNotIn("nightly_nightly", result.stdout)

    def test_a_task_that_the_job_has_no_more_is_stopped(self):
        cluster = {"nodes": [self.node("n1")], "tasks": [{"job": "web", "task": "old", "node": "n1"}]}
        self.assertEqual(self.instances("name: web\nimage: x\n", cluster)[0]["web_old_0"]["action"], "stop")

    def test_what_is_no_snapshot_is_2_with_its_place(self):
        result = self.plan("name: web\nimage: x\n", {"nodes": [{"datacenter": "a"}]})
        self.assertEqual(result.returncode, 2)
        self.assertIn("/nodes/0", result.stderr)


class Launches(Case):
    JOB = "name: nightly\ntype: batch\nimage: x\nschedule: {cron: '30 2 * * *', timezone: Europe/Vienna}\n"

    def launches(self, *words):
        result = self.argosy("validate", "--json", *words, self.file(self.JOB))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        (told,) = json.loads(result.stdout)["launches"]
        self.assertEqual((told["job"], told["timezone"]), ("nightly", "Europe/Vienna"))
        return [one["local"] for one in told["next"]]

    def test_the_next_ones_are_told_over_a_change_of_the_clocks(self):
        self.assertEqual(self.launches("--next", 3, "--from", "2026-10-24T00:00"),
                         ["2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"])
        self.assertEqual(self.launches("--next", 2, "--from", "2027-03-27"),
                         ["2027-03-27T02:30:00+01:00", "2027-03-29T02:30:00+02:00"])

    def test_from_may_have_an_offset(self):
        self.assertEqual(self.launches("--next", 1, "--from", "2026-10-24T01:00:00Z"), ["2026-10-25T02:30:00+02:00"])
        self.assertEqual(self.launches("--next", 1, "--from", "2026-10-24T02:29:59+02:00"), ["2026-10-24T02:30:00+02:00"])

    def test_for_people_the_same_in_words(self):
        result = self.argosy("validate", "--next", "1", "--from", "2026-10-24", self.file(self.JOB))
        self.assertIn("nightly, next launches (Europe/Vienna):\n  Sat 2026-10-24T02:30:00+02:00  2026-10-24T00:30:00Z\n",
                      result.stdout)

    def test_a_time_that_is_none_is_2(self):
        for text in ("tomorrow", "2026-13-01", "2026-02-30", "2026-01-01T25:00", "2026-01-01T10:00+1"):
            with self.subTest(text=text):
                result = self.argosy("validate", "--next", "1", "--from", text, self.file(self.JOB))
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertIn(f"{text} is no time", result.stderr)

    def test_without_zone_files_it_says_what_to_install(self):
        result = self.argosy("validate", "--next", "1", self.file(self.JOB), TZDIR="/nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertIn("install tzdata", result.stderr)
        self.assertEqual(self.argosy("validate", self.file(self.JOB), TZDIR="/nowhere").returncode, 0)


class Run(Case):
    def test_a_service_that_is_seen_running_is_0(self):
        fake = self.fake(set=running)
        result = self.argosy("run", self.file())
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, "web: running (1 running), version 1\n")
        job, verb, command = fake.heard[0]
        self.assertEqual((job, verb, command["image" if "image" in command else "name"]), ("web", "set", "web"))
        self.assertTrue(command["token"] and command["reply_to"].startswith("argosy/v1/replies/"))

    def test_a_job_from_the_standard_input(self):
        self.fake(set=running)
        self.assertEqual(self.argosy("run", "-", stdin="name: web\nimage: x\n").returncode, 0)

    def test_json_has_the_outcome_the_reply_and_the_status(self):
        self.fake(set=running)
        result = self.argosy("run", "--json", self.file())
        data = json.loads(result.stdout)
        self.assertEqual((data["job"], data["outcome"]), ("web", "running"))
        self.assertEqual((data["reply"]["version"], data["status"]["state"]), (1, "running"))

    def test_accepted_but_never_running_is_4_and_no_success(self):
        def accept(fake, job, _command):
            fake.job(job)
            fake.status(job, "pending", counts={"preparing": 1})
            return {"version": 1}
        self.fake(set=accept)
        result = self.argosy("run", "--timeout", "700ms", self.file())
        self.assertEqual((result.returncode, result.stdout), (4, ""))

    def test_an_older_version_that_runs_is_no_success(self):
        fake = self.fake(set=lambda *_: {"version": 2})
        fake.job("web")
        fake.status("web", "running", counts={"running": 1})
        self.assertEqual(self.argosy("run", "--timeout", "700ms", self.file()).returncode, 4)

    def test_detach_says_accepted_and_only_that(self):
        self.fake(set=lambda *_: {"version": 7})
        result = self.argosy("run", "--detach", self.file())
        self.assertEqual((result.returncode, result.stdout), (0, "web: accepted, version 7\n"))

    def test_what_cannot_be_placed_is_6_with_the_reasons(self):
        def accept(fake, job, _command):
            fake.job(job)
            fake.status(job, "pending", counts={"pending": 1}, pending=[
                {"reason": "memory_exhausted", "text": "no node has enough memory left", "task": "web", "count": 1,
                 "excluded": [{"reason": "memory_exhausted", "text": "not enough memory left", "nodes": 3}],
                 "nearest": "n1 lacks 12 MiB memory"}])
            return {"version": 1}
        self.fake(set=accept)
        result = self.argosy("run", self.file())
        self.assertEqual(result.returncode, 6)
        self.assertTrue(result.stdout.startswith("web: unplaced"))
        for words in ("no node has enough memory left", "3 nodes", "n1 lacks 12 MiB memory"):
            self.assertIn(words, result.stderr)

    def test_a_batch_job_is_0_when_it_completed_and_1_when_it_failed(self):
        def ends(state):
            def act(fake, job, _command):
                fake.job(job, spec={"type": "batch"})
                fake.attempt(job, f"{job}_{job}_0_aaaaaaaa", state, exit_code=0 if state == "completed" else 3,
                             reason="exited")
                fake.status(job, state, type="batch", counts={state: 1})
                return {"version": 1}
            return act
        path = self.file("name: web\ntype: batch\nimage: x\n")
        fake = self.fake(set=ends("completed"))
        self.assertEqual(self.argosy("run", path).returncode, 0)
        fake.script["set"] = ends("failed")
        result = self.argosy("run", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("web_web_0 on n1: failed, exit code 3", result.stderr)

    def test_a_rejection_is_5_and_points_into_the_file(self):
        self.fake(set=lambda *_: {"errors": [{"path": "/tasks/0/image", "message": "no such registry", "hint": "ask"}]})
        result = self.argosy("run", self.file())
        self.assertEqual(result.returncode, 5)
        self.assertIn("job.yaml:2:8: error: no such registry\n    2 | image: x\n", result.stderr)
        self.assertIn("hint: ask", result.stderr)

    def test_expect_version_is_sent(self):
        fake = self.fake(set=running)
        self.argosy("run", "--expect-version", "3", self.file())
        self.assertEqual(fake.heard[0][2]["expect_version"], 3)

    def test_jobs_behind_a_rejected_one_are_still_submitted(self):
        def first_is_rejected(fake, job, command):
            return {"result": "rejected"} if job == "a" else running(fake, job, command)
        fake = self.fake(set=first_is_rejected)
        result = self.argosy("run", self.file("name: a\nimage: x\n---\nname: b\nimage: x\n"))
        self.assertEqual((result.returncode, [heard[0] for heard in fake.heard]), (5, ["a", "b"]))

    def test_a_service_that_ends_at_once_is_no_success(self):
        def crash(fake, job, _command):
            fake.job(job)
            fake.status(job, "running", counts={"running": 1})
            fake.status(job, "pending", counts={"starting": 1})
            return {"version": 1}
        self.fake(set=crash)
        self.assertEqual(self.argosy("run", "--timeout", "700ms", self.file()).returncode, 4)

    def test_a_newer_version_of_somebody_else_is_no_success(self):
        def overtaken(fake, job, _command):
            fake.job(job, version=2)
            fake.status(job, "running", version=2, counts={"running": 1})
            return {"version": 1}
        self.fake(set=overtaken)
        self.assertEqual(self.argosy("run", self.file()).returncode, 1)


class Verbs(Case):
    def test_stop_waits_until_it_is_stopped(self):
        def stop(fake, job, _command):
            fake.job(job, stopped=True)
            fake.status(job, "stopped", counts={"stopped": 1})
            return {"version": 1}
        self.fake(stop=stop)
        result = self.argosy("stop", "web")
        self.assertEqual((result.returncode, result.stdout), (0, "web: stopped (1 stopped), version 1\n"))

    def test_stop_that_is_only_accepted_times_out(self):
        def stop(fake, job, _command):
            fake.job(job, stopped=True)
            return {"version": 1}
        fake = self.fake(stop=stop)
        fake.job("web")
        fake.status("web", "running", counts={"running": 1})
        result = self.argosy("stop", "web", "--timeout", "700ms")
        self.assertEqual((result.returncode, result.stdout), (4, ""))

    def test_delete_waits_until_the_job_is_gone(self):
        def delete(fake, job, _command):
            fake.retain(f"jobs/{job}/status", "")
            fake.retain(f"jobs/{job}/spec", "")
            return {"changed": True}
        fake = self.fake(delete=delete)
        fake.job("web")
        self.assertEqual(self.argosy("delete", "web").returncode, 0)

    def test_scale_sends_count_and_task_and_watches(self):
        fake = self.fake(scale=running)
        self.assertEqual(self.argosy("scale", "web", "api", "4").returncode, 0)
        command = fake.heard[0][2]
        self.assertEqual((command["count"], command["task"]), (4, "api"))
        self.assertEqual(self.argosy("scale", "web", "many").returncode, 2)

    def test_restart_waits_for_the_next_run_of_every_instance(self):
        def restart(fake, job, _command):
            fake.attempt(job, "web_web_0_aaaaaaaa", "running", run=2)
            return {"version": 1}
        fake = self.fake(restart=restart)
        fake.node()
        fake.attempt("web", "web_web_0_aaaaaaaa", "running")
        self.assertEqual(self.argosy("restart", "web").returncode, 0)
        fake.script["restart"] = lambda *_: {"version": 1}
        self.assertEqual(self.argosy("restart", "web", "--timeout", "700ms").returncode, 4)

    def test_an_unknown_job_is_5(self):
        self.fake(scale=lambda *_: {"result": "rejected", "code": "unknown_job", "message": "no such job"})
        result = self.argosy("scale", "nobody", "3")
        self.assertEqual(result.returncode, 5)
        self.assertIn("no such job", result.stderr)

    def test_node_verbs_send_their_arguments(self):
        fake = self.fake()
        for words, expected in ((("eligibility", "n1", "off"), {"eligible": False}),
                                (("labels", "n1", "rack=r2", "old="), {"labels": {"rack": "r2", "old": ""}}),
                                (("interval", "n1", "5s"), {"interval_ms": 5000}), (("delete", "n1"), {})):
            with self.subTest(words=words):
                result = self.argosy("node", *words)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                name, verb, command = fake.heard.pop()
                arguments = {k: v for k, v in command.items() if k not in ("token", "reply_to")}
                self.assertEqual((name, verb, arguments), ("n1", words[0], expected))

    def test_wrong_usage_is_2_and_names_what_is_meant(self):
        for words, hint in ((("stauts",), "did you mean status?"), (("run", "--jsn"), "did you mean --json?"),
                            (("run",), "wants FILE"), (("stop", "a", "b"), "one argument too many"),
                            (("stop", "Web"), "no job name"), (("logs", "web"), "no instance"),
                            (("status", "--timeout", "5"), "no duration"), (("node", "drian", "n1"), "not one of"),
                            (("status", "--root", "a//b"), "no root"), ((), "a command is missing")):
            with self.subTest(words=words):
                result = self.argosy(*words)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertIn(hint, result.stderr)


class Reading(Case):
    def cluster(self):
        fake = self.fake()
        fake.node()
        fake.job("web")
        fake.status("web", "running", counts={"running": 1}, tasks=[{"name": "web", "count": 1, "running": 1}])
        fake.attempt("web", "web_web_0_aaaaaaaa", "running", run=3, ports=[{"port": 80, "host": 31000}])
        fake.retain("nodes/n1/metrics", {"load1": 0.5, "mem_available_bytes": 1 << 29, "ts_ms": 1})
        return fake

    def test_status_lists_jobs(self):
        self.cluster()
        result = self.argosy("status")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"JOB +TYPE +STATE +RUNNING.*\nweb +service +running +1/1 ")
        data = json.loads(self.argosy("status", "--json").stdout)
        self.assertEqual((data["manager"]["state"], data["jobs"][0]["name"]), ("leading", "web"))

    def test_status_of_one_job_shows_its_instances_with_their_address(self):
        self.cluster()
        result = self.argosy("status", "web")
        self.assertRegex(result.stdout, r"web_web_0 +n1 +running +3 +2 .*192\.0\.2\.7:31000 +web_web_0_aaaaaaaa")
        data = json.loads(self.argosy("status", "web", "--json").stdout)
        self.assertEqual((data["spec"]["name"], data["instances"][0]["ports"][0]["host"]), ("web", 31000))

    def test_the_spec_of_status_can_be_submitted_again(self):
        self.cluster()
        spec = json.loads(self.argosy("status", "web", "--json").stdout)["spec"]
        result = self.argosy("validate", "-", stdin=json.dumps(spec))
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_silent_node_s_instances_are_not_called_running(self):
        fake = self.cluster()
        fake.node("offline")
        fake.retain("nodes/n1/status", {"state": "offline", "session": 1, "instance": "w"})
        self.assertIn("unknown (was running)", self.argosy("status", "web").stdout)

    def test_nodes_and_tasks(self):
        self.cluster()
        self.assertRegex(self.argosy("nodes").stdout, r"n1 +online +yes +graz +2 +1 GiB +0\.50 +512 MiB")
        self.assertIn("web_web_0", self.argosy("nodes", "n1").stdout)
        self.assertIn("web_web_0_aaaaaaaa", self.argosy("tasks", "--job", "web").stdout)
        self.assertEqual(json.loads(self.argosy("tasks", "--job", "other", "--json").stdout), {"instances": []})
        data = json.loads(self.argosy("nodes", "n1", "--json").stdout)
        self.assertEqual((data["id"], data["info"]["datacenter"], data["instances"][0]["run"]), ("n1", "graz", 3))

    def test_what_is_not_there_is_1(self):
        self.cluster()
        self.assertEqual(self.argosy("status", "other").returncode, 1)
        self.assertEqual(self.argosy("nodes", "other").returncode, 1)
        self.assertEqual(self.argosy("logs", "other_other_0").returncode, 1)

    def test_retained_garbage_does_not_hide_the_rest(self):
        fake = self.cluster()
        fake.retain("jobs/bad/status", "{garbage")
        fake.retain("nodes/n2/state/web", "[]")
        result = self.argosy("status")
        self.assertEqual(result.returncode, 0)
        self.assertIn("web", result.stdout)

    def test_events_prints_those_that_come(self):
        fake = self.cluster()
        process = subprocess.Popen([ARGOSY, "events", "--timeout", "20s", "--broker", f"127.0.0.1:{self.broker.port}"],
                                   stdout=subprocess.PIPE, text=True)
        event = {"specversion": "1.0", "id": "1", "source": "/argosy/c/nodes/n1", "type": "argosy.start_failed",
                 "time": "2026-11-23T08:00:00Z", "data": {"reason": "start_failed", "message": "it did not start", "suppressed": 17}}
        line = None
        while process.poll() is None and not line:
            fake.publish("nodes/n1/events/start_failed", event)
            line = process.stdout.readline() if self.readable(process.stdout) else None
        process.terminate()
        process.communicate()
        self.assertEqual(line, "2026-11-23T08:00:00Z  /argosy/c/nodes/n1  start_failed: it did not start (17 more left out)\n")

    @staticmethod
    def readable(stream):
        import select
        return bool(select.select([stream], [], [], 0.1)[0])


class Logs(Case):
    def logs(self, chunks, answer):
        def act(fake, node, ask):
            for stream, chunk in chunks:
                fake.publish(f"nodes/{node}/logs/{ask['task']}/{stream}", {"token": ask["token"], **chunk})
            fake.publish(f"nodes/{node}/answers/{ask['token']}", {"token": ask["token"], **answer})
        fake = self.fake(logs=act)
        fake.node()
        fake.attempt("web", "web_web_0_aaaaaaaa", "running")
        return fake

    def test_chunks_are_printed_in_their_order_each_on_its_stream(self):
        fake = self.logs([("stdout", {"seq": 1, "data": "one\n"}), ("stdout", {"seq": 3, "data": "three\n"}),
                          ("stderr", {"seq": 2, "data": "two\n"})], {"result": "accepted", "code": "accepted", "chunks": 3})
        result = self.argosy("logs", "web_web_0", "-n", "10")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "one\nthree\n", "two\n"))
        self.assertEqual((fake.asked[0][1]["task"], fake.asked[0][1]["lines"]), ("web_web_0_aaaaaaaa", 10))

    def test_one_stream_only(self):
        self.logs([("stdout", {"seq": 1, "data": "one\n"}), ("stderr", {"seq": 2, "data": "two\n"})],
                  {"result": "accepted", "code": "accepted", "chunks": 2})
        result = self.argosy("logs", "web_web_0_aaaaaaaa", "--stderr")
        self.assertEqual((result.stdout, result.stderr), ("", "two\n"))

    def test_a_lost_chunk_is_said_and_is_1(self):
        self.logs([("stdout", {"seq": 1, "data": "one\n"}), ("stdout", {"seq": 3, "data": "three\n"})],
                  {"result": "accepted", "code": "accepted", "chunks": 3})
        result = self.argosy("logs", "web_web_0")
        self.assertEqual((result.returncode, result.stdout), (1, "one\nthree\n"))
        self.assertIn("1 part", result.stderr)

    def test_follow_ends_with_the_task(self):
        self.logs([("stdout", {"seq": 1, "data": "one\n"}), ("stdout", {"seq": 2, "data": "", "end": True})],
                  {"result": "accepted", "code": "accepted"})
        result = self.argosy("logs", "-f", "web_web_0")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "one\n", ""))

    def test_a_worker_that_refuses_is_5_and_one_that_is_silent_4(self):
        self.logs([], {"result": "rejected", "code": "unknown_task", "message": "no such task"})
        self.assertEqual(self.argosy("logs", "web_web_0").returncode, 5)
        self.assertEqual(self.argosy("inspect", "web_web_0", "--timeout", "500ms").returncode, 4)

    def test_an_offline_node_is_3_at_once(self):
        fake = self.logs([], {"result": "accepted", "code": "accepted", "chunks": 0})
        fake.retain("nodes/n1/status", {"state": "offline", "session": 1, "instance": "w"})
        self.assertEqual(self.argosy("logs", "web_web_0").returncode, 3)


if __name__ == "__main__":
    unittest.main()
