"""Programs that try to get out of a sandbox or to bring the machine down, as text: each is judged like any answer.

``p`` is the stage (see ``hostile_stage``). A program returns what it got, which starts with THROUGH, or None when it
was refused. ``OSError`` counts as refused; anything else it raises is a fault of the program and fails the test.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.bench.task import Language

_FRAME = """
import ctypes, errno, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    libc.syscall.restype = ctypes.c_long
    got = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if got < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
def read(path):
    with open(path, "rb") as f: return "THROUGH " + repr(f.read(4000))
def fill(folder, most=96 << 20):
    n, block = 0, b"x" * (1 << 20)
    for i in range(64):
        try:
            with open(f"{folder}/fill{i}", "wb") as f:
                for _ in range(7): n += f.write(block)
        except OSError:
            if not n: raise
            break
    return f"THROUGH {n >> 20} MiB" if n >= most else None
def body(p):
{body}
def attack(p):
    try: return body(p)
    except OSError as e: return None
"""


@dataclass(frozen=True)
class Hostile:
    """A program. ``control``: it can be run without any sandbox to show that it works."""

    name: str
    code: str
    control: bool
    language: Language = "python"


def _hostile(name: str, body: str, *, control: bool = False) -> Hostile:
    lines = "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))
    return Hostile(name, _FRAME.replace("{body}", lines), control)


_READING = (
    _hostile("read a private key", "return read(p['key'])", control=True),
    _hostile("list the home", "return 'THROUGH ' + repr(os.listdir(p['home']))", control=True),
    _hostile("read /etc/passwd", "return read('/etc/passwd')", control=True),
    _hostile(
        "read the app's environment",
        """
for pid in [p["app"], os.getppid(), 1, *[int(x) for x in os.listdir("/proc") if x.isdigit()]]:
    try: text = open(f"/proc/{pid}/environ", "rb").read()
    except OSError: continue
    if p["secret_name"].encode() in text: return "THROUGH " + repr(text)
""",
        control=True,
    ),
    _hostile("read its own environment", "return 'THROUGH' if p['secret_name'] in os.environ else None"),
    _hostile(
        "read what bubblewrap was given",
        "return 'THROUGH' if p['secret_name'] in read('/proc/1/environ') else None",
    ),
    _hostile(
        "read inherited descriptors",
        """
for fd in range(256):
    try: text = os.pread(fd, 4000, 0)
    except OSError: continue
    if text.strip(b"\\0"): return "THROUGH " + repr(text)
""",
    ),
    _hostile("read through a symlink", "os.symlink(p['key'], 'link')\nreturn read('link')", control=True),
    _hostile("read through a hard link", "os.link(p['key'], 'hard')\nreturn read('hard')", control=True),
    _hostile(
        "read through /proc/PID/root", "return read(f\"/proc/{p['app']}/root{p['key']}\")", control=True
    ),
    _hostile(
        "read through /proc/PID/cwd", "return read(f\"/proc/{p['app']}/cwd/pyproject.toml\")", control=True
    ),
    _hostile(
        "open the app's descriptors",
        """
