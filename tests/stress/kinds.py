"""Scripts of a stress run: bad behaviour of all kinds, and normal behaviour."""

from tests.support.script_bench import script

_DETACH = """
def detach():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            wait()
        os._exit(0)
"""
_TALK = """
import time
from ska_oso_oet.interaction import ask, checkpoint
"""
_LINGER = "threading.Event().wait({seconds})"

KINDS: dict[str, str] = {
    "does nothing": script(),
    "prints and logs": script("for number in range(200):\n    print(number)\n    logging.info('%d', number)"),
    "publishes": script("for number in range(200):\n    say(number)"),
    "takes a while": script(_LINGER.format(seconds=0.1), init=_LINGER.format(seconds=0.02)),
    "takes long": script(_LINGER.format(seconds=1)),
    "never ends": script("say('up')\nwait()"),
    "is stuck in init": script(init="wait()"),
    "is stuck in loading": script(top="wait()"),
    "fails in loading": script(top="raise ValueError('loading')"),
    "fails in init": script(init="raise ValueError('init')"),
    "fails in main": script("raise ValueError('main')"),
    "exits": script("os._exit(3)"),
    "exits in init": script(init="os._exit(0)"),
    "is killed": script("os.kill(os.getpid(), signal.SIGKILL)"),
    "crashes": script("ctypes.string_at(0)"),
    "suspends itself": script("os.kill(os.getpid(), signal.SIGSTOP)"),
    "ignores SIGTERM": script("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwait()"),
    "catches everything": script(
        "while True:\n    try:\n        wait()\n    except BaseException:\n        pass"
    ),
    "closes descriptors": script("os.closerange(0, 256)\nwait()"),
    "detaches processes": script("detach()\ndetach()", init="detach()", top=_DETACH),
    "detaches and never ends": script("detach()\nwait()", top=_DETACH),
    "leaves threads": script("for _ in range(5):\n    threading.Thread(target=wait).start()"),
    "uses a pool": script(
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n    pool.map(abs, range(9))"
    ),
    "has checkpoints": script(
        "for number in range(1, 100):\n    checkpoint(f'scan {number}')\n    time.sleep(0.005)", top=_TALK
    ),
    "has nothing but checkpoints": script("while True:\n    checkpoint('again')", top=_TALK),
    "has checkpoints in init": script(
        "checkpoint('main')",
        init="for _ in range(20):\n    checkpoint('init')\n    time.sleep(0.005)",
        top=_TALK,
    ),
    "asks": script("ask('Go on?', default='yes', timeout=0.05)\nask('Really?')", top=_TALK),
    "asks in many threads": script(
        "for _ in range(5):\n    threading.Thread(target=ask, args=['Go on?'], daemon=True).start()\nwait()",
        top=_TALK,
    ),
    "floods its output": script("for _ in range(20):\n    os.write(1, b'x' * 79 + b'\\n' * 1000)"),
    "floods events": script("number = 0\nwhile True:\n    say(number)\n    number += 1"),
    "sends too much": script("say('x' * 2_000_000)\nsay(object())"),
    "leaves files": script("for number in range(50):\n    open(str(number), 'w').write('x' * 100)"),
}
"""Texts of scripts by what they do."""
