"""Hostile programs in Bash and JavaScript: where a program may start others, and where it brings its own runtime.

A script finds the stage in ``place.sh``, a function in its argument. Both print or return THROUGH when they got out.
"""

from __future__ import annotations

from tests.support.hostile_programs import Hostile


def _bash(name: str, code: str, *, control: bool = False) -> Hostile:
    return Hostile(f"bash: {name}", f". ./place.sh\n{code}\n", control, "bash")


def _js(name: str, code: str, *, control: bool = False) -> Hostile:
    return Hostile(f"js: {name}", f"async function attack(p) {{\n{code}\n}}\n", control, "javascript")


SCRIPTS = (
    _bash("read a private key", 'cat "$key" && echo THROUGH', control=True),
    _bash("change a file", 'echo THROUGH > "$file"; rm -f "$file"', control=True),
    _bash("TCP", 'exec 3<>"/dev/tcp/127.0.0.1/$tcp" && echo THROUGH', control=True),
    _bash("kill a neighbour", 'kill -9 "$victim" && echo THROUGH', control=True),
    _bash("kill its parents", "kill -9 $PPID; kill -9 -1; sleep 60"),
    _bash("fork bomb", ":(){ :|:& };:; sleep 60"),
    _bash("sleepers without end", "while :; do sleep 60 & done"),
    _bash("a process that stays", 'cp /bin/sleep "./$mark"; "./$mark" 600 > /dev/null 2>&1 & exit 0'),
    _bash("a process that leaves the session", 'cp /bin/sleep "./$mark"; $(printf "set%s" sid) "./$mark" 600 > /dev/null 2>&1 & exit 0'),
    _bash("the runner's descriptors", "for fd in /proc/$PPID/fd/*; do echo '{\"stdout\": \"THROUGH\"}' > $fd && echo THROUGH; done 2> /dev/null"),
    _bash("the runner's memory", "head -c 1 /proc/$PPID/mem && echo THROUGH; cat /proc/$PPID/environ | grep -q STAGE && echo THROUGH"),
    _bash("fill the disk", "for i in {1..400}; do head -c 8000000 /dev/zero > f$i || exit; done; echo THROUGH"),
    _bash("output without end", "yes"),
    _bash("endless loop", "trap '' TERM INT HUP; while :; do :; done"),
    _js("read a private key", "return 'THROUGH ' + require('fs').readFileSync(p.key, 'utf8')", control=True),
    _js("read through another program", "const r = require('child_process').spawnSync('cat', [p.key]); return r.status === 0 ? 'THROUGH ' + r.stdout : null", control=True),
    _js("change a file", "require('fs').writeFileSync(p.file, 'THROUGH')", control=True),
    _js("TCP", "return await new Promise((done) => { const s = require('net').connect(p.tcp, '127.0.0.1', () => done('THROUGH')); s.on('error', () => done(null)) })", control=True),
    _js("kill a neighbour", "process.kill(p.victim, 'SIGKILL')", control=True),
    _js("processes without end", "const c = require('child_process'); let n = 0; for (; n < 300; n++) { const k = c.spawn('sleep', ['60']); k.on('error', () => {}); if (!k.pid) break } return n > 60 ? 'THROUGH ' + n : null"),
    _js("threads without end", "const { Worker } = require('worker_threads'); for (;;) new Worker('setInterval(() => {}, 9)', { eval: true }).on('error', () => {})"),
    _js("memory bomb outside of the heap", "const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))"),
    _js("forged answers", "for (let i = 0; i < 9; i++) require('fs').writeSync(4, '{\"id\": \"x\", \"ret\": \"THROUGH\"}\\n'); return 1"),
    _js("spoiled runtime", "JSON.stringify = () => '{\"ret\": 1}'; Object.prototype.toJSON = () => 1; Array.isArray = () => true; return {}"),
    _js("endless loop", "for (;;) ;"),
)  # fmt: skip
