"""The program in an answer is found in every shape that models give it, and its absence gets the right word."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.bench.extract import extract
from playground.bench.outcome import Outcome
from playground.bench.task import Case, Language, Task
from tests.support.answer_shapes import BODY, SHAPES, WRONG, F, fence

_START = 'Here it is.\n\n```python\ndef count_words(text):\n    """Count the words."""\n'


def _task(language: Language = "python", entry: str = "count_words", completion: str = _START) -> Task:
    case = Case(args=("a",), expected=1)
    return Task(
        id="t", title="T", language=language, tier=0, topic="t", prompt="p", reference="r",
        entry_point=entry, completion=completion, cases=(case,),
    )  # fmt: skip


def _defined(code: str, name: str = "count_words") -> Callable[..., object]:
    scope: dict[str, Any] = {"__name__": __name__}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, "answer", "exec", dont_inherit=True), scope)  # our own texts
    found: Callable[..., object] = scope[name]
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_a_right_answer_is_found_in_its_shape(shape: str) -> None:
    found = extract(SHAPES[shape], _task(), stop="end")
    assert found.outcome is None, found.how
    assert _defined(found.code)("a b  c") == 3, found.code
    assert found.how.endswith(".")
    assert "\n" not in found.how


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_taken_is_taken_again_the_same(shape: str) -> None:
    once = extract(SHAPES[shape], _task(), stop="end").code
    assert extract(once, _task(), stop="end").code.strip() == once.strip()


def test_what_the_prompt_gave_is_added_when_the_answer_needs_it() -> None:
    start = "from typing import List\n\n\ndef helper(x):\n    return x + 1\n\n\ndef f(xs: List[int]) -> int:\n    '''Add.'''\n"
    answer = fence("def f(xs: List[int]) -> int:\n    return sum(map(helper, xs))\n")
    found = extract(answer, _task(entry="f", completion=f"```python\n{start}"), stop="end")
    assert _defined(found.code, "f")([1, 2]) == 5
    own = fence("def helper(x):\n    return 10\n\n\ndef f(xs):\n    return sum(map(helper, xs))\n")
    found = extract(own, _task(entry="f", completion=f"```python\n{start}"), stop="end")
    assert _defined(found.code, "f")([1, 2]) == 20


@pytest.mark.parametrize(
    ("after", "closed"),
    [
        ("", False),
        ("\n\ndef other(x):\n    return x\n", False),
        ("\nprint(count_words('a'))\nprint(", False),
        ("\nif __name__ == '__main__':\n    count_words(1", False),
        ("\n\ndef count_words(text):\n    return 0\n", False),
        ("```\n\nIt is used so:\n\n```python\ndef count_words(text):\n    return 0\n```", True),
    ],
)
def test_a_base_model_is_followed_to_the_end_of_its_function(after: str, closed: bool) -> None:
    del closed
    found = extract(BODY + after, _task(), stop="length", prefix=_START[_START.index("```") :])
    assert found.outcome is None, found.how
    assert _defined(found.code)("a b  c") == 3
    assert "other" not in found.code


@pytest.mark.parametrize(
    "behind",
    [
        "\n    # Now it is used.\n    print(count_words('a'))\n    count_words('a",
        '\n    """\n    count_words("a")\n    ',
        "\n    print(text\n\n    print(",
        "\n    if text:\n        print('a')\n    el",
    ],
)
@pytest.mark.parametrize("stop", ["length", "end"])
def test_what_a_base_model_writes_behind_a_plain_return_is_no_part_of_its_function(
    behind: str, stop: str
) -> None:
    found = extract(BODY + behind, _task(), stop=stop, prefix=_START[_START.index("```") :])
    assert found.outcome is None, found.how
    assert _defined(found.code)("a b  c") == 3


@pytest.mark.parametrize(
    "body",
    [
        "    if not text:\n        return 0\n    else:\n        return len(text.split())\n",
        "    with memory() as m:\n        return len(text.split())\n",
    ],
)
def test_a_function_that_returns_on_every_way_is_whole(body: str) -> None:
    found = extract(body, _task(), stop="length", prefix=_START[_START.index("```") :])
    assert found.outcome is None, found.how
    found = extract(f"```python\ndef count_words(text):\n{body}", _task(), stop="length")
    assert found.outcome is None, found.how


@pytest.mark.parametrize(
    "body",
    ["    for c in text:\n        return 0\n", "    if text:\n        return 0\n", "    return len(\n"],
)
def test_a_function_that_may_go_on_is_cut_off(body: str) -> None:
    found = extract(body, _task(), stop="length", prefix=_START[_START.index("```") :])
    assert found.outcome is Outcome.CUT_OFF, found.how


def test_a_docstring_that_speaks_of_returning_is_no_return() -> None:
    start = '```python\ndef count_words(text):\n    """Counts the words and\n    returns\n    return it.\n    """\n'
    found = extract(
        "    if text:\n        print('a')\n    words = text.split(", _task(), stop="length", prefix=start
    )
    assert found.outcome is Outcome.CUT_OFF, found.how


