"""Topics outside of the OET: in any Python that imports them, and for type checkers."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.patience import PATIENCE

SCRIPT = """
from pubsub import pub
from ska_oso_oet.event import topics

def on_message(msg_src: str, msg: str) -> None: ...

pub.subscribe(on_message, topics.user.script.announce)
pub.subscribe(print, topics.scan.lifecycle)
pub.sendMessage(topics.user.script.announce, msg="hello")
pub.sendMessage(topics.sb.lifecycle.observation.finished.succeeded, sb_id="sb-1")
topics.user.script.announce.msgDataSpec("me", msg="hello")
"""


def check(path: Path, text: str) -> str:
    """Return what mypy says of a script."""
    path.write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(path.parent)]
    ended = subprocess.run(
        [*command, str(path)], capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=path.parent
    )
    return ended.stdout


def test_a_script_with_topics_passes(tmp_path: Path) -> None:
    assert "Success" in check(tmp_path / "script.py", SCRIPT)


def test_a_misspelt_topic_is_found(tmp_path: Path) -> None:
    said = check(tmp_path / "script.py", SCRIPT.replace("lifecycle.observation", "lifecycle.observe"))
    assert 'no attribute "observe"' in said or 'has no attribute "observe"' in said


@pytest.mark.parametrize("package", ["ska_oso_oet.event", "ska_oso_oet.event.topics"])
def test_topics_work_in_any_python_that_imports_them(package: str) -> None:
    program = (
        "from pubsub import pub\n"
        f"import {package}\n"
        "def listener(msg_src, subarray_id, error): print(msg_src, subarray_id, error)\n"
        "pub.subscribe(listener, ska_oso_oet.event.topics.subarray.fault)\n"
        "pub.sendMessage('subarray.fault', subarray_id=3, error='no answer')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("None 3 no answer\n", "")
