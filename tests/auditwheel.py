#!/usr/bin/env python3
"""Compares `xprov verify` with `auditwheel show` on shared libraries that gcc and g++ make.

auditwheel.py [XPROV]    XPROV is the program to compare, by default target/release/xprov

Needs gcc and g++, and the package `auditwheel` in the environment of this Python. Each library is
compared twice: the versions that it asks for, and the oldest glibc that it starts on.
"""

import json
import pathlib
import platform
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAMILIES = ("GLIBC_", "GCC_", "GLIBCXX_", "CXXABI_")

C, CXX = "gcc", "g++"
LIBRARIES = {
    "nothing": (C, [], "int f(int n) { return n + 1; }"),
    "stdio": (C, [], '#include <stdio.h>\nint f(int n) { return printf("%d", n); }'),
    "maths": (C, ["-lm"], "#include <math.h>\ndouble f(double n) { return pow(n, exp(n)); }"),
    "threads": (
        C,
        ["-pthread"],
        "#include <pthread.h>\n#include <stddef.h>\nstatic void *g(void *n) { return n; }\n"
        "int f(int n) { pthread_t t; return pthread_create(&t, NULL, g, &n); }",
    ),
    "clock": (
        C,
        [],
        "#include <time.h>\nint f(int n) { struct timespec t; return clock_gettime(n, &t); }",
    ),
    "checked": (
        C,
        ["-D_FORTIFY_SOURCE=2", "-fstack-protector-all"],
        "#include <string.h>\nint f(char *n) { char a[9]; strcpy(a, n); return a[1]; }",
    ),
    "unwind": (
        C,
        ["-Wl,--no-as-needed", "-lgcc_s"],
        "#include <unwind.h>\nvoid f(void *n) { _Unwind_DeleteException(n); }",
    ),
    "relr": (
        C,
        ["-Wl,-z,pack-relative-relocs"],
        "#include <stdio.h>\nstatic int a, b, c;\nint *d[] = {&a, &b, &c};\n"
        'int **f(int n) { return d + puts("d"); }',
    ),
    "weak": (
        C,
        [],
        "#include <stdio.h>\nextern int getentropy(void *, size_t) __attribute__((weak));\n"
        'int f(void *n) { return getentropy ? getentropy(n, 8) : puts("n"); }',
    ),
    "throw": (
        CXX,
        [],
        "#include <stdexcept>\n#include <string>\nint f(const char *n) {\n"
        'try { throw std::runtime_error(std::string(n) + "!"); }\n'
        "catch (const std::exception &e) { return e.what()[0]; } }",
    ),
    "streams": (
        CXX,
        [],
        "#include <sstream>\nint f(int n) { std::stringstream s; s << n; s >> n; return n; }",
    ),
    "filesystem": (
        CXX,
        ["-std=c++17"],
        "#include <filesystem>\nbool f(const char *n) { return std::filesystem::exists(n); }",
    ),
    "floats": (
        CXX,
        ["-std=c++17"],
        "#include <charconv>\nint f(char *n, double d) "
        "{ return std::to_chars(n, n + 9, d).ptr - n; }",
    ),
    "waits": (
        CXX,
        ["-std=c++20"],
        "#include <atomic>\nstd::atomic<int> a;\nvoid f(int n) { a.wait(n); a.notify_all(); }",
    ),
}


def wheel(library, directory):
    """A wheel that holds nothing but the library."""
    name = library.stem
    tag = f"py3-none-linux_{platform.machine()}"
    path = directory / f"{name}-1.0-{tag}.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\n"
        f"Tag: {tag}\n",
    }
    inner = f"{name}/{library.name}"
    record = f"{info}/RECORD"
    files[record] = "".join(f"{entry},,\n" for entry in [inner, *files, record])
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(library, inner)
        for entry, text in files.items():
            archive.writestr(entry, text)
    return path


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def version(name):
    """(2, 34) for GLIBC_2.34, as auditwheel and the loader count."""
    name = name.removeprefix("GLIBC_")
    return (2, 36) if name == "ABI_DT_RELR" else tuple(int(part) for part in name.split("."))


def compare(xprov, library, directory):
    """What differs between the two, as lines; and the needs of each kind that were compared."""
    auditwheel = pathlib.Path(sys.executable).parent / "auditwheel"
    code, out, error = run(auditwheel, "show", "--json", wheel(library, directory))
    if code != 0:
        return [f"auditwheel: {error.strip()}"], []
    theirs = {
        (file, name) for file, names in json.loads(out)["versioned_symbols"].items() for name in names
    }
    code, out, error = run(xprov, "--json", "verify", library)
    if not out:
        return [f"xprov: {error.strip()}"], []
    needs = json.loads(out)["files"][0]["facts"]["version_needs"]
    ours = {(need["library"], need["version"]) for need in needs}
    lines = [f"only xprov: {need}" for need in sorted(ours - theirs)]
    lines += [f"only auditwheel: {need}" for need in sorted(theirs - ours)]

    glibc = [version(name) for _, name in theirs if name.startswith("GLIBC_")]
    if glibc:
        major, minor = max(glibc)[:2]
        for ceiling, expected in (((major, minor), "pass"), ((major, minor - 1), "fail")):
            text = ".".join(str(part) for part in ceiling)
            _, out, _ = run(xprov, "--json", "verify", "--max-glibc", text, library)
            findings = json.loads(out)["files"][0]["findings"]
            seen = [f["verdict"] for f in findings if f["rule"] == "glibc-ceiling"]
            if seen != [expected]:
                lines.append(f"at most glibc {text}: {seen}, expected {expected}")
    return lines, [name for _, name in theirs]


def main():
    default = ROOT / "target" / "release" / "xprov"
    xprov = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else default
    wrong, seen = 0, []
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        for name, (compiler, flags, source) in LIBRARIES.items():
            library = directory / f"{name}.so"
            file = directory / f"{name}.{'cc' if compiler == CXX else 'c'}"
            file.write_text(source + "\n")
            command = [compiler, "-O2", "-shared", "-fPIC", file, "-o", library, *flags]
            code, _, error = run(*command)
            if code != 0:
                print(f"FAILED {name}: {compiler}: {error.strip()}")
                wrong += 1
                continue
            lines, names = compare(xprov, library, directory)
            seen += names
            wrong += bool(lines)
            print(f"{'FAILED' if lines else 'ok'} {name}: {len(names)} versions")
            for line in lines:
                print(f"    {line}")
    for family in FAMILIES:
        count = sum(name.startswith(family) for name in seen)
        print(f"{count} of {family}…")
        # A comparison of libraries that ask for nothing would show nothing.
        wrong += count == 0
    print(f"{len(LIBRARIES)} libraries, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
