"""Jobs with parameters: each dispatch makes a child, whose task finds payload and meta; a retry makes no second."""

import base64
import hashlib

from bus import Rejected
from case import ClusterTest, main
from cluster import batch

CHECKSUM = 'echo "sum $(md5sum < $ARGOSY_PAYLOAD_FILE) site $ARGOSY_META_SITE_NAME"'
PAYLOAD = bytes(range(256)) * 64  # 16 KiB


class Dispatch(ClusterTest):
    shared = True
    worker_options = {"options": ("--runtimes", "docker,process")}

    def parent(self, job, script, **more):
        spec = batch(script, parameters={"meta_required": ["site.name"]}, **more)
        self.cluster.set(job, {key: value for key, value in spec.items() if value is not None})
        self.cluster.wait_job(job, "parent")

    def dispatch(self, job, **options):
        return self.cluster.do(job, "dispatch", {"meta": {"site.name": "graz"}, **options.pop("body", {})}, **options)["child"]

    def children(self, job):
        return self.cluster.bus.documents(
            lambda level: level[0] == "jobs" and level[1].startswith(f"{job}-") and level[2] == "spec")

    def check_any_bytes(self, job, **more):
        self.parent(job, CHECKSUM, **more)
        child = self.dispatch(job, body={"payload_base64": base64.b64encode(PAYLOAD).decode()})
        self.assertRegex(child, f"^{job}-[0-9]{{10}}-[0-9]+$")
        self.cluster.wait_job(child, "completed")
        told = self.cluster.argosy("logs", f"{child}_{job}_0").out
        self.assertIn(f"sum {hashlib.md5(PAYLOAD).hexdigest()}", told)
        self.assertIn("site graz", told)
        self.assertFalse(self.cluster.containers(job, running=False), "the parent itself ran")

    def test_any_bytes_arrive_in_a_container(self):
        self.check_any_bytes("sums")

    def test_also_in_a_read_only_one_of_another_user(self):
        self.check_any_bytes("guarded", read_only=True, user="1000")

    def test_also_in_a_plain_process(self):
        self.check_any_bytes("plain", runtime="process", image=None, pull=None)

    def test_text_from_the_command_line(self):
        self.parent("words", 'cat $ARGOSY_PAYLOAD_FILE; echo " at $ARGOSY_META_SITE_NAME"')
        done = self.cluster.argosy("dispatch", "words", "site.name=linz", "-", stdin="hello")
        self.assertEqual(done.status, 0, done)
        child = done.out.strip()
        self.cluster.wait_job(child, "completed")
        self.assertIn("hello at linz", self.cluster.argosy("logs", f"{child}_words_0").out)

    def test_the_same_token_makes_no_second_child(self):
        self.parent("once", "true")
        self.dispatch("once", token="one-token")
        self.dispatch("once", token="one-token")
        self.dispatch("once")  # handled after the second
        self.assertEqual(len(self.children("once")), 2)

    def test_what_is_missing_is_said(self):
        self.parent("strict", "true")
        with self.assertRaises(Rejected) as refused:
            self.cluster.do("strict", "dispatch", {"meta": {"colour": "red"}})
        self.assertEqual(sorted(error["path"] for error in refused.exception.reply["errors"]), ["/meta", "/meta/colour"])
        self.assertFalse(self.children("strict"))


if __name__ == "__main__":
    main()
