"""Fails when a file includes what its layer may not use (ARCHITECTURE.md, "Rules of the layers")."""

import pathlib
import re
import subprocess
import sys

# folder -> our folders that it may include; the longest folder that matches decides
MAY_INCLUDE = {
    "platform/base": ["platform/base"],
    "platform/ports": ["platform/base", "platform/ports"],
    "platform/adapters": ["platform", "schema"],
    "platform/session": ["platform/base", "platform/ports", "platform/session", "schema"],
    "schema": ["platform/base", "schema"],
    "manager/scheduler": ["platform/base", "schema", "manager/scheduler"],
    "manager/core": ["platform/base", "platform/ports/clock.h", "schema", "manager/core", "manager/scheduler"],
    "manager/shell": ["platform/base", "platform/ports", "platform/session", "schema", "manager"],
    "manager": ["platform", "schema", "manager"],
    "worker/core": ["platform/base", "platform/ports/clock.h", "platform/ports/runtime.h", "schema", "worker/core"],
    "worker/shell": ["platform/base", "platform/ports", "platform/session", "schema", "worker/core", "worker/shell"],
    "worker/runtime": ["platform", "schema", "worker/runtime"],
    "worker/shim": ["worker/runtime/shim_format.h", "worker/shim"],
    "worker": ["platform", "schema", "worker"],
    "cli": ["platform", "schema", "cli", "manager/scheduler/plan.h"],
}
PURE = ["schema", "manager/core", "manager/scheduler", "worker/core"]
CODEC = "schema/codec/"

# foreign header -> the files that may see it
FOREIGN = {
    r"cjson/|cJSON": r"schema/codec/\w+\.[ch]",
    r"MQTT\w+\.h": r"platform/adapters/mqtt_(client_)?paho\w*\.[ch]",
    r"mosquitto\.h|mqtt_protocol\.h": r"platform/adapters/mqtt_(client_)?mosquitto\w*\.[ch]",
    r"xxhash\.h": r"platform/session/events\.c",
    r"lmdb\.h": r"platform/adapters/store_lmdb\.c",
    r"uv\.h": r"platform/adapters/loop\w*\.c|worker/runtime/process\w*\.c",
    r"curl/": r"worker/runtime/docker\w*\.[ch]|worker/runtime/\w*http\w*\.[ch]",
    r"libfyaml": r"cli/job_file\w*\.c",
    r"libsmartcols": r"cli/\w+\.c",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def layer_of(path):
    return max((folder for folder in MAY_INCLUDE if path.startswith(folder + "/")), key=len, default=None)


def breaches(path, text):
    layer = layer_of(path)
    for quote, header in INCLUDE.findall(text):
        for pattern, places in FOREIGN.items():
            if re.match(pattern, header) and not re.fullmatch(places, path):
                yield f"{path}: {header} is for {places} only"
        if quote == '"' and not any(header.startswith(allowed) for allowed in MAY_INCLUDE[layer]):
            yield f"{path}: {layer} may not include {header}"
        if quote == '"' and header.startswith(CODEC) and layer in PURE and not path.startswith((CODEC, "schema/tools/")):
            yield f"{path}: pure code may not include the codec ({header})"


def main():
    files = subprocess.run(["git", "ls-files", "*.c", "*.h"], capture_output=True, text=True, check=True).stdout.split()
    ours = [path for path in files if layer_of(path)]
    found = [breach for path in ours for breach in breaches(path, pathlib.Path(path).read_text())]
    print("\n".join(found) or f"{len(ours)} files keep their layers")
    sys.exit(bool(found) or not ours)


main()
