"""The suites that can be fetched from the Hub: where they lie, what they may weigh, what must be said about them."""

from __future__ import annotations

from typing import Literal

import msgspec

RowForm = Literal["humaneval", "mbpp", "lbpp"]
SUSPECT = "Probably in the training data of most models: a high score proves little."


class RemoteSuite(msgspec.Struct, frozen=True):
    """One suite on the Hub: a single data file. ``sha256``: of that file at ``revision``; empty where only the Hub says it."""

    id: str
    title: str
    version: str
    tasks: int
    licence: str
    repo: str
    path: str
    form: RowForm
    description: str
    caution: str = ""
    revision: str = "main"
    sha256: str = ""
    size_bytes: int = 0


REMOTE: dict[str, RemoteSuite] = {
    suite.id: suite
    for suite in (
        RemoteSuite(
            id="humaneval+",
            title="HumanEval+",
            version="0.1.10",
            tasks=164,
            licence="Apache-2.0",
            repo="evalplus/humanevalplus",
            path="data/test-00000-of-00001-5973903632b82d40.parquet",
            form="humaneval",
            description="HumanEval's 164 functions with about 80 times as many tests.",
            caution=SUSPECT,
        ),
        RemoteSuite(
            id="mbpp+",
            title="MBPP+",
            version="0.2.0",
            tasks=378,
            licence="Apache-2.0",
            repo="evalplus/mbppplus",
            path="data/test-00000-of-00001-d5781c9c51e02795.parquet",
            form="mbpp",
            description="378 short Python tasks with about 35 times as many tests as MBPP.",
            caution=SUSPECT,
            revision="b2d74c91837c3f2a20c1299ae98133cbe7cfa077",
            sha256="dc20030b3788fccf617444edcb34138ef13d7e4fafd17bfcb8c1279dbb12399b",
            size_bytes=1_129_135,
        ),
        RemoteSuite(
            id="lbpp",
            title="LBPP",
            version="2",
            tasks=161,
            licence="Apache-2.0",
            repo="CohereLabs/lbpp",
            path="python/test.parquet",
            form="lbpp",
            description="Less Basic Python Problems, written in 2024 so as not to be in training data then.",
            caution="Public since July 2024: newer models may have seen it.",
        ),
    )
}
