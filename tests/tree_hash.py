#!/usr/bin/env python3
"""The tree hash of docs/tree-hash.md, written from that page alone.

tree_hash.py              check every vector in tests/vectors/tree
tree_hash.py DIRECTORY    print the tree hash of a directory on disk

Needs the package `blake3`.
"""

import json
import os
import pathlib
import re
import stat
import sys

from blake3 import blake3

VECTORS = pathlib.Path(__file__).resolve().parent / "vectors" / "tree"


def escape(text):
    """Bytes 0x00-0x20, 0x7f and % as %XX."""
    return re.sub(rb"[\x00-\x20\x7f%]", lambda m: b"%%%02X" % m[0][0], text)


def manifest(nodes):
    """The manifest of nodes: {path: (kind, fields...)}, everything in bytes."""
    lines = [b"xprov-tree 1\n"]
    for path, (kind, value) in sorted(nodes.items()):
        fields = [kind, escape(path)]
        if kind in (b"f", b"x"):
            size, digest = value
            fields = [kind, b"%d" % size, digest.encode(), escape(path)]
        elif kind == b"l":
            fields.append(escape(value))
        lines.append(b" ".join(fields) + b"\n")
    return b"".join(lines)


def file_node(chunks, executable):
    hasher, size = blake3(), 0
    for chunk in chunks:
        hasher.update(chunk)
        size += len(chunk)
    return (b"x" if executable else b"f", (size, hasher.hexdigest()))


def vector_node(node):
    if "directory" in node:
        return (b"d", None)
    if "symlink" in node:
        return (b"l", node["symlink"].encode())
    contents = node["file"]
    if "text" in contents:
        data = contents["text"].encode()
    else:
        data = bytes.fromhex(contents["repeat"]) * contents["times"]
        data += bytes.fromhex(contents["then"])
    return file_node([data], node.get("executable", False))


def disk_nodes(root):
    nodes = {}
    for directory, subdirectories, files in os.walk(os.fsencode(root)):
        for name in subdirectories + files:
            on_disk = os.path.join(directory, name)
            path = os.path.relpath(on_disk, os.fsencode(root))
            path.decode()  # names are UTF-8
            mode = os.lstat(on_disk).st_mode
            if stat.S_ISDIR(mode):
                nodes[path] = (b"d", None)
            elif stat.S_ISLNK(mode):
                nodes[path] = (b"l", os.readlink(on_disk))
            elif stat.S_ISREG(mode):
                with open(on_disk, "rb") as file:
                    chunks = iter(lambda: file.read(1 << 20), b"")
                    nodes[path] = file_node(chunks, mode & 0o111 != 0)
            else:
                sys.exit(f"{on_disk!r} has no place in a tree")
    return nodes


def check_vectors():
    files = sorted(VECTORS.glob("*.json"))
    wrong = 0
    for file in files:
        vector = json.loads(file.read_text(encoding="utf-8"))
        nodes = {node["path"].encode(): vector_node(node) for node in vector["nodes"]}
        text = manifest(nodes)
        if text != vector["manifest"].encode():
            print(f"{file.name}: the manifest differs:\n{text.decode()}")
            wrong += 1
        if blake3(text).hexdigest() != vector["hash"]:
            print(f"{file.name}: the hash differs: {blake3(text).hexdigest()}")
            wrong += 1
    print(f"{len(files)} vectors, {wrong} mismatches")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    if len(sys.argv) == 2:
        print(blake3(manifest(disk_nodes(sys.argv[1]))).hexdigest())
    else:
        sys.exit(check_vectors())
