"""Registration of a tree of topics with pypubsub."""

from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from pubsub import pub

OPTIONAL: dict[str, dict[str, Any]] = {
    "scan.lifecycle.start": {"scan_id": None},
    "user.script.refused": {"size": None, "limit": None},
}
"""Fields that a message may be sent without, by topic, and their defaults."""


def register(tree: ModuleType, optional: Mapping[str, Mapping[str, Any]]) -> None:
    """Create the topics of a tree, and allow their messages to be sent without some of their data.

    pypubsub refuses a listener whose parameter is required where the topic's is not. So nearly all data are
    required of a message; what the sender may omit is added here when the message is sent. That is
    ``msg_src`` for all topics.

    :param tree: module whose classes are the topics
    :param optional: what else may be omitted: by topic, the data and their defaults
    """
    pub.addTopicDefnProvider(tree, pub.TOPIC_TREE_FROM_CLASS)
    topics = pub.getDefaultTopicMgr()
    for name, definition in definitions(tree, tree.__name__):
        topic = topics.getOrCreateTopic(name)
        if hasattr(definition, "msgDataSpec"):
            topic.publish = partial(topic.publish, msg_src=None, **optional.get(name, {}))


def definitions(parent: object, module: str, prefix: str = "") -> Iterator[tuple[str, type]]:
    """Return the names and the classes of all topics below a module or a class, parents first.

    :param parent: the module or the class
    :param module: name of the module; the classes that count are those of its package
    :param prefix: what the names begin with
    """
    package = module.rpartition(".")[0]
    for name, value in vars(parent).items():
        if isinstance(value, type) and value.__module__.rpartition(".")[0] == package:
            yield prefix + name, value
            yield from definitions(value, module, f"{prefix}{name}.")
