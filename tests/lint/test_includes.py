"""Who may include whom (docs/architecture.md): every #include line of the tree, against the rules."""

import re
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# A folder may include itself and these. Whoever is not listed here may include everything.
FOLDERS = {
    "core": set(),
    "consensus": {"core"},
    "consensus/wire": {"core", "consensus"},
    "store": {"core"},
    "adapters": {"core"},
    "config": {"core"},
    "proxy": {"core", "consensus", "store", "adapters", "config"},
}

# A library's headers, and the only files that may include them: each stands behind one door.
DOORS = {
    r"(capnp|kj)/|.*\.capnp\.h$": [r"consensus/wire/", r"adapters/capnp/"],
    r"sqlite3\.h": [r"store/sqlite\.(h|cc)"],
    r"openssl/": [r"core/digest\.cc", r"config/(keys|certificates)\.cc", r"config/openssl\.h",
                  r"proxy/net/tls\.(h|cc)"],
    r"sodium": [r"proxy/peers/crypto\.(h|cc)"],
    r"event2/": [r"proxy/net/", r"proxy/commands/admin_client\.cc", r"examples/"],
    r"llhttp\.h": [r"adapters/http/", r"proxy/commands/", r"examples/"],
    r"nghttp2/": [r"adapters/http/"],
    r"yaml-cpp/": [r"config/section\.(h|cc)", r"config/load\.cc"],
    r"spdlog/": [r"proxy/face/logging\.cc"],
    r"CLI/": [r"proxy/main\.cc", r"tests/simulation/main\.cc"],
    r"catch2/|rapidcheck": [r"tests/"],
}

# The protocols are pure functions over time; the store and the adapters know no threads either.
PURE = re.compile(r"^(thread|mutex|shared_mutex|condition_variable|atomic|future|random|ctime|"
                  r"time\.h|unistd\.h|sys/.*|pthread\.h|iostream|fstream)$")

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


FOLDERS_READ = ["adapters", "bench", "config", "consensus", "core", "examples", "proxy", "sdk", "store",
                "tests"]


def sources():
    """Every header and source file, as a path from the repository's root."""
    return [str(file.relative_to(REPOSITORY)) for folder in FOLDERS_READ
            for file in sorted((REPOSITORY / folder).rglob("*")) if file.suffix in (".h", ".cc")]


def includes():
    """(file, header) for every include line."""
    return [(name, header) for name in sources()
            for header in INCLUDE.findall((REPOSITORY / name).read_text())]


def folder_of(name):
    """The rules' folder that a path lies in: the longest that fits."""
    fitting = [folder for folder in FOLDERS if name.startswith(folder + "/")]
    return max(fitting, key=len, default=name.split("/")[0])


def broken_directions(lines):
    ours = set(FOLDERS) | set(FOLDERS_READ)
    for name, header in lines:
        source, target = folder_of(name), folder_of(header)
        if source not in FOLDERS or target not in ours or source == target:
            continue
        top = target.split("/")[0]
        if target not in FOLDERS[source] and not (source == "proxy" and top in FOLDERS[source]):
            yield f"{name} includes {header}: {source} may know " \
                  f"{', '.join(sorted(FOLDERS[source])) or 'the standard library only'}"


def broken_doors(lines):
    for name, header in lines:
        for library, doors in DOORS.items():
            if re.match(library, header) and not any(re.match(door, name) for door in doors):
                yield f"{name} includes {header}: only {' '.join(doors)} may"


def impure(lines):
    for name, header in lines:
        if folder_of(name) in ("consensus", "adapters") and PURE.match(header):
            yield f"{name} includes {header}: this folder has no clocks, threads or files"


class Includes(unittest.TestCase):
    def check(self, rule):
        lines = includes()
        self.assertGreater(len(lines), 100)
        self.assertEqual(list(rule(lines)), [])

    def test_directions(self):
        self.check(broken_directions)

    def test_each_library_stands_behind_its_door(self):
        self.check(broken_doors)

    def test_pure_folders(self):
        self.check(impure)

    def test_the_rules_notice(self):
        self.assertTrue(list(broken_directions([("core/a.h", "config/b.h")])))
        self.assertTrue(list(broken_directions([("consensus/pbft/a.h", "consensus/wire/b.h")])))
        self.assertTrue(list(broken_directions([("store/a.cc", "consensus/engine.h")])))
        self.assertTrue(list(broken_directions([("proxy/a.cc", "tests/b.h")])))
        self.assertFalse(list(broken_directions([("proxy/a.cc", "consensus/wire/codec.h")])))
        self.assertTrue(list(broken_doors([("proxy/a.cc", "sqlite3.h")])))
        self.assertTrue(list(impure([("consensus/pbft/a.cc", "thread")])))


if __name__ == "__main__":
    unittest.main()
