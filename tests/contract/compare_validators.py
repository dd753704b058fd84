#!/usr/bin/python3
"""compare_validators.py JUDGE: our validator and python3-jsonschema must agree on the corpus.

corpus/valid.json: both accept; corpus/invalid.json: both refuse; corpus/semantic.json: only ours refuses, for what a
schema cannot say. Then every value in the valid jobs is replaced by values that rarely fit, and ours must refuse at
least whatever the schema refuses."""

import copy
import json
import pathlib
import re
import subprocess
import sys

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = json.loads((HERE.parents[1] / "schema/json/job.schema.json").read_text())
ODD_VALUES = [None, True, -1, 0, 1.5, 2**53 - 1, "", "x", "10s", "10", "é" * 300, [], [[]], [""], {}, {"": ""}, {"x": 1}]
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def load(name):
    return json.loads((HERE / "corpus" / name).read_text())


def judge(program, specs):
    """What ours says of each: None when accepted, else the problems."""
    lines = []
    for spec in specs:
        name = spec.get("name") if isinstance(spec, dict) else None
        named = isinstance(name, str) and NAME.fullmatch(name)
        lines.append(f"{name if named else 'corpus'}\t{json.dumps(spec)}\n")
    done = subprocess.run([program], input="".join(lines), capture_output=True, text=True, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(specs)
    return [None if answer == "accepted" else answer.split("\t")[1:] for answer in answers]


def places(value, path=()):
    """The paths of everything inside a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield path + (key,)
        yield from places(child, path + (key,))


def replaced(spec, path, odd):
    changed = copy.deepcopy(spec)
    target = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = odd
    return changed


def main():
    program = sys.argv[1]
    oracle = jsonschema.Draft7Validator(SCHEMA)
    failures = []

    def expect(title, cases, ours_accepts, schema_accepts):
        for (name, spec), problems in zip(cases.items(), judge(program, list(cases.values()))):
            if (problems is None) != ours_accepts:
                failures.append(f"{title}: {name}: ours says {problems or 'accepted'}")
            if oracle.is_valid(spec) != schema_accepts:
                failures.append(f"{title}: {name}: the schema {'refuses' if schema_accepts else 'accepts'} it")
        print(f"{title}: {len(cases)}")

    valid, invalid = load("valid.json"), load("invalid.json")
    assert len(valid) >= 60 and len(invalid) >= 120
    expect("valid", valid, True, True)
    expect("invalid", invalid, False, False)
    expect("semantic", load("semantic.json"), False, True)

    changed = [replaced(spec, path, odd) for spec in valid.values() for path in places(spec) for odd in ODD_VALUES]
    for spec, problems in zip(changed, judge(program, changed)):
        if problems is None and not oracle.is_valid(spec):
            failures.append(f"changed: ours accepts, the schema refuses: {json.dumps(spec)}")
    print(f"changed: {len(changed)}")
    print("\n".join(failures[:50]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
