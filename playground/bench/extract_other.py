"""The JavaScript, SQL or Bash in an answer. Token by token, never executed; linear in the answer's length."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from playground.bench.fences import Block, dedented
from playground.bench.outcome import Extracted, Outcome

LONGEST_CODE_CHARS = 200_000
TAGS: dict[str, frozenset[str]] = {
    "javascript": frozenset({"javascript", "js", "node", "nodejs", "mjs", "cjs", "jsx", "typescript", "ts"}),
    "sql": frozenset({"sql", "sqlite", "sqlite3", "mysql", "postgresql", "postgres", "pgsql"}),
    "bash": frozenset({"bash", "sh", "shell", "zsh", "console", "shell-session", "terminal"}),
}
_PLAIN = frozenset({"", "text", "plaintext", "txt", "code"})
_JS_TOKEN = re.compile(
    r"""//[^\n]*|/\*(?:.*?\*/|.*)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\.|[^`\\])*`?|"""
    r"""/(?:\\.|\[(?:\\.|[^\]\\\n]){0,200}\]|[^/\\\n\[]){1,1000}/[a-z]*|[{}()\[\]/]""",
    re.DOTALL,
)
_SQL_TOKEN = re.compile(r"""'(?:''|[^'])*'?|"(?:""|[^"])*"?|--[^\n]*|/\*(?:.*?\*/|.*)|;""", re.DOTALL)
_SQL_START = re.compile(r"^[ \t]*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE | re.MULTILINE)
_JS_START = re.compile(
    r"^(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function|class|const|let|var)\b", re.MULTILINE
)
_EXPORT = re.compile(
    r"^export[ \t]+(?:default[ \t]+)?(?=(?:async[ \t]+)?(?:function|class|const|let|var)\b)", re.MULTILINE
)
_EXPORT_LIST = re.compile(r"^export[ \t]+(?:\{[^}\n]*\}|default[ \t]+\w+)[ \t]*;?[ \t]*$", re.MULTILINE)
_USAGE = re.compile(
    r"(?:\$ )?(?:sudo )?(?:chmod\b|bash \S+|sh \S+|\./\S+|cd\b|ls\b|touch\b|mkdir\b|nano\b|vim?\b|node \S+|npm\b|"
    r"printf .*\| *(?:bash|sh|\./)|echo .*\| *(?:bash|sh|\./)|(?:echo|printf) .*> *\S+|cat \S+ *\| *(?:bash|\./)|#.*)"
)
_HEREDOC = re.compile(
    r"\A\s*cat\s+>+\s*\S+\.sh\s+<<-?\s*(['\"]?)(\w+)\1\n(.*?)\n\2[ \t]*(?:\n|\Z)", re.DOTALL
)


class Asked(NamedTuple):
    """What is looked for. ``start``: code that the prompt gave and a base model continued."""

    language: str
    entry: str
    start: str
    cut: bool


def from_blocks(blocks: Sequence[Block], asked: Asked) -> Extracted | None:
    """Return the code in fenced blocks, or None."""
    tags = TAGS[asked.language]
    mine = [b for b in blocks if b.tag in tags] or [b for b in blocks if b.tag in _PLAIN] or list(blocks)
    mine = [b for b in mine if b.text.strip() and len(b.text) <= LONGEST_CODE_CHARS]
    return _FINDERS[asked.language](mine, asked) if mine else None


def from_text(text: str, asked: Asked) -> Extracted | None:
    """Return the code in a text without any fence, or None."""
    if len(text) > LONGEST_CODE_CHARS:
        return None
    start = {"javascript": _js_begins, "sql": _sql_begins, "bash": _bash_begins}[asked.language](text)
    if start < 0:
        return None
    code = text[start:]
    if asked.language == "javascript":
        code = code[: _js_end(code, asked.entry)]
    elif asked.language == "sql":
        code = _first_statement(code.split("\n\n")[0] if ";" not in code else code)
    found = _FINDERS[asked.language]([Block("", code, closed=not asked.cut)], asked)
    return found and Extracted(found.code, "Took the code; it stood without a fence.", found.outcome)


def continued(block: Block, asked: Asked) -> Extracted:
    """Return the code of a base model that went on with ``start``: up to where it ends."""
    code = block.text[:LONGEST_CODE_CHARS]
    if asked.language == "javascript":
        end = _js_end(code, asked.entry)
        whole = end < len(code) or _depth(code) == 0
        code, what = code[:end], f"the completed function {asked.entry}"
    elif asked.language == "sql":
        statement = _first_statement(code)
        whole = statement.rstrip().endswith(";")
        code, what = statement, "the completed query"
    else:
        whole, what = False, "the completed script"
    if asked.cut and not block.closed and not whole:
        return Extracted(code, "The answer reached its limit before its code ended.", Outcome.CUT_OFF)
    return Extracted(_prepared(code, asked.language), f"Took {what}.")


def _javascript(blocks: Sequence[Block], asked: Asked) -> Extracted | None:
    named = _definition(asked.entry)
    found = [n for n, b in enumerate(blocks) if named.search(b.text)]
    if not found:
        joined = f"{asked.start.rstrip()}\n{blocks[-1].text}"
        if asked.start and re.search(r"^[ \t]*return\b", blocks[-1].text, re.MULTILINE):
            whole = joined if _depth(joined) == 0 else f"{joined.rstrip()}\n}}"
            return Extracted(whole, "The answer holds only the body; joined it with the prompt.")
        return _ended(blocks[-1], asked, f"Took the last block of code; none defines {asked.entry}.")
    at = found[-1]
    code = blocks[at].text
    helpers = [
        b.text for n, b in enumerate(blocks) if n != at and not named.search(b.text) and _helps(b.text, code)
    ]
    code = "\n\n".join([*helpers, code]) if helpers else code
    how = "Took the last block that defines" if len(found) > 1 else "Took the block that defines"
    more = ", with what it needs from other blocks" if helpers else ""
    return _ended(blocks[at]._replace(text=code), asked, f"{how} {asked.entry}{more}.")


def _sql(blocks: Sequence[Block], asked: Asked) -> Extracted | None:
    queries = [b for b in blocks if _SQL_START.search(b.text)] or list(blocks)
    block = queries[-1]
    parts = [part for part in _statements(block.text) if part.strip()]
    selects = [part for part in parts if _SQL_START.match(_without_comments(part))]
    code = selects[-1].strip() if selects else block.text.strip()
    more = "; left out the statements around it" if selects and len(parts) > 1 else ""
    how = "Took the last query" if len(queries) > 1 or len(selects) > 1 else "Took the query"
    return _ended(block._replace(text=code), asked, f"{how}{more}.")


def _bash(blocks: Sequence[Block], asked: Asked) -> Extracted | None:
    scripts = [b for b in blocks if not _is_usage(b.text)]
    shebang = [b for b in scripts if b.text.lstrip().startswith("#!")]
    best = (shebang or scripts or list(blocks))[-1]
    how = "Took the last script" if len(shebang or scripts) > 1 else "Took the script"
    more = "; left out how to start it" if len(scripts) < len(blocks) and scripts else ""
    return _ended(best, asked, f"{how}{more}.")


_FINDERS: dict[str, Callable[[Sequence[Block], Asked], Extracted | None]] = {
    "javascript": _javascript,
    "sql": _sql,
    "bash": _bash,
}


def _ended(block: Block, asked: Asked, how: str) -> Extracted:
    whole = block.closed or (asked.language == "sql" and block.text.rstrip().endswith(";"))
    if asked.language == "javascript" and not block.closed:
        whole = _depth(block.text) == 0 and block.text.rstrip().endswith(("}", ";"))
    if asked.cut and not whole:
        return Extracted(block.text, "The answer reached its limit before its code ended.", Outcome.CUT_OFF)
    return Extracted(_prepared(block.text, asked.language), how)


def _prepared(code: str, language: str) -> str:
    code = dedented(code)
    if language == "javascript":
        return _EXPORT_LIST.sub("", _EXPORT.sub("", code)).strip("\n") + "\n"
    if language == "bash":
        if inner := _HEREDOC.match(code):
            code = inner[3]
        lines = code.split("\n")
        if any(line.startswith("$ ") for line in lines):
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        return "\n".join(lines).strip("\n") + "\n"
    return code.strip() + "\n"


def _definition(entry: str) -> re.Pattern[str]:
    name = re.escape(entry)
    return re.compile(
        rf"\bfunction\s*\*?\s*{name}\b|\b(?:const|let|var|class)\s+{name}\b|"
        rf"(?:^|[;\s.]){name}\s*=(?![=>])|^[ \t]*(?:async[ \t]+)?{name}[ \t]*\([^)\n]*\)\s*\{{",
        re.MULTILINE,
    )


def _helps(other: str, code: str) -> bool:
    names = re.findall(
        r"^(?:async\s+)?(?:function\s*\*?|class|const|let|var)\s+([\w$]+)", other, re.MULTILINE
    )
    used = set(re.findall(r"[\w$]+", code))
    defined = set(re.findall(r"\b(?:function\s*\*?|class|const|let|var)\s+([\w$]+)", code))
    return any(name in used and name not in defined for name in names)


def _tokens(code: str) -> list[tuple[int, str]]:
    """Return the brackets of JavaScript with their places; texts, comments and regular expressions are none."""
    found: list[tuple[int, str]] = []
    position = 0
    while match := _JS_TOKEN.search(code, position):
        mark, position = match[0], match.end()
        if len(mark) > 1 and mark[0] == "/" and mark[1] not in "/*" and _divides(code, match.start()):
            position = match.start() + 1
        elif mark in "{}()[]":
            found.append((match.start(), mark))
    return found


def _divides(code: str, at: int) -> bool:
    before = code[max(0, at - 40) : at].rstrip()
    return bool(before) and (before[-1] in ")]}" or (before[-1].isalnum() and not before.endswith("return")))


def _depth(code: str) -> int:
    return sum(1 if mark in "{([" else -1 for _, mark in _tokens(code))


def _js_end(code: str, entry: str) -> int:
    """Return where the statement that defines a function ends: behind its last brace, or the code's end."""
    named = _definition(entry).search(code)
    begin, depth = (named.start() if named else 0), 0
    for place, mark in _tokens(code):
        if place < begin:
            continue
        depth += 1 if mark in "{([" else -1
        if depth == 0 and mark == "}":
            line = code.find("\n", place)
            return len(code) if line < 0 else line + 1
        if depth < 0:
            return place
    return len(code)


def _statements(code: str) -> list[str]:
    ends = [match.end() for match in _SQL_TOKEN.finditer(code) if match[0] == ";"]
    return [code[a:b] for a, b in zip([0, *ends], [*ends, len(code)], strict=True)]


def _first_statement(code: str) -> str:
    return next((part for part in _statements(code) if _without_comments(part).strip(" \n\t;")), code)


def _without_comments(code: str) -> str:
    return _SQL_TOKEN.sub(lambda m: "" if m[0][:2] in ("--", "/*") else m[0], code).lstrip()


def _is_usage(code: str) -> bool:
    lines = [line.strip() for line in code.split("\n") if line.strip()]
    return bool(lines) and not lines[0].startswith("#!") and all(_USAGE.match(line) for line in lines)


def _js_begins(text: str) -> int:
    match = _JS_START.search(text)
    return match.start() if match else -1


def _sql_begins(text: str) -> int:
    match = _SQL_START.search(text)
    return match.start() if match else -1


def _bash_begins(text: str) -> int:
    shebang = re.search(r"^#!", text, re.MULTILINE)
    if shebang:
        return shebang.start()
    first = text.strip().split("\n")[0]
    prose = re.match(r"[A-Z][a-z']* \w+ \w+", first) or first.endswith((".", ":", "!", "?"))
    return -1 if prose or not first else 0
