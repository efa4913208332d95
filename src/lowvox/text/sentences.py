"""Text of any size to sentences that a voice can speak one by one, in flat memory.

sentencex finds the sentence ends; the rules here undo the ones it finds wrongly. A wrong end is heard (the voice falls
and stops), a missed one hardly, so every rule joins. A sentence is given away as soon as the word after it is whole:
what comes out does not depend on how the text was cut into chunks. Knows nothing of voices or files.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CAP = 400  # characters: about 25 seconds of speech

_BLOCK = 4096
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
# Chinese and Japanese put no space between sentences, so a word also ends behind these.
_WIDE = "。！？｡」』）】"
_PART = re.compile(rf"\s+|[{_WIDE}]+|[^\s{_WIDE}]+")
_ITEM = re.compile(r"[-*•]|(\d{1,2})[.)]")
# Where an overlong sentence is cut, best place first: a sentence end that the rules joined, a clause, a word.
_CUTS = tuple(
    re.compile(rf".*(?:{mark})", re.DOTALL) for mark in (r"[.!?…]\W*\s", r"[;:,—–،؛]\W*\s|[、，；：](?=.)", r"\s")
)

_ENUMERATOR = re.compile(r"(?:^|[:;!?…]\s)[^\w\s]*(?:\d{1,3}|[^\W\d_]|[IVXLC]+)[.)]$")
_ORDINAL = re.compile(r"(?:^|[\s(–-])(?:\d{1,3}|\d{1,3}(?:\.\d{3})+)\.$")

# What sentencex misses, without the last full stop and in lower case. Only what never ends a sentence.
_ABBREVIATIONS = {
    language: frozenset(words.split())
    for language, words in {
        "en": "figs vol approx ms ft ch eq mx bp tel e g dr mr mrs prof",
        "de": "frl ew abb abs abt bsp kap tab tel inkl exkl geb tsd hrsg hg dipl gem ziff zzgl abzgl kfm kgl gebr phil "
        "jur rer nat anm dt engl frz österr ehem mind allg bes insb hl",
        "es": "dña dres profa avd cía núms nro aprox cnel tte sgto alm pbro fr mons ilmo mr mrs mme mlle st depto hno "
        "ctra i e g op rvdo rev a d p",
        "ru": "корп рис табл ср им е др пл наб р пос обл коп г-н г-жа доц д-р инж ген полк кап св э ред изд англ нем "
        "фр лат греч рус напр дж ок макс зав зам нач пом прим упр вып бул урожд млн млрд шт",
        "vi": "ts ths pgs gs bs ks ls cn ds ncs ns nsnd nsưt kts tp tx tt đt tel đh đhqg thpt ubnd ms tr vd tskh cty "
        "tk ng nxb gđ pgđ tg lm gm đc tgm đhy tl sđt ô",
    }.items()
}
# After a German number with a full stop these begin a new sentence; anything else is what the ordinal counts.
_GERMAN_START = re.compile(
    r"(?:der|die|das|den|dem|eine?n?|er|sie|es|wir|ich|ihr|man|und|aber|doch|oder|dann|da|danach|dort|hier|jetzt|heute|in|im"
    r"|am|an|auf|aus|bei|mit|nach|seit|von|vor|zum?|wie|was|wer|wo|warum|wenn|als|so|nun|auch|nur|noch|nicht)\b",
    re.IGNORECASE,
)


def sentences(chunks: Iterable[str], language: str, cap: int = CAP) -> Iterator[str]:
    """Yield the sentences of a text that comes in chunks of any size, each of at most `cap` characters, CAP at most.

    A blank line and the start of a list item end a sentence, any other line break is a space. Control characters and
    lone surrogates are dropped; nothing else is lost or changed.
    """
    language = language.replace("_", "-").partition("-")[0].lower()
    held = ""
    for word in _words(chunks):
        if held and (not word or _ends(held, word, language)):
            yield held.rstrip()
            held = ""
        held += word
        while len(held.rstrip()) > cap:
            cut = _cut(held, cap)
            yield held[:cut].rstrip()
            held = held[cut:].lstrip()
    if held:
        yield held.rstrip()


def _words(chunks: Iterable[str]) -> Iterator[str]:
    """Yield each word once it is whole, with one space behind it if any stood there; "" where a sentence must end."""
    word, lines, number = "", 0, 0
    for part in _parts(chunks):
        if part.isspace():
            if word:
                item = _ITEM.fullmatch(word) if lines else None
                if item and int(item[1] or 0) in (0, 1, number + 1):
                    number = int(item[1] or 0) or number
                    yield ""
                yield word + " "
                word, lines = "", 0
            lines += part.count("\n")
            if lines > 1:
                yield ""
            continue
        if word and word[-1] in _WIDE and part[0] not in _WIDE:
            yield word
            word, lines = "", 0
        word += part
        while len(word) > CAP:
            yield word[:CAP]
            word, lines = word[CAP:], 0
    if word:
        yield word


def _parts(chunks: Iterable[str]) -> Iterator[str]:
    """Yield runs of white space and pieces of words, none longer than a block."""
    for chunk in chunks:
        for start in range(0, len(chunk), _BLOCK):
            yield from _PART.findall(_UNSPEAKABLE.sub("", chunk[start : start + _BLOCK]))


def _ends(held: str, word: str, language: str) -> bool:
    """Whether a sentence ends between `held` and the word after it."""
    left = held.rstrip()
    if left[-1].isalnum() or _belongs(left, word, language):
        return False
    from sentencex import segment

    return len(held) in accumulate(map(len, segment(language, held + word)))


def _belongs(left: str, word: str, language: str) -> bool:
    """Whether `word` goes on the sentence, whatever sentencex thinks of the punctuation before it."""
    first = next((character for character in word if character.isalnum()), "")
    # Georgian letters call themselves lower case; only a letter that has a capital and does not use it tells something.
    if not first or word[0] in ".,;:!?…)]}%" or first != first.title():
        return True
    if _ENUMERATOR.search(left[-12:]):
        return True
    return left[-1] == "." and _abbreviated(left, word, language)


def _abbreviated(left: str, word: str, language: str) -> bool:
    """Whether the full stop is that of an abbreviation, an initial, a reference (`p. 12`) or a German ordinal."""
    if language == "de" and _ORDINAL.search(left[-16:]):
        return not _GERMAN_START.match(word)
    last = re.split(r"[^\w-]+", unicodedata.normalize("NFC", left[-24:-1]))[-1]
    if last.isdigit():
        return False
    if len(last) == 1 and last.isupper():
        return True
    if 0 < len(last) <= 4 and word[0].isdigit() and not word.endswith(". "):  # which would be the next item of a list
        return True
    return last.lower() in _ABBREVIATIONS.get(language, ())


def _cut(held: str, cap: int) -> int:
    """Return where to cut what is longer: behind punctuation in the second half, else at a space, else at `cap`."""
    for place in _CUTS:
        found = place.match(held, 0, cap + 1)
        if found and found.end() > cap // 2:
            return found.end()
    return cap
