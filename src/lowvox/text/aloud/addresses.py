"""E-mail and web addresses, file names, hashtags and the names of users. Knows no numbers but to hand them on."""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule

_NAME = r"[^\W_](?:[\w-]{0,62}[^\W_])?"
_DOMAINS = (
    "com|org|net|edu|gov|info|biz|io|dev|app|ai|tv|me|co|uk|us|ca|au|de|at|ch|es|mx|ar|ru|su|by|ua|рф|vn|eu|fr|it|nl|pl"
    "|jp|cn|kr|br|in|se|no|dk|fi|cz|pt"
)
_FILES = "txt|pdf|md|py|doc|docx|xls|xlsx|csv|html|htm|xml|json|jpg|jpeg|png|gif|zip|exe|mp|csv|js|css|ini|log"
_SPELLED = re.compile(
    r"(?:uk|us|ca|au|ch|mx|ar|ru|su|by|ua|vn|fr|nl|jp|cn|kr|br|dk|fi|cz|pt|txt|pdf|md|py|doc|xls|csv|html?)$"
)
_MARKS = {
    ".": "dot",
    "-": "dash",
    "_": "underscore",
    "/": "slash",
    "@": "at",
    "?": "question",
    "=": "equals",
    "+": "plus",
    "&": "and",
    "~": "tilde",
    ":": "colon",
    "#": "hashtag",
    "%": "percent",
}


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for addresses, in order."""
    path = r"(?:(?::\d{1,5})?/[\w./?=&%#~:+@-]{0,300}[\w/]|/)?"
    say = partial(_address, grammar)
    return (
        (
            re.compile(rf"(<?)(?:mailto:)?(?<![\w.+-])([\w.+-]{{1,64}}@(?:{_NAME}\.){{1,6}}[^\W\d_]{{2,12}})(>?)"),
            partial(_mail, grammar),
        ),
        (re.compile(rf"(?<!\w)(?:https?|ftp)://([\w.-]{{1,200}}{path})"), partial(_web, grammar)),
        (re.compile(rf"(?i)(?<![\w.@/-])((?:{_NAME}\.){{1,6}}(?:{_DOMAINS}))\b({path})(?![\w@])"), say),
        (re.compile(rf"(?<![\w.@/-])({_NAME}\.(?:{_FILES}))()\b(?!\.\w)"), say),
        (re.compile(r"(?<!\w)#(\d+)\b"), partial(_numbered, grammar)),
        (re.compile(r"(?<!\w)#(\w{1,100})"), partial(_tag, grammar)),
        (re.compile(r"(?<!\w)@(\w{1,60})"), partial(_user, grammar)),
        (re.compile(r"(?<!\w)([A-ZА-Я])#(?!\w)"), lambda found: f"{grammar.letter(found[1])} {grammar.words['sharp']}"),
    )


def _mail(grammar: Grammar, found: re.Match[str]) -> str:
    return _read(grammar, found[2]) + (">" if found[3] and not found[1] else "")


def _web(grammar: Grammar, found: re.Match[str]) -> str:
    return _read(grammar, found[1])


def _address(grammar: Grammar, found: re.Match[str]) -> str:
    """Say what has no scheme; initials and abbreviations with full stops are no address."""
    if re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]{1,2}", found[1]) or (found[1][0].isdigit() and found[1][-1].isdigit()):
        return found[0]
    if re.search(r"\.[A-ZА-Я][a-zа-я]", found[1]):  # the full stop of a sentence with no space behind it
        return found[0]
    return _read(grammar, found[1] + found[2])


def _numbered(grammar: Grammar, found: re.Match[str]) -> str:
    return f"{grammar.words['number']} {grammar.plain(found[1])}"


def _tag(grammar: Grammar, found: re.Match[str]) -> str:
    """Say a hashtag word by word, where capitals or underscores part them."""
    words = re.findall(r"\d+|[^\W\d_]+", found[1])
    said = [grammar.plain(word) if word.isdecimal() else _parted(grammar, word) for word in words]
    return " ".join([grammar.words["hashtag"], *said])


def _parted(grammar: Grammar, word: str) -> str:
    """Return a word of a hashtag, parted where a capital follows a small letter; a letter alone by its name."""
    if len(word) == 1:
        return grammar.letter(word)
    return word[0] + "".join(" " * (one.islower() and other.isupper()) + other for one, other in pairwise(word))


def _user(grammar: Grammar, found: re.Match[str]) -> str:
    return f"{grammar.words['at']} {_read(grammar, found[1])}"


def _read(grammar: Grammar, address: str) -> str:
    """Return an address in words: marks by their names, letters that stand alone or are no word one by one."""
    address = address.lower() if address.isupper() else address
    parts = re.findall(r"\d+|[^\W\d_]+|[^\w\s]|_", address.strip())
    said = [_part(grammar, part, last=at == len(parts) - 1) for at, part in enumerate(parts)]
    return " ".join(filter(None, said))


def _part(grammar: Grammar, part: str, *, last: bool) -> str:
    if part.isdecimal():
        return grammar.plain(part)
    if not part.isalpha():
        return grammar.words.get(_MARKS.get(part, ""), "")
    if part in grammar.tables.endings:
        return grammar.tables.endings[part]
    if part == "www" or (grammar.code != "ru" and last and _SPELLED.match(part.lower())):
        return " ".join(map(grammar.letter, part)) if grammar.code != "ru" else "W W W"
    return grammar.letter(part) if len(part) == 1 and part.upper() in grammar.tables.letters else part
