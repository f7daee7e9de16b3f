"""Programs that do not solve the task (``solve(x)`` is ``x * x + 1``) but try to be counted as if they did.

None holds the right formula, so each one that passes was passed wrongly.
"""

from __future__ import annotations

_WRONG = "def solve(x): return 0\n"
_CHANNEL = """
import os, sys, json
def writable():
    for fd in range(1, 40):
        if fd == 2: continue
        try: os.write(fd, b""); yield fd
        except OSError: pass
def forge(*messages):
    for fd in writable():
        for m in messages:
            try: os.write(fd, json.dumps(m).encode() + b"\\n")
            except OSError: pass
"""
_ALIKE = """
class Alike(BASE):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __bool__(self): return True
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    def __sub__(self, other): return 0
    def __rsub__(self, other): return 0
    def __abs__(self): return 0
    def __repr__(self): return "5"
    __str__ = __repr__
    def __len__(self): return 5
    def __index__(self): return 5
    def __instancecheck__(self, other): return True
"""


def _alike(base: str, value: str) -> str:
    return _ALIKE.replace("BASE", base) + f"def solve(x): return {value}\n"


PROGRAMS = {
    "sys.exit(0) when loaded": "import sys\n" + _WRONG + "sys.exit(0)\n",
    "sys.exit(0) when called": "import sys\ndef solve(x): sys.exit(0)\n",
    "os._exit(0) when loaded": "import os\nos._exit(0)\n",
    "os._exit(0) when called": "import os\ndef solve(x): os._exit(0)\n",
    "raise SystemExit": "def solve(x): raise SystemExit(0)\n",
    "raise StopIteration": "def solve(x): raise StopIteration\n",
    "raise AssertionError": "def solve(x): raise AssertionError\n",
    "atexit": "import atexit, os\natexit.register(lambda: os._exit(0))\n" + _WRONG,
    "excepthook": "import sys, os\nsys.excepthook = lambda *a: os._exit(0)\ndef solve(x): raise ValueError\n",
    "settrace": "import sys, os\nsys.settrace(lambda f, e, a: os._exit(0) if e == 'return' else None)\n"
    + _WRONG,
    "patched builtins": (
        "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.all = lambda *a: True\n"
        "builtins.AssertionError = type('Never', (Exception,), {})\n" + _WRONG
    ),
    "patched json": (
        'import json\njson.dumps = lambda m, *a, **k: \'{"ret": 5, "ok": true}\'\n'
        "json.loads = lambda *a, **k: {'ret': 5}\njson.encoder.JSONEncoder.encode = json.dumps\n" + _WRONG
    ),
    "patched encoder": (
        "import sys\nfor n, m in list(sys.modules.items()):\n"
        "    if hasattr(m, 'encode') and hasattr(m, 'Channel'): m.encode = lambda *a, **k: {'ret': 'anything'}\n"
        + _WRONG
    ),
    "equal to all": _alike("object", "Alike()"),
    "an integer equal to all": _alike("int", "Alike(3)"),
    "a text equal to all": _alike("str", "Alike('5')"),
    "a list equal to all": _alike("list", "Alike([1])"),
    "a float equal to all": _alike("float", "Alike('nan')"),
    "NaN": "def solve(x): return float('nan')\n",
    "a class with a metaclass equal to all": (
        "class M(type):\n    def __eq__(s, o): return True\n    def __hash__(s): return 1\n    def __bool__(s): return True\n"
        "class A(metaclass=M): pass\ndef solve(x): return A\n"
    ),
    "reads /proc/self/cmdline": (
        "import re\nt = open('/proc/self/cmdline').read()\n"
        "def solve(x):\n    m = re.search(r'solve\\(%d\\) == (\\d+)' % x, t)\n    return int(m[1]) if m else 0\n"
    ),
    "reads what is in memory": (
        "import gc, re\ndef solve(x):\n    for o in gc.get_objects():\n"
        "        if type(o) is dict:\n"
        "            for v in list(o.values()):\n"
        "                if isinstance(v, str):\n"
        "                    m = re.search(r'solve\\(%d\\) == (\\d+)' % x, v)\n"
        "                    if m: return int(m[1])\n"
        "    return 0\n"
    ),
    "reads expected values from frames": (
        "import sys\ndef solve(x):\n    f = sys._getframe()\n    while f:\n"
        "        for k in ('expected', 'want', 'answer'):\n"
        "            if k in f.f_locals and type(f.f_locals[k]) is int: return f.f_locals[k]\n"
        "        f = f.f_back\n    return 0\n"
    ),
    "reads the tests' file": (
        "import glob, re\ntext = ''\n"
        "for p in glob.glob('/tmp/**/*.py', recursive=True) + glob.glob('*.py') + ['tests.py', '/tests.py']:\n"
        "    try: text += open(p).read()\n    except OSError: pass\n"
        "def solve(x):\n    m = re.search(r'solve\\(%d\\) == (\\d+)' % x, text)\n    return int(m[1]) if m else 0\n"
    ),
    "forged answers": _CHANNEL
    + _WRONG
    + "forge({'ret': 5}, {'ok': True}, {'case': 'x', 'ok': True}, {'done': 1})\n",
    "forged answers when called": _CHANNEL
    + "def solve(x):\n    forge({'id': '', 'ret': 5}, {'case': 'x', 'ok': True}, {'done': 1})\n    return 5\n",
    "forged verdict, then exit": _CHANNEL
    + _WRONG
    + "forge({'loaded': True}, {'outcome': 'pass', 'passed': 4, 'total': 4}, {'done': 1})\nos._exit(0)\n",
    "a later answer, written ahead": _CHANNEL
    + "seen = []\ndef solve(x):\n    f = sys._getframe()\n    while 'message' not in f.f_locals: f = f.f_back\n"
    "    forge({'id': f.f_locals['message']['id'], 'ret': 5})\n    return 5\n",
    "prints what a runner would": "print('OK\\n4 passed\\nAll tests passed')\n" + _WRONG,
    "is the tests' module": (
        "import sys, types\nfor n in ('tests', 'solution', '__main__', 'unittest', 'pytest'):\n"
        "    sys.modules[n] = types.ModuleType(n)\n" + _WRONG
    ),
    "a stand-in for check": "def check(candidate): pass\ncandidate = solve = lambda x: 0\n",
    "changes its argument": "def solve(x):\n    try: x.__dict__.update(value=5)\n    except AttributeError: pass\n    return x\n",
    "a thread that answers": _CHANNEL
    + "import threading\ndef talk():\n    while True: forge({'ret': 5})\n"
    + "threading.Thread(target=talk, daemon=True).start()\n"
    + _WRONG,
    "a child that answers": _CHANNEL
    + "try:\n    if os.fork() == 0:\n        forge({'ret': 5}, {'done': 1})\n        os._exit(0)\nexcept OSError: pass\n"
    + _WRONG,
    "returns the question": "def solve(*a, **k): return a\n",
}
