"""A worker that was killed, emptied or started without a broker finds its containers again and restarts none."""

from case import ClusterTest, main
from cluster import batch, instance_of, sleeper
from engine import LABEL
from wait import stays_true, wait_until


class AWorkerAdopts(ClusterTest):
    def run_web(self, count=3):
        self.cluster.set("web", sleeper(count=count, restart={"delay": "100ms"}))
        self.cluster.wait_running("web", count)
        return self.cluster.footprint("web")

    @property
    def n1(self):
        return self.cluster.worker("n1")

    def wait_for_adoption(self, position, count=3):
        """Until the worker, started again, has told of its running attempts. (To the recorder it may be a retained message: when the
        broker restarts too, the recorder may come back later than the worker.)"""
        topic = f"nodes/{self.n1.node}/state/web"
        self.cluster.bus.wait_for(lambda message: message.topic == topic and message.json
                                  and [one["state"] for one in message.json["attempts"]] == ["running"] * count,
                                  "the worker tells what it adopted", since=position)

    def test_a_killed_worker_adopts_its_containers(self):
        before = self.run_web()
        reports = self.cluster.attempts("web")
        self.n1.kill()
        position = self.cluster.bus.position()
        self.n1.start()
        self.wait_for_adoption(position)
        self.cluster.wait_running("web", 3)
        self.assertEqual(self.cluster.footprint("web"), before)
        for name, report in self.cluster.attempts("web").items():
            self.assertEqual((report["run"], report["restarts"]), (reports[name]["run"], reports[name]["restarts"]))

    def test_what_ended_while_the_worker_was_away_goes_by_policy(self):
        before = self.run_web()
        victim = self.cluster.container_of("web_web_1")
        self.n1.kill()
        self.cluster.docker.kill(victim)
        self.n1.start()
        wait_until("it was restarted once", lambda: {instance_of(name): one["restarts"] for name, one in
                                                     self.cluster.attempts_in("running", "web").items()} ==
                   {"web_web_0": 0, "web_web_1": 1, "web_web_2": 0}, timeout=60)
        self.cluster.wait_running("web", 3)
        after = self.cluster.footprint("web")
        self.assertEqual({name for name in before if after.get(name) != before[name]},
                         {name for name in before if instance_of(name) == "web_web_1"})

    def test_a_worker_whose_store_was_deleted_adopts_what_is_wanted_and_runs_nothing_twice(self):
        before = self.run_web()
        self.cluster.set("done", batch("exit 0"))
        self.cluster.wait_job("done", "completed")
        self.n1.kill()
        self.n1.delete_store()
        position = self.cluster.bus.position()
        self.n1.start()
        self.wait_for_adoption(position)
        self.cluster.wait_running("web", 3)
        self.assertEqual(self.cluster.footprint("web"), before)
        self.cluster.wait_job("done", "completed")
        self.assertEqual([one["run"] for one in self.cluster.attempts("done").values()], [1], "a finished batch ran again")

    def test_a_worker_whose_store_was_deleted_stops_what_nobody_wants(self):
        self.run_web(2)
        self.n1.kill()
        self.cluster.do("web", "delete")
        self.n1.delete_store()
        self.n1.start()
        wait_until("its containers are gone", lambda: not self.cluster.containers("web", running=False), timeout=60)

    def test_broker_and_worker_store_deleted_and_the_containers_are_adopted(self):
        before = self.run_web()
        self.n1.kill()
        self.cluster.broker.kill()
        self.cluster.broker.delete_persistence()
        self.n1.delete_store()
        self.cluster.bus.forget()
        position = self.cluster.bus.position()
        self.cluster.broker.start()
        self.n1.start()
        self.wait_for_adoption(position)
        self.cluster.wait_ready()
        self.cluster.wait_running("web", 3, timeout=60)
        self.assertEqual(self.cluster.footprint("web"), before)

    def test_a_worker_that_boots_with_no_broker_starts_what_it_stored(self):
        self.run_web(2)
        self.n1.stop()
        self.cluster.broker.stop()
        for container in self.cluster.containers("web", running=False):
            self.cluster.docker.remove(container["Id"])  # the machine was new, so to say: only the store is left
        self.n1.start()
        wait_until("both run", lambda: sorted(instance_of(one["Labels"][LABEL + "task"])
                                              for one in self.cluster.containers("web")) == ["web_web_0", "web_web_1"])
        alone = self.cluster.footprint("web")
        self.cluster.broker.start()
        self.cluster.wait_ready()
        self.cluster.wait_running("web", 2, timeout=60)
        self.assertEqual(self.cluster.footprint("web"), alone, "the broker came back and something was restarted")

    def test_two_workers_on_one_engine_leave_each_other_alone(self):
        before = self.run_web()
        second = self.cluster.add_worker("n2")
        self.cluster.wait_ready()
        self.cluster.set("more", sleeper(count=1))
        self.cluster.wait_running("more", 1)
        second.kill()
        second.delete_store()
        second.start()
        self.cluster.wait_ready()
        stays_true("n2 touches nothing of n1", lambda: self.cluster.footprint("web") == before, 1.5)


if __name__ == "__main__":
    main()
