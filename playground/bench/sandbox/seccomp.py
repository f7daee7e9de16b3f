"""The system calls that a program may not make, as a BPF program for seccomp. x86-64 and 64-bit ARM; no libseccomp.

Bubblewrap's namespaces hold most things already: there the filter closes what is left of the kernel's surface.
Without namespaces (``alone``) it also has to keep a program from other processes and from what Landlock does not see:
owners, modes and times of files, signals, sockets, limits of other processes.
"""

from __future__ import annotations

import errno
import platform
import struct

_X86, _ARM = "x86_64", "aarch64"
_AUDIT = {_X86: 0xC000003E, _ARM: 0xC00000B7}
_COLUMNS = (_X86, _ARM)
_DENIED = {  # name: numbers on x86-64 and ARM, None where the call does not exist
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "acct": (163, 89), "quotactl": (179, 60),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440), "personality": (135, 92), "syslog": (103, 116), "vhangup": (153, 58),
    "lookup_dcookie": (212, 18), "memfd_create": (319, 279), "shmget": (29, 194), "socket": (41, 198),
    "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "clone3": (435, 435),
    "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
}  # fmt: skip
_DENIED_ALONE = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "setxattrat": (463, 463), "removexattrat": (466, 466), "file_setattr": (469, 469),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "setpriority": (141, 140),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "ioprio_set": (251, 30), "migrate_pages": (256, 238), "move_pages": (279, 239),
    "process_mrelease": (448, 448),
    "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "setsid": (112, 157), "setpgid": (109, 154),
}  # fmt: skip
_CLONE = (56, 220)
_FORKS = ((57, None), (58, None))  # fork, vfork
_Numbers = tuple[int | None, int | None]
_SOCKETPAIR, _PRLIMIT, _PRCTL, _UTIMENSAT = (53, 199), (302, 261), (157, 167), (280, 88)
_KILLS = ((62, 129), (200, 130), (234, 131))  # kill, tkill, tgkill
_SETSOCKOPT, _FCNTL = (54, 208), (72, 25)
_SEND_BUFFERS, _SETPIPE_SZ = (7, 32), 1031  # SO_SNDBUF, SO_SNDBUFFORCE
_NEW_NAMESPACES, _THREAD, _X32 = 0x7E020080, 0x10000, 0x40000000

_LOAD, _EQUALS, _AT_LEAST, _HAS_BITS, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_DENY = _ERRNO | errno.EPERM


def is_supported() -> bool:
    """Return whether this processor's system calls are known here."""
    return platform.machine() in _AUDIT


def program(*, alone_pid: int = 0, may_fork: bool = True) -> bytes:
    """Return the filter. ``alone_pid``: the process that it is for where nothing but Landlock stands beside it."""
    assembler = _Assembler(platform.machine())
    for numbers in _DENIED.values():
        # clone3 keeps its flags in memory, out of a filter's sight: ENOSYS makes the C library take clone.
        assembler.deny(numbers, _ERRNO | errno.ENOSYS if numbers == _DENIED["clone3"] else _DENY)
    assembler.deny_bits(_CLONE, 0, _NEW_NAMESPACES)
    # Unix datagram sockets can be pointed at any listener later; pairs of streams cannot.
    assembler.allow_only(_SOCKETPAIR, 1, 1, mask=0xF)
    # Buffers of sockets and pipes are the kernel's memory, which no limit of a process and no watchdog sees.
    for option in _SEND_BUFFERS:
        assembler.deny_value(_SETSOCKOPT, 2, option)
    assembler.deny_value(_FCNTL, 1, _SETPIPE_SZ)
    if alone_pid:
        for calls in _DENIED_ALONE.values():
            assembler.deny(calls, _DENY)
        for pair in _KILLS:
            assembler.allow_only(pair, 0, alone_pid)
        assembler.allow_only(_PRLIMIT, 0, 0)
        assembler.allow_only(_UTIMENSAT, 1, 0)  # by descriptor: a path of zero
        assembler.deny_value(_PRCTL, 0, 1)  # PR_SET_PDEATHSIG: it dies with the app
    if not may_fork:
        for forks in _FORKS:
            assembler.deny(forks, _DENY)
        assembler.need_bits(_CLONE, 0, _THREAD)
    return assembler.finished()


class _Assembler:
    def __init__(self, machine: str) -> None:
        self._column = _COLUMNS.index(machine)
        self._code: list[bytes] = []
        self._add(_LOAD, _ARCHITECTURE)
        self._add(_EQUALS, _AUDIT[machine], 1, 0)
        self._add(_RETURN, _KILL)
        self._add(_LOAD, _NUMBER)
        if machine == _X86:
            self._add(_AT_LEAST, _X32, 0, 1)
            self._add(_RETURN, _KILL)

    def _add(self, code: int, value: int, if_true: int = 0, if_false: int = 0) -> None:
        self._code.append(struct.pack("<HBBI", code, if_true, if_false, value & 0xFFFFFFFF))

    def deny(self, numbers: _Numbers, action: int) -> None:
        number = numbers[self._column]
        if number is not None:
            self._add(_EQUALS, number, 0, 1)
            self._add(_RETURN, action)

    def _block(self, numbers: _Numbers, steps: list[tuple[int, int, int, int]]) -> None:
        """Add steps for one call; after them the number is loaded again for the tests that follow."""
        number = numbers[self._column]
        if number is None:
            return
        self._add(_EQUALS, number, 0, len(steps) + 1)
        for step in steps:
            self._add(*step)
        self._add(_LOAD, _NUMBER)

    def allow_only(self, numbers: tuple[int, int], argument: int, value: int, mask: int = 0xFFFFFFFF) -> None:
        """Deny a call unless an argument, both halves of it, has this value."""
        low = _FIRST_ARGUMENT + 8 * argument
        whole = mask == 0xFFFFFFFF and argument == 1  # a pointer
        steps = [(_LOAD, low, 0, 0), (_AND, mask, 0, 0), (_EQUALS, value, 1, 0), (_RETURN, _DENY, 0, 0)]
        if whole:
            steps += [(_LOAD, low + 4, 0, 0), (_EQUALS, 0, 1, 0), (_RETURN, _DENY, 0, 0)]
        self._block(numbers, steps)

    def deny_value(self, numbers: tuple[int, int], argument: int, value: int) -> None:
        """Deny a call when an argument has this value."""
        low = _FIRST_ARGUMENT + 8 * argument
        self._block(numbers, [(_LOAD, low, 0, 0), (_EQUALS, value, 0, 1), (_RETURN, _DENY, 0, 0)])

    def deny_bits(self, numbers: tuple[int, int], argument: int, bits: int) -> None:
        """Deny a call when an argument has any of these bits."""
        low = _FIRST_ARGUMENT + 8 * argument
        self._block(numbers, [(_LOAD, low, 0, 0), (_HAS_BITS, bits, 0, 1), (_RETURN, _DENY, 0, 0)])

    def need_bits(self, numbers: tuple[int, int], argument: int, bits: int) -> None:
        """Deny a call unless an argument has these bits."""
        low = _FIRST_ARGUMENT + 8 * argument
        self._block(numbers, [(_LOAD, low, 0, 0), (_HAS_BITS, bits, 1, 0), (_RETURN, _DENY, 0, 0)])

    def finished(self) -> bytes:
        self._add(_RETURN, _ALLOW)
        return b"".join(self._code)
