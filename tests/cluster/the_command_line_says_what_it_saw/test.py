"""The argosy command against a live cluster: what it prints and how it ends."""

import json

from case import ClusterTest, main
from cluster import batch, httpd, sleeper


class TheCommandLine(ClusterTest):
    nodes = ("n1", "n2")
    shared = True

    def file(self, name, spec):
        path = self.cluster.directory / f"{name}.json"
        path.write_text(json.dumps({"name": name, **spec}))
        return path

    def run_file(self, name, spec, *options):
        return self.cluster.argosy("run", self.file(name, spec), *options)

    def test_run_ends_with_0_when_the_job_was_seen_running(self):
        result = self.run_file("cli-web", sleeper(count=2))
        self.assertEqual(result.status, 0, result)
        self.cluster.wait_running("cli-web", 2)

    def test_run_of_yaml_with_two_jobs(self):
        path = self.cluster.directory / "two.yaml"
        path.write_text("".join(f"---\nname: {name}\ntype: batch\nimage: busybox:argosy\npull: never\ncommand: ['true']\n"
                                for name in ("yaml-one", "yaml-two")))
        self.assertEqual(self.cluster.argosy("run", path).status, 0)
        for name in ("yaml-one", "yaml-two"):
            self.cluster.wait_job(name, "completed")

    def test_run_ends_with_1_when_a_batch_job_failed(self):
        self.assertEqual(self.run_file("cli-bad", batch("exit 3")).status, 1)

    def test_run_ends_with_2_for_a_wrong_file_and_names_the_place(self):
        path = self.cluster.directory / "wrong.yaml"
        path.write_text("name: wrong\nimage: busybox:argosy\ncuont: 2\n")
        result = self.cluster.argosy("run", path)
        self.assertEqual(result.status, 2, result)
        self.assertIn("wrong.yaml:3:1", result.err)
        self.assertIn("count", result.err)

    def test_run_ends_with_6_when_nothing_can_take_it(self):
        result = self.run_file("cli-huge", sleeper(resources={"cpu": 999, "memory": "16MiB"}))
        self.assertEqual(result.status, 6, result)

    def test_without_a_broker_it_ends_with_3(self):
        result = self.cluster.argosy("--broker", "127.0.0.1:1", "--timeout", "2s", "status")
        if result.status == 2:  # options belong to the command
            result = self.cluster.argosy("status", "--broker", "127.0.0.1:1", "--timeout", "2s")
        self.assertEqual(result.status, 3, result)

    def test_without_a_manager_it_ends_with_3(self):
        result = self.cluster.argosy("stop", "--root", "test/nobody", "--timeout", "2s", "web")
        self.assertEqual(result.status, 3, result)

    def test_status_nodes_and_tasks_in_text_and_json(self):
        self.run_file("cli-shown", httpd(ports=["8080"]))
        for words in (("status",), ("status", "cli-shown"), ("nodes",), ("tasks",)):
            with self.subTest(words=words):
                text, data = self.cluster.argosy(*words), self.cluster.argosy(*words, "--json")
                self.assertEqual((text.status, data.status), (0, 0), (text, data))
                expected = self.cluster.workers[0].node if words == ("nodes",) else "cli-shown"
                self.assertIn(expected, text.out)
                self.assertIn(expected, json.dumps(data.json))

    def test_logs_prints_what_the_task_wrote(self):
        self.run_file("cli-logs", batch("echo to-stdout; echo to-stderr >&2"))
        result = self.cluster.argosy("logs", "cli-logs_cli-logs_0")
        self.assertEqual(result.status, 0, result)
        self.assertIn("to-stdout", result.out)
        self.assertIn("to-stderr", result.out + result.err)

    def test_scale_stop_and_delete(self):
        self.run_file("cli-life", sleeper())
        self.assertEqual(self.cluster.argosy("scale", "cli-life", "3").status, 0)
        self.cluster.wait_running("cli-life", 3)
        self.assertEqual(self.cluster.argosy("stop", "cli-life").status, 0)
        self.cluster.wait_job("cli-life", "stopped")
        self.assertEqual(self.cluster.argosy("delete", "cli-life").status, 0)
        self.cluster.wait_gone("cli-life")

    def test_a_command_on_an_unknown_job_is_rejected_with_5(self):
        self.assertEqual(self.cluster.argosy("scale", "nobody", "3").status, 5)

    def test_init_writes_a_file_that_validates(self):
        path = self.cluster.directory / "init.yaml"
        self.assertEqual(self.cluster.argosy("init", path).status, 0)
        self.assertEqual(self.cluster.argosy("validate", path).status, 0)


if __name__ == "__main__":
    main()
