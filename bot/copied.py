"""Names as people type or copy them, read through what phones, marks and Slack make of them (pure)."""

import re

# A pattern, or a list: where one name is due.
SEVERAL = re.compile(r"[*?\[,]")
# Phones turn -- into a long dash and straight quotes into curly ones.
DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
MARKS = "\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def unmarked(text: str) -> str:
    """A name as it is, whatever it was quoted with: messages show names in marks, and people copy them."""
    for entity, letter in ENTITIES:
        text = text.replace(entity, letter)
    return text.translate(DASHES).strip(MARKS + ", ")
