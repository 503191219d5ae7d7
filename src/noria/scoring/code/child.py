"""Runs one program that nobody trusts: `python -I -S -B child.py FOLDER SECONDS MEGABYTES`, program on stdin.

The first line of stdin is a word that the program cannot know; it is written back, with what happened, once
the program has come to its end. Nothing of Noria is imported here. On the way in it gives up, in this order:
resources (rlimits), every file but its own folder and the standard library (Landlock), and processes,
programs, sockets, signals to others (seccomp). What cannot be given up is an error, never left out.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import struct
import sys
import traceback
from pathlib import Path

# x86_64 and arm64 (asm-generic) differ in numbers; see include/uapi/asm-generic/unistd.h of Linux.
_ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_DENIED = {
    "x86_64": {
        "socket": 41, "socketpair": 53, "fork": 57, "vfork": 58, "execve": 59, "ptrace": 101, "unshare": 272,
        "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "execveat": 322, "bpf": 321,
        "userfaultfd": 323, "perf_event_open": 298, "keyctl": 250, "io_uring_setup": 425, "pidfd_open": 434,
        "pidfd_send_signal": 424, "pidfd_getfd": 438, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
        "sched_setaffinity": 203, "setpriority": 141, "prlimit64": 302, "mount": 165,
    },
    "aarch64": {
        "socket": 198, "socketpair": 199, "execve": 221, "ptrace": 117, "unshare": 97, "setns": 268,
        "process_vm_readv": 270, "process_vm_writev": 271, "execveat": 281, "bpf": 280, "userfaultfd": 282,
        "perf_event_open": 241, "keyctl": 219, "io_uring_setup": 425, "pidfd_open": 434,
        "pidfd_send_signal": 424, "pidfd_getfd": 438, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
        "sched_setaffinity": 122, "setpriority": 140, "prlimit64": 261, "mount": 40,
    },
}  # fmt: skip
_SIGNALS = {"x86_64": (62, 200, 234), "aarch64": (129, 130, 131)}  # kill, tkill, tgkill
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_CLONE_THREAD = 0x10000
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_libc = ctypes.CDLL(None, use_errno=True)


def limits(seconds: int, megabytes: int) -> None:
    size = megabytes << 20
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, size),
        (resource.RLIMIT_FSIZE, 16 << 20),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def files(folder: str) -> None:
    """Landlock: read the standard library, do as it likes in its folder, nothing else."""
    version = _libc.syscall(444, None, 0, 1)
    if version < 1:
        raise OSError("this kernel has no Landlock")
    every = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    ruleset = _libc.syscall(444, ctypes.byref(ctypes.c_uint64(every)), 8, 0)
    if ruleset < 0:
        raise OSError("Landlock is switched off")
    read = (1 << 2) | (1 << 3)
    own = every & ~((1 << 0) | (1 << 6) | (1 << 9) | (1 << 11))  # No running, no devices, no sockets.
    library = str(Path(os.__file__).parent)
    for path, access in ((library, read), ("/usr/share/zoneinfo", read), (folder, own)):
        if not Path(path).is_dir():
            continue
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("<Qi", access & every, descriptor)
        if _libc.syscall(445, ruleset, 1, ctypes.c_char_p(rule), 0):
            raise OSError(f"Landlock refuses {path}")
        os.close(descriptor)
    if _libc.syscall(446, ruleset, 0):
        raise OSError("Landlock cannot be entered")
    os.close(ruleset)


def calls(machine: str) -> None:
    """seccomp: a filter in classic BPF over (number, architecture, arguments)."""
    allow, deny = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | _EPERM)
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, _ARCHES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, 0x40000000),  # x32 has other numbers for the same calls.
        (_RETURN, 0, 0, _KILL),
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
    ]
    for number in _DENIED[machine].values():
        code += [(_EQUAL, 0, 1, number), deny]
    for number in _SIGNALS[machine]:
        # To itself alone; tkill takes a thread, whose number is the process's in the main one.
        code += [
            (_EQUAL, 0, 4, number), (_LOAD, 0, 0, 16), (_EQUAL, 0, 1, os.getpid()), allow, deny,
        ]  # fmt: skip
    code += [(_EQUAL, 0, 4, _CLONE[machine]), (_LOAD, 0, 0, 16), (_ANY, 0, 1, _CLONE_THREAD), allow, deny]
    code.append(allow)
    program = b"".join(struct.pack("<HBBI", *line) for line in code)
    buffer = ctypes.create_string_buffer(program)
    given = struct.pack("@HP", len(code), ctypes.addressof(buffer))
    if _libc.prctl(38, 1, 0, 0, 0) or _libc.prctl(22, 2, ctypes.c_char_p(given), 0, 0):
        raise OSError("seccomp cannot be entered")


def main() -> None:
    folder, seconds, megabytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    word = sys.stdin.readline().strip()
    program = sys.stdin.read()
    say = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    machine = platform.machine()
    os.chdir(folder)
    try:
        if machine not in _ARCHES or sys.platform != "linux":
            raise OSError(f"there is none for {sys.platform} on {machine}")
        limits(seconds, megabytes)
        files(folder)
        calls(machine)
    except (OSError, ValueError) as error:
        say.write(json.dumps([word, "closed", str(error)]))
        return
    told = ["passed", ""]
    try:
        exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
    except SystemExit as error:
        told = ["ended", f"SystemExit: {error.code}"]
    except BaseException as error:
        lines = traceback.extract_tb(error.__traceback__)
        line = f" at line {lines[-1].lineno}" if lines and lines[-1].filename == "program.py" else ""
        told = ["raised", f"{type(error).__name__}: {str(error)[:300]}{line}"]
    say.write(json.dumps([word, *told]))


main()
