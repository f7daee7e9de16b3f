"""Answers that all hold a correct solution of the same task, in the shapes that models give them."""

from __future__ import annotations

F = "def count_words(text):\n    return len(text.split())\n"
WRONG = "def count_words(text):\n    return 0\n"
BODY = "    return len(text.split())\n"


def fence(code: str, tag: str = "python", mark: str = "```") -> str:
    return f"{mark}{tag}\n{code}{mark}\n"


SHAPES: dict[str, str] = {
    "plain fence": f"Here you are:\n\n{fence(F)}\nIt splits the text.",
    "capital tag": fence(F, "Python"),
    "py tag": fence(F, "py"),
    "python3 tag": fence(F, "python3"),
    "tag with attributes": fence(F, 'python title="count.py"'),
    "no tag": fence(F, ""),
    "tildes": fence(F, "python", "~~~"),
    "four ticks": fence(F, "python", "````"),
    "CRLF": f"Sure.\r\n\r\n{fence(F)}".replace("\n", "\r\n").replace("\r\r", "\r"),
    "never closed": f"Sure:\n```python\n{F}",
    "closed on the last line of code": f"```python\n{F.rstrip()}```\nDone.",
    "opened behind a sentence": f"The code: ```python\n{F}```",
    "indented in a list": "1. First:\n\n   ```python\n"
    + "".join(f"   {x}\n" for x in F.splitlines())
    + "   ```\n",
    "on a list's own line": "- ```python\n" + "".join(f"  {x}\n" for x in F.splitlines()) + "  ```\n",
    "in a quotation": "> ```python\n" + "".join(f"> {x}\n" for x in F.splitlines()) + "> ```\n",
    "inside a Markdown block": f"````markdown\n# Solution\n{fence(F)}````\n",
    "inside a Markdown block of three ticks": f"```markdown\n# Solution\n{fence(F)}```\n",
    "bare code": F,
    "bare code between sentences": f"Sure, here is it:\n\n{F}\nThis splits on white space.\nEnjoy!",
    "indented Markdown code": "Like this:\n\n"
    + "".join(f"    {x}\n" for x in F.splitlines())
    + "\nThat is all.",
    "in a line of code": "Use `count_words = lambda text: len(text.split())`.",
    "in HTML": f"<pre><code class='language-python'>{F}</code></pre>",
    "draft in its thoughts": f"<think>\nMaybe\n{fence(WRONG)}Hmm.\n</think>\n{fence(F)}",
    "closing tag alone": f"Let me see:\n{fence(WRONG)}\nno.\n</think>\n\n{fence(F)}",
    "thoughts in brackets": f"[THINK]try {WRONG}[/THINK]\n{fence(F)}",
    "channels": "<|channel|>analysis<|message|>"
    + WRONG
    + "<|end|><|start|>assistant<|channel|>final<|message|>"
    + fence(F),
    "corrected version last": f"{fence(WRONG)}\nWait, that is wrong:\n\n{fence(F)}",
    "usage block last": f"{fence(F)}\nUse it:\n{fence('print(count_words(chr(97)))' + chr(10))}",
    "longer test block last": f"{fence(F)}\n{fence('import unittest' + chr(10) + 'class TestIt(unittest.TestCase):' + chr(10) + '    def test_a(self):' + chr(10) + '        self.assertEqual(count_words(chr(97)), 1)' + chr(10) * 2 + 'unittest.main()' + chr(10))}",
    "output block last": f"{fence(F)}\nOutput:\n\n```\n3\n```\n",
    "shell block first": f"{fence('pip install nothing' + chr(10), 'bash')}\n{fence(F)}",
    "helper in an earlier block": (
        fence("import re\n\n\ndef words(text):\n    return re.findall(r'\\S+', text)\n")
        + "Then:\n"
        + fence("def count_words(text):\n    return len(words(text))\n")
    ),
    "helper in a later block": (
        fence("def count_words(text):\n    return len(words(text))\n")
        + "with\n"
        + fence("def words(text):\n    return text.split()\n")
    ),
    "imports in their own block": (
        fence("import re\n") + fence("def count_words(text):\n    return len(re.findall(r'\\S+', text))\n")
    ),
    "decorated": fence("from functools import lru_cache\n\n\n@lru_cache(maxsize=None)\n" + F),
    "dataclass beside it": fence(
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Words:\n    n: int\n\n\n"
        "def count_words(text):\n    return Words(len(text.split())).n\n"
    ),
    "generator as helper": fence(
        "def words(text):\n    yield from text.split()\n\n\ndef count_words(text):\n    return sum(1 for _ in words(text))\n"
    ),
    "constants and a loop at the top": fence(
        "TABLE = {}\nfor n in range(3):\n    TABLE[n] = n\nONE, TWO = 1, 2\n\n\n"
        "def count_words(text):\n    return len(text.split()) * ONE + TABLE[0]\n"
    ),
    "guarded import": fence(
        "try:\n    import regex_that_is_not_there as re\nexcept ImportError:\n    print('no regex')\n    import re\n\n\n"
        "def count_words(text):\n    return len(re.findall(r'\\S+', text))\n"
    ),
    "a lambda": fence("count_words = lambda text: len(text.split())\n"),
    "a method": fence(
        "class Solution:\n    def count_words(self, text):\n        return len(text.split())\n"
    ),
    "a static method": fence(
        "class S:\n    @staticmethod\n    def count_words(text):\n        return len(text.split())\n"
    ),
    "a method and the prompt's helper": fence(
        "import re\n\n\nclass S:\n    def w(self, t):\n        return re.findall(r'\\S+', t)\n\n    def count_words(self, text):\n        return len(self.w(text))\n"
    ),
    "prints below": fence(F + "\nprint(count_words('a b'))\nprint(undefined)\n"),
    "asserts below": fence(F + "\nassert count_words('a b') == 3\n"),
    "main below": fence(F + "\nif __name__ == '__main__':\n    raise SystemExit(1)\n"),
    "asks for input": fence(F + "\ntext = input()\nresult = count_words(text)\nprint(result)\n"),
    "loops over examples": fence(F + "\nfor example in ['a', 'b']:\n    print(count_words(example))\n"),
    "runs its own tests": fence(F + "\n\ndef test_it():\n    assert count_words('a') == 2\n\n\ntest_it()\n"),
    "interactive session": fence(
        ">>> def count_words(text):\n...     return len(text.split())\n...\n>>> count_words('a')\n1\n"
    ),
    "docstring with a fence": fence(
        'def count_words(text):\n    """Count.\n\n    ```python\n    count_words("a")\n    ```\n    """\n    return len(text.split())\n'
    ),
    "only the body": f"```python\n{BODY}```",
    "only the body, at the margin": "```python\nreturn len(text.split())\n```",
    "only the body, without a fence": BODY,
    "in two halves": "```python\ndef count_words(text):\n```\nand then\n```python\n    return len(text.split())\n```\n",
    "asynchronous words around": f"Sure!\n{fence(F)}\n**Explanation**: `text.split()` splits.\n- `len` counts.\n",
    "NULs and colours": f"\x1b[1mSure\x1b[0m\x00\n{fence(F)}".replace("return", "\x1b[31mreturn\x1b[0m"),
    "no-break spaces": fence(F).replace("    ", "\u00a0\u00a0\u00a0\u00a0"),
    "byte order mark": "\ufeff" + F,
    "prose inside the fence": fence("Here is the function:\n\n" + F),
    "signature shown again at the end": f"{fence(F)}\nIts signature:\n{fence('def count_words(text): ...' + chr(10))}",
    "future import in both": fence(
        "from __future__ import annotations\n\n\ndef words(t: str) -> list[str]:\n    return t.split()\n"
    )
    + fence(
        "from __future__ import annotations\n\n\ndef count_words(text: str) -> int:\n    return len(words(text))\n"
    ),
    "end of turn": fence(F) + "<|im_end|>\nuser: again?\n```python\ndef count_words(t): return 0\n```",
    "invalid escape": fence("def count_words(text):\n    '\\d \\w'\n    return len(text.split())\n"),
}
