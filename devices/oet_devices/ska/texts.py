"""Texts that Tango can carry."""


def tango_text(text: str) -> str:
    """Return a text that a Tango string can contain.

    Tango strings are Latin-1 and end at the first zero byte; PyTango refuses other characters.

    :param text: any text
    :returns: the same, with a question mark in place of each character that cannot be sent
    """
    return text.replace("\0", "?").encode("latin-1", "replace").decode("latin-1")
