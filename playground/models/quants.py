"""Names of GGUF file types, and tensor types with their sizes. Data from llama.cpp's llama.h and ggml.h."""

from __future__ import annotations

import re

# general.file_type -> usual name (llama.h, enum llama_ftype)
QUANT_NAMES: dict[int, str] = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0",
    37: "TQ2_0", 38: "MXFP4_MOE", 39: "NVFP4", 40: "Q1_0", 41: "Q2_0",
}  # fmt: skip

# What "make a smaller copy" offers, smallest first. Types that need an importance matrix are left out.
QUANTIZE_TYPES = (
    "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_0", "Q4_K_S", "Q4_K_M", "Q5_0", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0",
    "BF16", "F16",
)  # fmt: skip

# tensor type -> (bytes of a block, weights in a block) (ggml.c, type_traits)
TENSOR_BLOCKS: dict[int, tuple[int, int]] = {
    0: (4, 1), 1: (2, 1), 2: (18, 32), 3: (20, 32), 6: (22, 32), 7: (24, 32), 8: (34, 32), 9: (36, 32),
    10: (84, 256), 11: (110, 256), 12: (144, 256), 13: (176, 256), 14: (210, 256), 15: (292, 256),
    16: (66, 256), 17: (74, 256), 18: (98, 256), 19: (50, 256), 20: (18, 32), 21: (110, 256), 22: (82, 256),
    23: (136, 256), 24: (1, 1), 25: (2, 1), 26: (4, 1), 27: (8, 1), 28: (8, 1), 29: (56, 256), 30: (2, 1),
    34: (54, 256), 35: (66, 256), 39: (17, 32), 40: (36, 64), 41: (18, 128), 42: (18, 64),
}  # fmt: skip

_IN_NAME = re.compile(
    r"(?:^|[-._])((?:UD-)?I?Q\d_\w+?|I?Q\d_\d|B?F16|F32|MXFP4\w*|TQ\d_0)(?=[-.]|$)", re.IGNORECASE
)


def name_of(file_type: object, file_name: str) -> str:
    """Return the quantization's usual name, from the header's ``general.file_type`` or else the file's name.

    A name such as ``UD-Q4_K_XL`` says more than the header, which knows no such mixtures.
    """
    found = _IN_NAME.search(file_name)
    in_name = found[1].upper() if found else ""
    if in_name.startswith("UD-"):
        return in_name
    if isinstance(file_type, int) and file_type & 1023 in QUANT_NAMES:
        return QUANT_NAMES[file_type & 1023]
    return in_name or "unknown"
