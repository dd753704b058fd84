"""Images and commands that do not exist, ports that are taken: clear states and reasons, no container left."""

from case import ClusterTest, main
from cluster import batch, httpd, sleeper
from wait import wait_until

ONCE = {"restart": {"policy": "never"}, "reschedule": {"attempts": 0, "unlimited": False}}


class AStartThatFails(ClusterTest):
    shared = True

    def failed(self, job, spec):
        self.cluster.set(job, spec)
        return next(iter(self.cluster.wait_state(job, "failed").values()))

    def nothing_is_left(self, job):
        wait_until(lambda: f"no container of {job} is left: {self.cluster.describe(job)}",
                   lambda: not self.cluster.containers(job, running=False))

    def test_an_image_that_does_not_exist(self):
        attempt = self.failed("noimage", batch("exit 0", image="argosy-test.invalid/nothing:1", pull="never"))
        self.assertEqual(attempt["reason"], "image_not_found")
        self.assertIn("argosy-test.invalid/nothing:1", attempt["message"])
        self.nothing_is_left("noimage")

    def test_an_image_whose_registry_does_not_answer(self):
        attempt = self.failed("nopull", batch("exit 0", image="argosy-test.invalid/nothing:2", pull="missing"))
        self.assertIn(attempt["reason"], ("image_pull_failed", "image_not_found"))
        self.assertTrue(attempt["message"])
        self.nothing_is_left("nopull")

    def test_a_command_that_does_not_exist(self):
        attempt = self.failed("nocommand", {**batch(""), "command": ["/bin/nothing-of-that-name"]})
        self.assertEqual(attempt["reason"], "command_not_found")
        self.assertIn("/bin/nothing-of-that-name", attempt["message"])
        self.nothing_is_left("nocommand")

    def test_a_command_that_cannot_be_executed(self):
        attempt = self.failed("notexecutable", {**batch(""), "command": ["/etc"]})
        self.assertEqual(attempt["reason"], "command_not_executable")
        self.nothing_is_left("notexecutable")

    def test_a_service_goes_through_its_restart_policy_and_then_has_failed(self):
        self.cluster.set("hopeless", {**sleeper(), "command": ["/bin/nothing-of-that-name"],
                                      "restart": {"attempts": 2, "delay": "50ms"}, "reschedule": {"delay": "1h"}})
        attempt = next(iter(self.cluster.wait_state("hopeless", "failed").values()))
        self.assertEqual(attempt["reason"], "command_not_found")
        self.assertLessEqual(attempt["restarts"], 2)
        self.nothing_is_left("hopeless")
        status = wait_until("the wait for the next attempt has its reason", lambda: (
            self.cluster.status("hopeless") if self.cluster.status("hopeless").get("pending") else None))
        self.assertEqual(status["pending"][0]["reason"], "waiting_to_reschedule")

    def test_the_same_job_can_be_repaired(self):
        self.failed("repaired", {**sleeper(), **ONCE, "command": ["/bin/nothing-of-that-name"]})
        self.cluster.set("repaired", {**sleeper(), **ONCE})
        self.cluster.wait_running("repaired", 1)

    def test_a_static_port_that_somebody_else_holds(self):
        from shared_numbers import free_port
        import socket
        number = free_port()
        self.addCleanup(number.release)
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("0.0.0.0", number.value))
            holder.listen()
            attempt = self.failed("noport", httpd(ports=[f"{number.value}:8080"], **ONCE))
            self.assertEqual(attempt["reason"], "port_in_use")
            self.nothing_is_left("noport")

    def test_two_instances_do_not_get_one_static_port(self):
        from shared_numbers import free_port
        number = free_port()
        self.addCleanup(number.release)
        self.cluster.set("statics", httpd(count=2, ports=[f"{number.value}:8080"]))
        self.cluster.wait_running("statics", 1)
        status = wait_until("the other one waits", lambda: (
            self.cluster.status("statics") if self.cluster.status("statics").get("pending") else None))
        self.assertEqual(status["pending"][0]["excluded"][0]["reason"], "port_taken")


if __name__ == "__main__":
    main()
