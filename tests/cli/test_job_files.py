"""Job files: `argosy validate` says of every file in job_files/ what <file>.expected says, and of every example and
every line of `argosy init` that it is valid. UPDATE=1 writes the expectations anew (then read the difference)."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ARGOSY, SOURCE = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))
FILES = SOURCE / "tests/cli/job_files"


def argosy(*words, cwd=FILES, stdin=None):
    return subprocess.run([ARGOSY, *map(str, words)], cwd=cwd, input=stdin, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"})


class JobFiles(unittest.TestCase):
    maxDiff = None

    def test_every_wrong_file_gets_the_expected_diagnostics(self):
        paths = sorted(path for path in FILES.iterdir() if path.suffix in (".yaml", ".json"))
        self.assertGreaterEqual(len(paths), 30)
        for path in paths:
            with self.subTest(path=path.name):
                result = argosy("validate", path.name)
                expected = path.with_name(path.name + ".expected")
                if os.environ.get("UPDATE"):
                    expected.write_text(result.stderr)
                self.assertEqual(result.stderr, expected.read_text())
                self.assertEqual((result.returncode, result.stdout), (2, ""))

    def test_run_says_the_same_and_sends_nothing(self):
        result = argosy("run", "--broker", "127.0.0.1:1", "misspelt-key.yaml")
        self.assertEqual(result.returncode, 2)
        self.assertIn("misspelt-key.yaml:3:1: error:", result.stderr)
        self.assertIn("nothing was sent", result.stderr)

    def test_json_gives_the_places_as_data(self):
        result = argosy("validate", "--json", "misspelt-key.yaml", "crlf.yaml")
        data = json.loads(result.stdout)
        self.assertEqual(result.returncode, 2)
        self.assertFalse(data["valid"])
        self.assertEqual([(p["file"], p["line"], p["column"], p["path"]) for p in data["problems"]],
                         [("misspelt-key.yaml", 3, 1, "/cuont"), ("crlf.yaml", 3, 1, "/cuont")])

    def test_every_example_is_valid(self):
        examples = sorted((SOURCE / "examples").iterdir())
        self.assertGreaterEqual(len(examples), 8)
        for path in examples:
            with self.subTest(path=path.name):
                result = argosy("validate", path)
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_the_example_hello_is_a_service_of_three_and_a_batch_job(self):
        result = argosy("validate", "--json", SOURCE / "examples/hello.yaml")
        self.assertEqual(json.loads(result.stdout)["jobs"], ["hello", "hello-batch"])

    def test_a_file_comes_from_the_standard_input_too(self):
        result = argosy("validate", "-", stdin="name: a\nimage: x\n")
        self.assertEqual((result.returncode, result.stdout), (0, "stdin: a is valid: service, 1 task, 1 instance\n"))

    def test_a_file_that_is_not_there_is_named(self):
        result = argosy("validate", "/nowhere/job.yaml")
        self.assertEqual(result.returncode, 2)
        self.assertIn("/nowhere/job.yaml", result.stderr)

    def test_init_writes_a_valid_file_once_and_also_without_its_comment_marks(self):
        with tempfile.TemporaryDirectory() as directory:
            self.assertEqual(argosy("init", cwd=directory).returncode, 0)
            path = pathlib.Path(directory, "job.yaml")
            self.assertEqual(argosy("validate", path).returncode, 0)
            path.write_text("mine")
            again = argosy("init", cwd=directory)
            self.assertEqual((again.returncode, path.read_text()), (1, "mine"))
            self.assertIn("not overwritten", again.stderr)
            self.assertEqual(argosy("init", "--force", cwd=directory).returncode, 0)
            lines = path.read_text().splitlines()
            commented = [l.replace("# ", "", 1) if l.lstrip().startswith("# ") and ":" in l and "`" not in l
                         and not any(word in l for word in ("Every key", "A job:", "runtime:")) else l for l in lines]
            self.assertNotEqual(lines, commented)
            path.write_text("\n".join(commented))
            result = argosy("validate", path)
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_the_documentation_is_what_the_tables_say(self):
        result = argosy("help", "--markdown")
        committed = (SOURCE / "docs/command-line.md").read_text()
        self.assertEqual(result.stdout, committed, "write it anew: argosy help --markdown > docs/command-line.md")


if __name__ == "__main__":
    unittest.main()
