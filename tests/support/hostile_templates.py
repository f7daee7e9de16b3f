"""Chat templates that somebody could put into a model file: endless, huge, curious. Jinja sources by name."""

from __future__ import annotations

_GROWING = "{% set n = namespace(s=START) %}{% for i in range(99) %}{% set n.s = STEP %}{% endfor %}"
_HUGE_NUMBER = "{% set x = (1).from_bytes(('a' * 1000000).encode(), 'big') %}"
_LINES = "{% for i in [1] %}"

# What never ends or takes all memory: refused or interrupted.
ENDLESS = {
    "loop": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "copies": "{% set n = namespace(l=[]) %}{% for i in range(40) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l|tojson }}",
}
GREEDY = {
    "megabytes": "{% for i in range(99999) %}{{ 'x' * 99999 }}{% endfor %}",
    "repetition": "{{ 'x' * 10**9 }}",
    "plain repetition": "{{ 'x' * 1000000000 }}",
    "long list": "{{ [1] * 1000000000 }}",
    "list of texts": "{% set s = 'x' * 1000000 %}{{ [s] * 100000 }}",
    "range": "{{ range(1000000000)|list }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "doubled text": _GROWING.replace("START", "'x'").replace("STEP", "n.s + n.s"),
    "joined text": _GROWING.replace("START", "'x'").replace("STEP", "n.s ~ n.s"),
    "doubled list": _GROWING.replace("START", "[1]").replace("STEP", "n.s + n.s"),
    "nested list": _GROWING.replace("START", "[]").replace("STEP", "[n.s]").replace("99", "99999")
    + "{{ n.s }}",
    "padding": "{{ 'x'.rjust(2000000000) }}",
    "centred": "{{ 'x'|center(2000000000) }}",
    "width": "{{ '%2000000000d'|format(1) }}",
    "width by method": "{{ '{:>2000000000}'.format(1) }}",
    "replaced": "{{ ('a' * 1000000)|replace('a', 'b' * 1000000) }}",
    "batch": "{{ [1]|batch(2000000000, 0)|list }}",
    "indented": "{{ [1]|tojson(indent=2000000000) }}",
    "rounded": "{{ 1|round(-1000000000) }}",
    "rounded down": "{{ 1.5|round(1000000000, 'floor') }}",
    "huge division": _HUGE_NUMBER + "{{ x // (x - 1) }}",
    "huge rest": _HUGE_NUMBER + "{{ 7 % x }}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "two recursions": "{% macro f(n) %}{{ f(n + 1) ~ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "block in itself": "{% block a %}{{ self.a() }}{% endblock %}",
}

# What Python cannot compile, or llama.cpp's users write by mistake.
MALFORMED = {
    "deep parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "deep conditions": "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "deep loops": _LINES * 30 + "{% endfor %}" * 30,
    "deep negation": "{{ " + "not " * 20000 + "1 }}",
    "many sums": "{{ 1" + "+1" * 20000 + " }}",
    "break outside": "{% break %}",
    "unknown tag": "{% frobnicate %}",
    "import": "{% import 'os' as o %}{{ o }}",
    "include": "{% include '/etc/passwd' %}",
    "raised": "{{ raise_exception('no\nsuch \x1b[31m thing') }}",
    "undefined": "{{ messages.nothing.at.all }}",
    "zero": "{{ 1 / 0 }}",
    "type": "{{ 1 + 'a' }}",
    "index": "{{ messages[99].role }}",
    "changed": "{{ messages.append(1) }}",
    "too long": "x" * (1 << 20) + "x",
}

# Ways out of the sandbox. Whatever they give, it must hold nothing of Python's insides.
CURIOUS = {
    "class": "{{ ''.__class__.__mro__ }}",
    "subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "cycler": "{{ cycler.__init__.__globals__ }}",
    "system": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "lipsum": "{{ lipsum.__globals__ }}",
    "attribute filter": "{{ ()|attr('__cla' ~ 'ss__')|attr('__base__') }}",
    "format": "{{ '{0.__class__.__mro__}'.format('') }}",
    "format by filter": "{{ ('{0.__class__}'|attr('format'))('') }}",
    "format by map": "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "stored format": "{% set f = '{0.__globals__}'.format %}{{ f(raise_exception) }}",
    "mapped format": "{{ ['{0.__init__.__globals__}']|map('format', cycler)|list }}",
    "own function": "{{ raise_exception.__globals__ }}",
    "own filter": "{{ strftime_now.__globals__ }}",
    "loop variable": "{% for i in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "macro": "{% macro m() %}{% endmacro %}{{ m._func.__code__ }}{{ m._environment }}",
    "generator": "{{ (messages|map('upper')).gi_frame.f_globals }}",
    "undefined": "{{ x.__init__.__globals__ }}",
    "itself": "{{ self._TemplateReference__context }}",
    "namespace": "{{ namespace.__init__.__globals__ }}",
}
SECRETS = (
    "class ",
    "function ",
    "module",
    "builtins",
    "uid=",
    "root:",
    "<Environment",
    "<code",
    "subprocess",
)
