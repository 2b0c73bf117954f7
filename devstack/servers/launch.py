"""Become another program that dies with its parent. Run by `process.spawn`, never imported.

    python launch.py PARENT_PID SIGNAL IDENTITY [COMMAND ...]

This runs between fork and exec in an interpreter of its own, because `preexec_fn` is not safe in
a process with threads. IDENTITY is `current`, or for programs that refuse root or a uid without a
name: `namespace` (this uid seen as `nobody` in a user namespace; files keep their owner) or
`nobody` (a real change of user). Without a COMMAND it only tries the identity.
"""

import ctypes
import os
import sys
import time

NOBODY = 65534
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent, signal, identity, *command = arguments
    libc = (
        load_libc()
    )  # before a change of user, after which Python's own files may be out of reach
    if identity == "namespace":
        enter_namespace()
    elif identity == "nobody":
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    if not command:
        return
    die_with(libc, int(parent), int(signal))  # last: a change of user clears the death signal
    os.execv(command[0], command)  # noqa: S606  # nosec B606 # no shell on purpose


def enter_namespace() -> None:
    if sys.platform != "linux":
        raise OSError("user namespaces are a thing of Linux")
    outside = os.geteuid()
    os.unshare(os.CLONE_NEWUSER)
    with open("/proc/self/uid_map", "w") as uid_map:  # noqa: PTH123 - pathlib costs 10 ms here
        uid_map.write(f"{NOBODY} {outside} 1")


def load_libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(libc: ctypes.CDLL | None, parent: int, signal: int) -> None:
    if libc is None:
        watch(parent, signal)
    elif libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0:
        raise OSError("prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died before we asked to be told
        sys.exit("the parent is gone")


def watch(parent: int, signal: int, interval: float = 0.2) -> None:
    """Leave a process behind that signals this one when `parent` is gone (systems without prctl)."""
    server = os.getpid()
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    while alive(server):
        if not alive(parent):
            os.kill(server, signal)
            break
        time.sleep(interval)
    os._exit(0)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
