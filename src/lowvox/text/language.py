"""Which language a text is in, of the five that can be punctuated, told by its letters and its smallest words.

No model and no table beyond this page: some words of each language are in nearly every sentence and in no other one.
How often that is right is measured by benchmarks/te.py. Text in a sixth language is taken for one of the five.
"""

from __future__ import annotations

import re
from collections import Counter

NAMES = {"en": "English", "de": "German", "es": "Spanish", "ru": "Russian", "vi": "Vietnamese"}
_SMALL = {
    "en": "the and of to that is was it he you for with his had not but at be this have are my she her they we what "
    "there been would which from i how do if your were their did will me who when",
    "de": "der die und das ist nicht ich sie ein zu den mit sich er auf eine dem von wie auch aber wenn wir es im "
    "noch nur war hat was du mir mich aus bei so nach an dass daß uns kann haben sind sein ihr",
    "es": "de la que el en y los se no un las por con una su para es al lo como más pero sus le ya o porque cuando "
    "muy sin sobre también me hasta hay donde está mi qué yo eso esta era todo si ha son del",
    "vi": "là của và có cho không được trong một những các người với này đã khi ở như về năm ra tôi từ để thì đến "
    "vào cũng làm nhưng bị phải nào rằng nếu anh em bạn",
}
_VOTES: dict[str, list[str]] = {}
for _code, _words in _SMALL.items():
    for _word in _words.split():
        _VOTES.setdefault(_word, []).append(_code)
_LETTERS = {
    "ru": re.compile(r"[а-яё]"),
    "vi": re.compile(r"[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]"),
    "de": re.compile(r"[äöüß]"),
    "es": re.compile(r"[ñ¿¡áéíóú]"),
}
_WORD = re.compile(r"\w+")


def detect(text: str) -> str | None:
    """Return en, de, es, ru or vi; None where nothing in the text tells."""
    votes: Counter[str] = Counter()
    for word in _WORD.findall(text.lower()):
        for code in _VOTES.get(word, ()):
            votes[code] += 2
        for code, letters in _LETTERS.items():
            if letters.search(word):
                votes[code] += 1
    return votes.most_common(1)[0][0] if votes else None
