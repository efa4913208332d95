"""Sentences: hard cases in five languages, and that no word is lost however the text comes in."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lowvox.text.sentences import CAP, sentences

# A bar stands where a sentence must end; it is not part of the text.
CASES = {
    "en": [
        "Dr. Smith met Mrs. Jones and Prof. Lee at St. John's.| They left.",
        "It cost $3.50, or 1,200.75 yen.| Then it rose by 0.5.",
        "We met at 5:30 p.m. on Jan. 3 in Washington.| It rained.",
        "J. R. R. Tolkien wrote it.| C. S. Lewis read it.",
        '"Stop!" he said.| "Why?" she asked.',
        "“It works.”| He left.",
        "Well... maybe.| Wait...| No.",
        "See https://example.org/a.b?c=d.e for more.| Write to a.b@example.org.| Thanks.",
        "Version 3.11.7 is out.| Use v1.2.",
        "See fig. 3, p. 12, and vol. 2.| It is there.",
        "He likes e.g. The Beatles, i.e. a band.| She does not.",
        "A heading without a stop\n\n|The text begins.| It ends.",
        "To do:\n|1. Buy milk.\n|2. Call Dr. No.\n|- rest\n|- read",
        "Steps: 1. Open the lid.| 2. Close it.| Done.",
        "Really?!| Yes.| OK.",
        "The U.S. economy grew.| The U.K. did not.",
        "A line that\nruns on.\n|The next.",
    ],
    "de": [
        "Der 1. FC Köln gewann am 3. Oktober 1990.| Dann kam das 2. Spiel.",
        "Das kostet z. B. 3,50 Euro.| Er zahlt 1.200,75 Euro.",
        "Sie ist 28.| Er ist 30.| Das weiß ich.",
        "Dr. Müller, Prof. Dr. h. c. Meier und Hr. Schulz kamen.| Alle lachten.",
        "Um 17.30 Uhr, d. h. später, ging er.| Sie blieb.",
        "Ludwig XIV. König nannte man ihn.| Er starb 1715.| Frankreich weinte.",
        "»Halt!« rief er.| »Warum?« fragte sie.",
        "„Ich gehe.“| Er ging.",
        "Siehe Abb. 3, Bd. 2, Kap. 7 und S. 12.| Dort steht es.",
        "Siehe https://example.org/a.html.| Version 2.0.1 hilft.",
        "Nun ...| Vielleicht.| Na ja... gut.",
        "E. T. A. Hoffmann schrieb.| J. S. Bach spielte.",
        "Eine Überschrift\n\n|Der Text beginnt.",
        "Liste:\n|1. Milch\n|2. Brot\n|- Käse",
        "Er kam am\n3. Mai an.| Gut.",
        "Es sind ca. 5 Mio. Euro, ggf. mehr, usw. und so fort.| Ende.",
    ],
    "es": [
        "Llegó a las 5 p. m. del 3 de mayo.| Luego se fue.",
        "El Sr. Pérez, la Sra. Gómez y Dña. Ana vinieron.| D. Juan no.",
        "Cuesta 3,50 euros.| Pagó 1.200,75 euros.",
        "¿Qué pasa?| ¡Nada!| Bien.",
        "Vive en EE. UU. con su tía.| Es feliz.",
        "Véase la pág. 3, el art. 5 y el cap. 7.| Está ahí.",
        "—Ya lo sé... —dijo Juan.| —¿Y qué?",
        "J. L. Borges escribió.| F. García Lorca también.",
        "«No voy.»| Y no fue.| Nadie vino.",
        "Mire https://example.org/a.b?c=1.| Use la versión 2.0.1.",
        "Un título sin punto\n\n|El texto empieza.",
        "Lista:\n|1. Leche\n|2. Pan\n|• Queso",
        "En el s. V a. C. nació.| Murió en 430 a. C.",
        "El Dr. Ruiz, Ud. y Uds. van, etc., allí.| Fin.",
        "Av. Libertador, núm. 5, vive aquí.| Entre.",
    ],
    "ru": [
        "Цена 10 руб. за шт. и т. д. при заказе.| Он ушёл.",
        "Т. е. так.| Да.",
        "А. С. Пушкин родился в 1799 г. в Москве.| Он писал.",
        "Он живёт на ул. Ленина, д. 5, кв. 3.| Она нет.",
        "Это 3,5 км.| Там 1 200 чел. и больше.",
        "Поезд в 17.30, т. е. поздно.| Жди.",
        "Парк им. Горького открыт.| Св. Николай, проф. Иванов и акад. Павлов там.",
        "— Стой! — сказал он.\n\n|— Зачем?",
        "«Иду».| Он пошёл.",
        "Ну...| Может быть.| Да... нет.",
        "См. рис. 3, табл. 2 и стр. 12.| Вот так.",
        "Сайт https://example.org/a.b?c=1.| Версия 2.0.1 вышла.",
        "Заголовок без точки\n\n|Текст начался.",
        "Список:\n|1. Молоко\n|2. Хлеб\n|- Сыр",
        "В V в. до н. э. жили люди.| Потом нет.",
        "Что?!| Нет!| Да.",
    ],
    "vi": [
        "TS. Nguyễn Văn A gặp PGS.TS. Trần Bình.| Họ nói chuyện.",
        "Tôi sống ở TP. Hồ Chí Minh, Q. 1, P. 5.| Bạn thì sao?",
        "Giá là 3,50 đồng.| Tổng là 1.200.000 đồng.",
        "Họp lúc 17.30 ngày 3.5.2020 ở đây.| Nhớ nhé.",
        "ThS. Lê, GS. Phạm và BS. Hoàng đến.| Mọi người vui.",
        '"Dừng lại!" anh nói.| Cô ấy dừng.',
        "“Tôi đi.”| Anh đi.",
        "Có táo, cam, v.v. ở chợ.| Ngon lắm.",
        "Trường ĐH. Bách Khoa và UBND. Quận ở gần.| Đi thôi.",
        "Xem https://example.org/a.b?c=1.| Bản 2.0.1 đã có.",
        "Ừ...| Có lẽ.| Thật à?| Vâng!",
        "Xem tr. 12 và hình 3.| Ở đó.",
        "Tiêu đề không có dấu chấm\n\n|Văn bản bắt đầu.",
        "Danh sách:\n|1. Sữa\n|2. Bánh\n|- Phở",
        "N. V. An và T. B. Bình là bạn.| Họ ở Hà Nội.",
    ],
}
ANY = [
    ("cmn", "你好。|世界！|「好。」|他说。|再见"),
    ("hi", "नमस्ते।| यह ठीक है।| हाँ"),
    ("ka", "გამარჯობა.| როგორ ხარ."),
    ("en-us", "One.| Two."),
    ("no-such-language", "One.| Two."),
]


def texts() -> list[tuple[str, str]]:
    return [(language, text) for language, cases in CASES.items() for text in cases] + ANY


@pytest.mark.parametrize(("language", "case"), texts())
def test_ends_where_a_reader_would_stop(language: str, case: str) -> None:
    wanted = [" ".join(sentence.split()) for sentence in case.split("|")]
    assert list(sentences([case.replace("|", "")], language)) == wanted


@pytest.mark.parametrize("language", CASES)
def test_every_language_has_its_hard_cases(language: str) -> None:
    assert len(CASES[language]) >= 12


PIECES = (
    """a B. Dr. 3. 1. - * z.B. U.S. he He Er т. е. Он TS. Nguyễn 3.5 ... … ? Yes! "No." «Да.» (ok) — , 你好。 、 」"""
)
SPACES = ["", " ", "\n", "\n\n", "\r\n", "\t", "\x00", "\ud800", "\x85", "\u3000"]
WORDS = st.sampled_from([*PIECES.split(), *SPACES, "x" * 150, "long, words; " * 9])
TEXTS = st.lists(WORDS | st.text(max_size=5), max_size=60).map(" ".join) | st.lists(WORDS).map("".join)


def clean(text: str) -> str:
    """The text without what cannot be spoken."""
    spoken = (" " if character.isspace() and not "\x1b" < character < "\x20" else character for character in text)
    return "".join(c for c in spoken if c == " " or not (c < " " or "\x7f" <= c < "\xa0" or "\ud800" <= c <= "\udfff"))


@settings(deadline=None)
@given(text=TEXTS, language=st.sampled_from([*CASES, "cmn"]), borders=st.lists(st.integers(0, 600), max_size=12))
@example(text="x" * 399 + "、 y", language="cmn", borders=[])
@example(text="x" * 400 + "、y", language="cmn", borders=[400])
def test_loses_nothing_whatever_the_chunks(text: str, language: str, borders: list[int]) -> None:
    whole = list(sentences([text], language))
    edges = [0, *sorted(borders), len(text)]
    assert list(sentences([text[a:b] for a, b in pairwise(edges)], language)) == whole
    assert list(sentences(text, language)) == whole
    assert "".join("".join(whole).split()) == "".join(clean(text).split())
    assert all(sentence and sentence == sentence.strip() and len(sentence) <= CAP for sentence in whole)


@settings(deadline=None)
@given(st.lists(st.text("abC.?!, ", min_size=1, max_size=20), max_size=80).map(" ".join))
def test_keeps_words_whole(text: str) -> None:
    assert " ".join(sentences([text], "en")).split() == text.split()


@pytest.mark.parametrize("text", ["", "\x00" * 9, " \n\n\t ", "\ud800"])
def test_nothing_to_say_gives_nothing(text: str) -> None:
    assert list(sentences([text], "en")) == []


def test_gives_a_sentence_when_the_next_word_is_whole() -> None:
    def chunks() -> object:
        yield "One sentence. Next "
        raise AssertionError("asked for more than was needed")

    assert next(sentences(chunks(), "en")) == "One sentence."  # type: ignore[arg-type]


def test_cuts_an_overlong_sentence_at_the_best_place() -> None:
    clause = "so it went on and on,"
    long = list(sentences([f"{clause} " * 40], "en"))
    assert all(sentence.endswith(clause) for sentence in long)
    assert all(sentence.endswith("word") for sentence in sentences(["word " * 200], "en"))
    assert [len(piece) for piece in sentences(["x" * 1000], "en")] == [400, 400, 200]


def test_memory_does_not_depend_on_the_length() -> None:
    script = """if True:
        import sys
        from lowvox.text.sentences import sentences
        text = ("He paid $3.50 to Dr. Smith at 5 p.m., and left. Then she came! " * 64)[:4096]
        def peak():
            status = open("/proc/self/status").read()
            return int(status.split("VmHWM:")[1].split()[0])
        for _ in sentences((text for _ in range(4)), "en"): pass
        before = peak()
        for _ in sentences((text for _ in range(250)), "en"): pass
        print(peak() - before)
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("peak memory is read from /proc")
    grown = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout
    assert int(grown) < 512
