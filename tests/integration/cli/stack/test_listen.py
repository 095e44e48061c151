"""`oet listen`, as section 3.1.1 of the documentation shows it, and what it is beyond that."""

import json
import re
import signal
from contextlib import closing

from tests.support.oet_command import OetCommand, OetInProcess, table_rows
from tests.support.oet_stack import OetStack, sidecar
from tests.support.patience import PATIENCE

from ska_oso_oet.cli.connection import HttpSession
from ska_oso_oet.cli.stream import HttpEventStream, Received

EVENTBUS = """
def init(subarray_id=1):
    pass

def main():
    pass
"""


def test_section_3_1_1_listen(place: OetStack, oet: OetCommand, invoke: OetInProcess) -> None:
    (place.scripts / "eventbus.py").write_text(EVENTBUS)
    created = invoke("procedure", "create", "file://eventbus.py")
    pid = table_rows(created.stdout)[1][0]
    with oet.running("listen", "--since=0", "--long") as listening:
        assert listening.stdout is not None
        shown = ""
        while f"'msg_src': '{pid}', 'new_state': 'READY'" not in shown:
            line = listening.stdout.readline()
            assert line, listening.communicate()
            shown += line
        listening.send_signal(signal.SIGINT)
        _, stderr = listening.communicate(timeout=PATIENCE)
    assert (listening.returncode, stderr.strip()) == (0, "")
    blocks = [block.split("\n") for block in shown.split("\n\n")]
    events = {event.removeprefix("event: "): data for event, data, *_ in blocks if "eventbus.py" in data}
    assert re.fullmatch(
        r"data: args=\(\) kwargs=\{'msg_src': '\w+', 'request_id': [\d.]+, "
        r"'cmd': PrepareProcessCommand\(script_uri='file://eventbus.py', "
        r"init_args=<ProcedureInput\(\)>\)\} seq=\d+ time='[-\d]+ [:.\d]+'",
        events["request.procedure.create"],
    )
    assert re.fullmatch(
        r"data: args=\(\) kwargs=\{'msg_src': '\w+', 'request_id': [\d.]+, "
        r"'result': ProcedureSummary\(id=\d+, script_uri='file://eventbus.py', "
        r"script_args=\{'init': <ProcedureInput\(\)>\}, "
        r"history=<ProcessHistory\(process_states=\[\(ProcedureState\.CREATING, [\d.]+\)\], "
        r"stacktrace=None\)>, state=<ProcedureState\.CREATING>\)\} seq=\d+ time='[-\d]+ [:.\d]+'",
        events["procedure.lifecycle.created"],
    )


def test_topic_and_since_choose(place: OetStack, oet: OetCommand, invoke: OetInProcess) -> None:
    create = invoke("procedure", "create", place.uri("burst"), "--json").stdout
    pid = str(json.loads(create)["procedure"]["id"])
    followed = invoke("procedure", "start", "3", "--json").stdout.splitlines()[1:]
    second = [json.loads(line)["seq"] for line in followed if "message 1" in line]
    with oet.running("listen", "--topic=user.script", f"--since={second[0]}", "--json") as listening:
        assert listening.stdout is not None
        event = json.loads(listening.stdout.readline())
    assert (event["topic"], event["msg"], event["msg_src"]) == ("user.script.announce", "message 2 ", pid)


def test_what_happens_while_the_service_is_away_is_told_though_nothing_was_told_before(
    place: OetStack, invoke: OetInProcess
) -> None:
    reports: list[str] = []
    with (
        sidecar(place.tango_host) as rest,
        closing(HttpSession(rest.url)) as http,
        HttpEventStream(http, after=None, report=reports.append) as stream,
    ):
        port = str(rest.port)
        rest.process.kill()
        invoke("procedure", "create", place.uri("hold"))
        with sidecar(place.tango_host, "--port", port):
            first = next(item for item in stream if isinstance(item, Received))
    assert first.event.topic == "request.procedure.create"
    assert reports[1] == "The stream of events is back, nothing was missed"


def test_it_shows_that_somebody_lists_procedures(
    place: OetStack, oet: OetCommand, invoke: OetInProcess
) -> None:
    invoke("procedure", "create", place.uri("burst"))
    with oet.running("listen", "--since=0", "--long") as listening:
        assert listening.stdout is not None
        assert listening.stdout.readline()  # the stream is open
        invoke("procedure", "list")
        while (line := listening.stdout.readline()) != "event: request.procedure.list\n":
            assert line
        data = listening.stdout.readline()
        listening.send_signal(signal.SIGINT)
        listening.communicate(timeout=PATIENCE)
    assert re.fullmatch(
        r"data: args=\(\) kwargs=\{'msg_src': '\w+', 'request_id': [\d.]+, 'pids': None\} "
        r"time='[-\d]+ [:.\d]+'\n",
        data,
    )
