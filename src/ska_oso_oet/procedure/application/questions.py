"""Questions of scripts: their events, and their documents."""

import time

from ska_oso_oet.event.bus import Announcement, EventBus
from ska_oso_oet.event.summaries import Conclusion, SummaryStore
from ska_oso_oet.model import Question, QuestionState

QUESTION_KIND = "question"
"""Kind of the documents that hold questions."""

_TOPICS = {
    QuestionState.OPEN: "procedure.question.asked",
    QuestionState.ANSWERED: "procedure.question.answered",
    QuestionState.EXPIRED: "procedure.question.expired",
    QuestionState.WITHDRAWN: "procedure.question.withdrawn",
}


def question_event(question: Question) -> Announcement:
    """Return the event that a question is in its state."""
    fields = {"question": question.model_dump(mode="json")}
    return Announcement(_TOPICS[question.state], str(question.procedure_id), fields)


def question_store(bus: EventBus, history_length: int) -> SummaryStore[Question]:
    """Return the questions of all scripts. Those that were open when a previous server died are withdrawn.

    :param bus: where they are published
    :param history_length: how many that have ended are kept in memory
    """

    def conclude(question: Question) -> Conclusion[Question]:
        ended = question.entering(QuestionState.WITHDRAWN, time.time())
        return Conclusion(ended, [question_event(ended)])

    return SummaryStore(
        bus,
        QUESTION_KIND,
        read=Question.model_validate_json,
        conclude=conclude,
        history_length=history_length,
    )
