#!/usr/bin/python3
"""Judges recorded messages: validate_bus.py FILE [--root ROOT]

Each line of the file is {"topic", "payload", "retain", "qos"}: the payload as text, or base64 in
"payload_base64". The topic, without the root, must be in schema/json/topics.json and the payload must satisfy its
schema; what is live must have the topic's QoS, and only retained topics may be retained. Prints each kind of problem
once with an example and a count; ends with 1 when there is one."""

import argparse
import base64
import collections
import functools
import json
import pathlib
import re
import sys

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schema/json"
LEVELS = {
    "<job>": r"[a-z0-9][a-z0-9-]{0,39}",
    "<node>": r"[a-z0-9][a-z0-9-]{0,62}",
    "<manager>": r"[a-z0-9][a-z0-9-]{0,62}",
    "<task>": r"[a-z0-9][a-z0-9-]{0,39}_[a-z0-9][a-z0-9-]{0,39}_(?:0|[1-9][0-9]{0,4})_[a-z2-7]{8}",
}
TOKEN = r"[A-Za-z0-9_-]{1,128}"
REPLY = "replies/<name>"  # the caller chooses how deep


def topic_pattern(topic):
    """The regular expression of one row; its only group is the verb."""
    if topic == REPLY:
        return re.compile(rf"replies(?:/{TOKEN})+")
    levels = (rf"({TOKEN})" if level == "<verb>" else LEVELS.get(level, TOKEN if level[0] == "<" else re.escape(level))
              for level in topic.split("/"))
    return re.compile("/".join(levels))


@functools.cache
def topics():
    rows = json.loads((SCHEMAS / "topics.json").read_text())
    return [(topic_pattern(row["topic"]), row) for row in rows]


@functools.cache
def validator(name):
    return jsonschema.Draft7Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text()))


def unique_keys(pairs):
    keys = collections.Counter(key for key, _ in pairs)
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise ValueError(f"duplicate keys {twice}")
    return dict(pairs)


def schema_of(row, match):
    """The name of the schema, or None when the verb is not known."""
    return row["schema"] if "schema" in row else row["verbs"].get(match.group(1))


def payload_problems(name, text):
    try:
        value = json.loads(text, object_pairs_hook=unique_keys)
    except ValueError as error:
        return [f"no acceptable JSON: {error}"]
    problems = []
    for error in validator(name).iter_errors(value):
        best = jsonschema.exceptions.best_match([error])
        place = "/".join(str(part) for part in best.absolute_path)
        problems.append(f"{name}: /{place}: {best.message[:300]}")
    return problems


def message_problems(message, root):
    topic, text = message["topic"], message.get("payload")
    if text is None:
        text = base64.b64decode(message["payload_base64"]).decode("utf-8", "replace")
    if not topic.startswith(root + "/"):
        return [f"not below {root}"]
    found = ((pattern.fullmatch(topic[len(root) + 1:]), row) for pattern, row in topics())
    match, row = next((pair for pair in found if pair[0]), (None, None))
    if not match:
        return ["unknown topic"]
    problems = []
    said_by_a_person = row["topic"].endswith("<verb>")  # commands and questions: mosquitto_pub's own default is 0
    if message.get("qos", row["qos"]) != row["qos"] and not said_by_a_person:
        problems.append(f"QoS {message['qos']}, not {row['qos']}")
    if message.get("retain") and not row["retained"]:
        problems.append("retained, but the topic is not")
    if not text:
        return problems if row["retained"] or row["topic"].startswith("do/") else problems + ["empty"]
    name = schema_of(row, match)
    return problems + (payload_problems(name, text) if name else [f"unknown verb {match.group(1)}"])


def guess_root(topic):
    """What stands before the first level that one of our topics begins with."""
    parts = topic.split("/")
    first = {row["topic"].split("/")[0] for _, row in topics()}
    at = next((index for index, part in enumerate(parts) if index and part in first), len(parts))
    return "/".join(parts[:at])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--root", help="root of the topics; default: seen from the topics")
    options = parser.parse_args()
    counts, examples, total = collections.Counter(), {}, 0
    with options.file.open(encoding="utf-8") as lines:
        for line in lines:
            message, total = json.loads(line), total + 1
            for problem in message_problems(message, options.root or guess_root(message["topic"])):
                counts[problem] += 1
                examples.setdefault(problem, message)
    for problem, count in counts.most_common():
        example = examples[problem]
        print(f"{count} x {problem}\n    {example['topic']} {str(example.get('payload'))[:500]}")
    print(f"{total} messages, {sum(counts.values())} problems")
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main())