def test_a_broken_function_with_something_behind_it_is_not_cut_off() -> None:
    answer = "    print(text))\n    return 1\n\n\ndef other(text):\n    pass\n    pa"
    found = extract(answer, _task(), stop="length", prefix=_START[_START.index("```") :])
    assert found.outcome is None, found.how
    assert "print(text))" in found.code
    assert "other" not in found.code


def test_a_prefix_is_not_put_in_front_twice() -> None:
    prefix = _START[_START.index("```") :]
    once = extract(BODY, _task(), stop="stop", prefix=prefix)
    assert extract(prefix + BODY, _task(), stop="stop", prefix=prefix) == once
    assert once.code.count("def count_words") == 1


def test_a_base_models_helper_is_kept() -> None:
    answer = "    return len(words(text))\n\n\ndef words(text):\n    return text.split()\n\n\nprint(1)\n"
    found = extract(answer, _task(), stop="length", prefix=_START[_START.index("```") :])
    assert _defined(found.code)("a b  c") == 3
    assert "print" not in found.code


@pytest.mark.parametrize(
    ("answer", "stop", "reasoning", "outcome"),
    [
        ("", "end", "", Outcome.NO_CODE),
        ("", "length", "I think about", Outcome.THINKING),
        ("<think>Let me see, ```python\ndef count_words(t)", "length", "", Outcome.THINKING),
        ("<|channel|>analysis<|message|>Let me", "context", "", Outcome.THINKING),
        ("<think>done</think>", "end", "", Outcome.NO_CODE),
        ("", "end", "I am done", Outcome.NO_CODE),
        ("I'm sorry, but I can't help with that.", "end", "", Outcome.REFUSED),
        ("As an AI language model I cannot write code.", "end", "", Outcome.REFUSED),
        ("Splitting the text gives its words.", "end", "", Outcome.NO_CODE),
        ("First we have to think about", "length", "", Outcome.CUT_OFF),
        ("```python\ndef count_words(text):\n    words = text.spl", "length", "", Outcome.CUT_OFF),
        ("```python\ndef count_words(text):\n    words = []\n", "context", "", Outcome.CUT_OFF),
        ("def count_words(text):\n    words = text.spl(", "length", "", Outcome.CUT_OFF),
        ("```\n3\n```\n", "end", "", Outcome.NO_CODE),
        ("1\n2\n3\n", "end", "", Outcome.NO_CODE),
    ],
)
def test_no_program_has_a_word_of_its_own(answer: str, stop: str, reasoning: str, outcome: Outcome) -> None:
    found = extract(answer, _task(), stop=stop, reasoning=reasoning)
    assert found.outcome is outcome, found


@pytest.mark.parametrize(
    "answer",
    [
        fence("def count_words(text):\n    return len(text.split()\n"),
        fence("def wordCount(text):\n    return len(text.split())\n"),
        fence(WRONG),
        f"I'm sorry for the mistake.\n{fence(WRONG)}",
    ],
)
def test_wrong_code_is_code_and_goes_to_the_judge(answer: str) -> None:
    found = extract(answer, _task(), stop="end")
    assert found.outcome is None
    assert "def" in found.code


def test_a_whole_function_before_the_limit_counts() -> None:
    found = extract(f"```python\n{F}\n\nprint(count_words('a b'", _task(), stop="length")
    assert found.outcome is None
    assert _defined(found.code)("a b  c") == 3


_JS = "function total(xs) {\n  // adds } up\n  return xs.reduce((a, b) => a + b, 0);\n}\n"


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (fence(_JS, "javascript"), _JS),
        (f"{fence('function total() {}', 'js')}\nBetter:\n{fence(_JS, 'js')}", _JS),
        (fence("const total = (xs) => xs.length;\n", "js"), "const total = (xs) => xs.length;\n"),
        (fence(f"export {_JS}", "mjs"), _JS),
        (f"{fence(_JS, 'javascript')}\n{fence('console.log(total([1]))', 'javascript')}", _JS),
        (f"Sure!\n\n{_JS}\nIt adds.", _JS),
        (
            f"{fence('const one = 1;', 'js')}\n{fence('function total(xs) { return one; }', 'js')}",
            "const one = 1;\n\nfunction total(xs) { return one; }\n",
        ),
    ],
)
def test_javascript(answer: str, wanted: str) -> None:
    found = extract(answer, _task("javascript", "total", ""), stop="end")
    assert found.outcome is None
    assert found.code.split() == wanted.split()