for fd in os.listdir(f"/proc/{p['app']}/fd"):
    try: text = os.pread(os.open(f"/proc/{p['app']}/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK), 4000, 0)
    except OSError: continue
    if b"CANARY" in text: return "THROUGH " + repr(text)
""",
        control=True,
    ),
    _hostile(
        "read the memory of a neighbour",
        """
start = int(open(f"/proc/{p['victim']}/maps").readline().split("-")[0], 16)
with open(f"/proc/{p['victim']}/mem", "rb") as f:
    f.seek(start)
    return "THROUGH " + repr(f.read(4))
""",
        control=True,
    ),
    _hostile("see that a file exists", "return f\"THROUGH {os.stat(p['key']).st_size} bytes\"", control=True),
    _hostile(
        "open a file by its handle",
        "h = ctypes.create_string_buffer(136); h[0] = 128\nm = ctypes.c_int()\n"
        "return f\"THROUGH {call(303, -100, p['key'].encode(), h, ctypes.byref(m), 0)}\"",
    ),
)
_WRITING = (
    _hostile("overwrite a file", "with open(p['file'], 'w') as f: f.write('THROUGH')", control=True),
    _hostile("append to a file", "with open(p['file'], 'a') as f: f.write('THROUGH')", control=True),
    _hostile("truncate a file by name", "os.truncate(p['file'], 0)", control=True),
    _hostile("delete a file", "os.unlink(p['file'])", control=True),
    _hostile("rename a file", "os.rename(p['file'], p['file'] + '2')", control=True),
    _hostile("open a file's rights", "os.chmod(p['file'], 0o777)", control=True),
    _hostile("change a file's times", "os.utime(p['file'], (1, 1))", control=True),
    _hostile("mark a file", "os.setxattr(p['file'], 'user.through', b'1')"),
    _hostile("make a file in the home", "open(p['folder'] + '/new', 'w').close()", control=True),
    _hostile("make a folder in the home", "os.mkdir(p['folder'] + '/new')", control=True),
    _hostile("make a link in the home", "os.symlink('/', p['folder'] + '/new')", control=True),
    _hostile("make a pipe in the home", "os.mkfifo(p['folder'] + '/new')", control=True),
    _hostile(
        "move its own file into the home", "open('x', 'w').close()\nos.rename('x', p['folder'] + '/new')"
    ),
    _hostile("change Python's library", "with open(os.__file__, 'ab') as f: return 'THROUGH'"),
)
_TALKING = (
    _hostile("TCP", "socket.create_connection(('127.0.0.1', p['tcp']), 1)\nreturn 'THROUGH'", control=True),
    _hostile(
        "UDP",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', p['udp']))",
        control=True,
    ),
    _hostile("IPv6", "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)\nreturn 'THROUGH'", control=True),
    _hostile("netlink", "socket.socket(16, socket.SOCK_RAW, 0)\nreturn 'THROUGH'", control=True),
    _hostile("listen for others", "socket.create_server(('127.0.0.1', 0))\nreturn 'THROUGH'", control=True),
    _hostile(
        "agent's socket", "socket.socket(socket.AF_UNIX).connect(p['socket'])\nreturn 'THROUGH'", control=True
    ),
    _hostile(
        "abstract socket",
        "socket.socket(socket.AF_UNIX).connect(p['abstract'])\nreturn 'THROUGH'",
        control=True,
    ),
    _hostile(
        "a pair of datagram sockets, redirected",
        "a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\na.connect(p['datagrams'])\na.send(b'x')\nreturn 'THROUGH'",
        control=True,
    ),
    _hostile(
        "type into the terminal",
        "import fcntl, termios\nfcntl.ioctl(os.open('/dev/tty', os.O_RDWR), termios.TIOCSTI, b'x')\nreturn 'THROUGH'",
    ),
)
_NEIGHBOURS = (
    _hostile("kill a neighbour", "os.kill(p['victim'], 9)", control=True),
    _hostile("kill its parent", "os.kill(os.getppid(), 9)"),
    _hostile("kill all", "os.kill(-1, 9)"),
    _hostile("trace a neighbour", "return f\"THROUGH {call(101, 16, p['victim'], 0, 0)}\""),
    _hostile(
        "copy from a neighbour's memory",
        "b = ctypes.create_string_buffer(8); v = (ctypes.c_ulong * 2)(ctypes.addressof(b), 8)\n"
        "return f\"THROUGH {call(310, p['victim'], v, 1, v, 1, 0)}\"",
    ),
    _hostile(
        "lower a neighbour's limits",
        "import resource\nresource.prlimit(p['victim'], resource.RLIMIT_NOFILE, (0, 0))",
        control=True,
    ),
    _hostile("slow a neighbour down", "os.setpriority(os.PRIO_PROCESS, p['victim'], 19)", control=True),
    _hostile("move a neighbour to one core", "os.sched_setaffinity(p['victim'], {0})", control=True),
    _hostile("outlive the app", "return f\"THROUGH {call(157, 1, 0, 0, 0, 0)}\" if p['alone'] else None"),
)
_KERNEL = (
    _hostile("user namespace", "return f'THROUGH {call(272, 0x10000000)}'"),
    _hostile(
        "user namespace by clone",
        "r = call(56, 0x10000000 | 17, 0, 0, 0, 0)\nif r == 0: os._exit(0)\nreturn f'THROUGH {r}'",
    ),
    _hostile("io_uring", "b = ctypes.create_string_buffer(256)\nreturn f'THROUGH {call(425, 8, b)}'"),
    _hostile("mount", "return f\"THROUGH {call(165, b'none', b'/tmp', b'tmpfs', 0, 0)}\""),
    _hostile("chroot", "os.chroot('/tmp')\nreturn 'THROUGH'"),
    _hostile("bpf", "b = ctypes.create_string_buffer(128)\nreturn f'THROUGH {call(321, 0, b, 128)}'"),
    _hostile("keyring", "return f'THROUGH {call(250, 0, -3, 1)}'"),
    _hostile("memory file", "return f'THROUGH {os.memfd_create(\"x\")}'"),
    _hostile("become root", "os.setuid(0)\nreturn f'THROUGH {os.getuid()}'"),
    _hostile("gain rights by exec", "return None if libc.prctl(39, 0, 0, 0, 0) == 1 else 'THROUGH'"),
    _hostile(
        "raise its limits",
        "import resource\n"
        "for n in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):\n"
        "    s, h = resource.getrlimit(n)\n"
        "    try: resource.setrlimit(n, (h + 1, h + 1))\n"
        "    except (OSError, ValueError): continue\n"
        "    return 'THROUGH'",
    ),
    _hostile(
        "32-bit calls",
        "b = ctypes.create_string_buffer(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3'); a = ctypes.addressof(b) & ~4095\nlibc.mprotect(ctypes.c_void_p(a), 8192, 7)\nreturn f'THROUGH {ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(b))()}'",
    ),
)
_DISK = (
    _hostile("fill /tmp", "return fill(p['scratch'])"),
    _hostile("fill /dev", "return fill('/dev')"),
    _hostile("fill /dev/shm", "return fill('/dev/shm')"),
    _hostile("fill /", "return fill('/')"),
    _hostile(
        "flood of empty files",
        "os.chdir(p['scratch'])\nfor i in range(300_000):\n    os.mknod(f'f{i}')\nreturn 'THROUGH 300000 files'",
    ),
    _hostile(
        "fill the buffers of sockets",
        "pairs, n = [], 0\ntry:\n    while True:\n        a, b = socket.socketpair()\n        pairs.append((a, b))\n"
        "        a.setblocking(False)\n"
        "        try: a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)\n        except OSError: pass\n"
        "        try:\n            while True: n += a.send(b'x' * 65536)\n        except BlockingIOError: pass\n"
        "except OSError: pass\nreturn f'THROUGH {n >> 20} MiB' if n > 24 << 20 else None",
    ),
    _hostile(
        "fill the buffers of pipes",
        "import fcntl\npipes, n = [], 0\ntry:\n    while True:\n        r, w = os.pipe()\n        pipes.append(r)\n"
        "        os.set_blocking(w, False)\n"
        "        try: fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 1 << 20)\n        except OSError: pass\n"
        "        n += os.write(w, b'x' * (1 << 20))\n"
        "except OSError: pass\nreturn f'THROUGH {n >> 20} MiB' if n > 8 << 20 else None",
    ),
    _hostile("semaphores without end", "for n in range(20): call(64, 0, 32_000, 0o600)\nreturn 'THROUGH'"),
    _hostile(
        "message queues without end",
        "for n in range(20): call(71 - 2, call(68, 0, 0o600), ctypes.create_string_buffer(b'\\1' * 8008), 8000, 0)\n"
        "return 'THROUGH'",
    ),
    _hostile("folders without end", "while True:\n    os.mkdir('d'); os.chdir('d')"),
)
_HEAVY = (
    _hostile(
        "fork bomb",
        "n = 0\nwhile n < 2000:\n    try: child = os.fork()\n    except OSError: break\n"
        "    if child == 0: time.sleep(60); os._exit(0)\n    n += 1\nreturn f'THROUGH {n}' if n > 40 else None",
    ),
    _hostile("fork bomb that grows", "while True:\n    try: os.fork()\n    except OSError: time.sleep(0.01)"),
    _hostile(
        "thread bomb",
        "import threading\nn = 0\nthreading.stack_size(32768)\ntry:\n"
        "    while n < 5000: threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); n += 1\n"
        "except (RuntimeError, MemoryError): pass\nreturn f'THROUGH {n}' if n > 500 else None",
    ),
    _hostile(
        "memory bomb",
        "a = []\ntry:\n    while len(a) < 2000: a.append(b'x' * (1 << 20))\nexcept MemoryError: return None\nreturn 'THROUGH'",
    ),
    _hostile(
        "memory bomb of many processes",
        "for _ in range(10):\n    if os.fork() == 0:\n        a = [b'x' * (1 << 20) for _ in range(150)]; time.sleep(60)\n"
        "time.sleep(60)",
    ),
    _hostile(
        "zip bomb",
        "import zlib\nc, block = zlib.compressobj(1), bytes(1 << 20)\n"
        "bomb = b''.join([c.compress(block) for _ in range(300)] + [c.flush()])\n"
        "try: return f'THROUGH {len(zlib.decompress(bomb))}'\nexcept MemoryError: return None",
    ),
    _hostile("endless loop", "while True: pass"),
    _hostile("catastrophic regex", "import re\nre.match('(a+)+$', 'a' * 40 + 'b')"),
    _hostile(
        "deaf to signals",
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
    ),
    _hostile("sleeps", "time.sleep(3600)"),
    _hostile("endless recursion in C", "sys.setrecursionlimit(10**9)\ndef f(): return f()\nf()"),
    _hostile(
        "a process that stays",
        "if os.fork(): return None\nos.setsid()\nif os.fork(): os._exit(0)\nlibc.prctl(15, p['mark'].encode(), 0, 0, 0)\ntime.sleep(600)",
    ),
    _hostile(
        "a process that stays in the group",
        "if os.fork(): return None\nlibc.prctl(15, p['mark'].encode(), 0, 0, 0)\ntime.sleep(600)",
    ),
    _hostile("crash", "ctypes.string_at(0)"),
    _hostile("becomes another program", "os.execv('/bin/sh', ['sh', '-c', 'while :; do :; done'])"),
    _hostile("hangs up", "os.closerange(0, 256)\ntime.sleep(60)"),
)
_TO_THE_JUDGE = (
    _hostile("deep answer", "a = []\nfor _ in range(50): a = [a]\nreturn [a] * 3"),
    _hostile("deeper answer", "a = []\nfor _ in range(100_000): a = [a]\nreturn a"),
    _hostile("answer that holds itself", "a = []\na.append(a)\nreturn a"),
    _hostile(
        "deep JSON",
        "for fd in range(3, 20):\n    try: os.write(fd, b'[' * 900_000 + b'\\n')\n    except OSError: pass",
    ),
    _hostile(
        "number of a million digits",
        "for fd in range(3, 20):\n    try: os.write(fd, b'{\"id\": ' + b'9' * 900_000 + b'}\\n')\n    except OSError: pass",
    ),
    _hostile("huge integer", "return 1 << 8_000_000"),
    _hostile("200 MB answer", "return 'x' * 200_000_000"),
    _hostile(
        "line without end",
        "for fd in range(3, 20):\n    try:\n        while True: os.write(fd, b'x' * 65536)\n    except OSError: pass",
    ),
    _hostile(
        "lines without end",
        "for fd in range(3, 20):\n    try:\n        while True: os.write(fd, b'{}\\n' * 9000)\n    except OSError: pass",
    ),
    _hostile("output without end", "while True: print('x' * 10_000)"),
    _hostile(
        "bytes that are no text",
        "for fd in range(3, 20):\n    try: os.write(fd, bytes(range(256)) + b'\\n')\n    except OSError: pass",
    ),
    _hostile(
        "keys that collide",
        "import json\nf = sys._getframe()\nwhile 'message' not in f.f_locals: f = f.f_back\n"
        "r = {'id': f.f_locals['message']['id'], 'ret': {'d': [[i * (2**61 - 1), 0] for i in range(40_000)]}}\n"
        "for fd in range(3, 20):\n    try: os.write(fd, json.dumps(r).encode() + b'\\n')\n    except OSError: pass",
    ),
    _hostile(
        "terminal commands and NUL",
        "print('\\x1b]0;THROUGH\\x07\\x1b[2J\\0\\u202e')\nreturn '\\x1b[31m\\0\\u202ered'",
    ),
)
PROGRAMS = _READING + _WRITING + _TALKING + _NEIGHBOURS + _KERNEL + _DISK + _HEAVY + _TO_THE_JUDGE
KNOWN = {  # what gets through a backend, honestly
    "bubblewrap": frozenset[str](),
    "landlock": frozenset({"see that a file exists"}),
}