def test_javascript_of_a_base_model_ends_with_its_brace() -> None:
    start = "```javascript\nfunction total(xs) {\n"
    answer = "  return `${xs}}`.replace(/[}/]/g, '}');\n}\n\nfunction next() {\n  retu"
    found = extract(answer, _task("javascript", "total", start), stop="length", prefix=start)
    assert found.outcome is None
    assert found.code.rstrip().endswith("'}');\n}")
    cut = extract(
        "  for (const x of xs) {\n", _task("javascript", "total", start), stop="length", prefix=start
    )
    assert cut.outcome is Outcome.CUT_OFF


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (fence("SELECT 1;\n", "sql"), "SELECT 1;\n"),
        (fence("CREATE TABLE t(a);\nINSERT INTO t VALUES(';');\nSELECT a FROM t;\n", "sql"), "SELECT a FROM t;\n"),
        (f"{fence('SELECT 1', 'sql')}\nor\n{fence('WITH x AS (SELECT 2) SELECT * FROM x', 'sqlite')}",
         "WITH x AS (SELECT 2) SELECT * FROM x\n"),
        ("The query is:\n\nSELECT a\nFROM t;\n\nIt selects.", "SELECT a\nFROM t;\n"),
        (f"{fence('SELECT 1', 'sql')}\nOutput:\n```\n| 1 |\n```", "SELECT 1\n"),
        (fence("-- all of them; really\nselect a from t", ""), "-- all of them; really\nselect a from t\n"),
    ],
)  # fmt: skip
def test_sql(answer: str, wanted: str) -> None:
    found = extract(answer, _task("sql", "", ""), stop="end")
    assert found.outcome is None
    assert found.code == wanted


def test_sql_of_a_base_model_is_its_first_statement() -> None:
    start = "```sql\n-- All names.\nSELECT"
    found = extract(" name FROM t;\nSELECT 2;\nSELECT", _task("sql", "", start), stop="length", prefix=start)
    assert found.code == "-- All names.\nSELECT name FROM t;\n"
    assert found.outcome is None


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (fence("wc -l < data.txt\n", "bash"), "wc -l < data.txt\n"),
        (f"{fence('#!/bin/bash' + chr(10) + 'wc -l < a', 'bash')}\nRun it:\n{fence('chmod +x a.sh' + chr(10) + './a.sh', 'bash')}",
         "#!/bin/bash\nwc -l < a\n"),
        (fence("cat > a.sh << 'EOF'\n#!/bin/bash\necho 1\nEOF\nchmod +x a.sh\n", "sh"), "#!/bin/bash\necho 1\n"),
        (fence("$ wc -l data.txt\n3\n", "console"), "wc -l data.txt\n"),
        ("#!/usr/bin/env bash\necho 1\n", "#!/usr/bin/env bash\necho 1\n"),
        (f"{fence('echo 1', 'bash')}\nOutput:\n```\n1\n```", "echo 1\n"),
    ],
)  # fmt: skip
def test_bash(answer: str, wanted: str) -> None:
    found = extract(answer, _task("bash", "", ""), stop="end")
    assert found.outcome is None
    assert found.code == wanted


_PIECES = st.sampled_from(
    ["```", "```python\n", "~~~\n", "````", "\n", "def count_words(text):\n", BODY, F, "<think>", "</think>", '"""', "'", "{",
     "}", "(", ">>> ", "> ", "- ", "    ", "return 1\n", "print(1)\n", "class A:\n", "@x\n", "\x00", "\x1b[1m", "SELECT 1;", "/*",
     "function count_words(", "`", "//", "#!", "cat > a.sh << EOF\n", "<|channel|>", "else:\n", "1. ", "\\", "<pre>", "lambda: 0"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_PIECES | st.text(max_size=8), max_size=40).map("".join),
    st.sampled_from(("python", "javascript", "sql", "bash")),
    st.sampled_from(("end", "length")),
    st.sampled_from(("", _START[_START.index("```") :])),
)
def test_nothing_that_a_model_says_breaks_it(answer: str, language: Language, stop: str, prefix: str) -> None:
    found = extract(answer, _task(language), stop=stop, prefix=prefix)
    assert found.how
    assert found.outcome is not None or found.code.strip() or prefix


_LONG = {
    "lines of code": "x = 1\n",
    "openings": "```python\n",
    "closings": "```\n",
    "blocks": "```python\ndef count_words(t): return 1\n```\n",
    "docstrings": '```python\n"""\n```\n',
    "thoughts": "<think>",
    "line ends": "\n",
    "blanks": "   ",
    "ticks": "`",
    "backslashes": "\\",
    "comments": "/*",
    "texts": "'\"",
    "brackets": "([{",
    "expressions": "/[",
    "tags": "<pre>",
    "definitions": "def count_words(",
    "functions": "function total(",
    "escapes": "\x1b[",
    "queries": "SELECT ",
    "one letter": "a",
}


@pytest.mark.parametrize("language", ["python", "javascript", "sql", "bash"])
@pytest.mark.parametrize("kind", _LONG)
def test_ten_times_the_text_takes_about_ten_times_as_long(kind: str, language: Language) -> None:
    def seconds(size: int) -> float:
        text = _LONG[kind] * (size // len(_LONG[kind]))
        answers = (text, f"```{language}\n{text}", f"{text}\n```{language}\n1\n```")
        began = time.process_time()
        for answer in answers:
            extract(answer, _task(language, "total"), stop="end")
        return time.process_time() - began

    small, large = seconds(10_000), seconds(100_000)
    assert large < 40 * max(small, 0.01)
