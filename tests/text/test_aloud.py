"""Reading aloud: what comes out is words alone, ordinary text stays as it was, and no text breaks it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lowvox.text.aloud import LANGUAGES, spoken_form

CASES = {
    "en": [
        ("On May 3, 2020 she paid $3.50.", "On May third, twenty twenty she paid three dollars and fifty cents."),
        ("Dr. Smith lives at 12 Main St.", "Doctor Smith lives at twelve Main Street."),
        ("He is 5'11\" and ran 10 km/h.", "He is five foot eleven and ran ten kilometers per hour."),
        ("King Henry VIII, chapter IV", "King Henry the Eighth, chapter Four"),
        ("the 1990s and the '80s", "the nineteen nineties and the eighties"),
        ("No. 5 is out. No.", "number five is out. No."),
        ("at 9:05 am, from 10am-6pm", "at nine oh five A M, from ten A M to six P M"),
        ("a 2/3 majority by 6/30", "a two thirds majority by June thirtieth"),
        ("They won 3-1 at 3:1 odds.", "They won three to one at three to one odds."),
        (
            "1 in 5, 6 ft 2 in, 50-50, 9/11, 747s",
            "one in five, six feet two inches, fifty fifty, nine eleven, seven hundred forty-sevens",
        ),
        ("We chose plan B. He left at 5 p.m. Then", "We chose plan B. He left at five P M. Then"),
        ("$3/kg, 2.5M users, 4K", "three dollars per kilogram, two point five million users, four K"),
        ("Call 555-0142 or bob@example.com.", "Call five five five zero one four two or bob at example dot com."),
    ],
    "de": [
        ("Am 3. Mai 2020 um 17.30 Uhr", "Am dritten Mai zweitausendzwanzig um siebzehn Uhr dreißig"),
        ("z. B. 1 Hund, 1 Katze", "zum Beispiel ein Hund, eine Katze"),
        ("Ludwig XIV. von Frankreich, Kapitel IV", "Ludwig der Vierzehnte von Frankreich, Kapitel vier"),
        ("der 1. Platz, am 2. Tag, ein 3. Mal", "der erste Platz, am zweiten Tag, ein drittes Mal"),
        ("1.234,56 €", "eintausendzweihundertvierunddreißig Euro und sechsundfünfzig Cent"),
        (
            "Am 1. Mai. Um 12 Uhr 30. 08/15, 90-60-90",
            "Am ersten Mai. Um zwölf Uhr dreißig. null acht fünfzehn, neunzig-sechzig neunzig",
        ),
        ("20%iger Rabatt seit 1999", "zwanzigprozentiger Rabatt seit neunzehnhundertneunundneunzig"),
    ],
    "es": [
        ("La 1.ª vez, el 3er puesto", "La primera vez, el tercer puesto"),
        ("21 casas, 21 libros y 200 mesas", "veintiuna casas, veintiún libros y doscientas mesas"),
        (
            "desde 1977 cerca de 560.000 unidades",
            "desde mil novecientos setenta y siete cerca de quinientas sesenta mil unidades",
        ),
        ("Felipe VI en el siglo XXI", "Felipe sexto en el siglo veintiuno"),
        ("€ 1.000.000 a la 1:30", "un millón de euros a la una y media"),
        ("D. Juan y Robert D. Eagling, 12 €/kg", "don Juan y Robert de Eagling, doce euros por kilogramo"),
        ("EE. UU. y la pág. 12", "Estados Unidos y la página doce"),
    ],
    "ru": [
        ("В 1990 году 2 книги и 2 стола.", "В тысяча девятьсот девяностом году две книги и два стола."),
        ("около 20 человек, до 5 часов", "около двадцати человек, до пяти часов"),
        ("1-го мая 2020 г.", "первого мая две тысячи двадцатого года."),
        (
            "1,5 кг, 2,5 кг, 21 км, 22 т",
            "полтора килограмма, две целых пять десятых килограмма, двадцать один километр, двадцать две тонны",
        ),
        ("Пётр I и Екатерина II, XIX век", "Пётр Первый и Екатерина Вторая, девятнадцатый век"),
        (
            "в 1800 году, 200-й, 40-м годам, в 1840 году",
            "в тысяча восьмисотом году, двухсотый, сороковым годам, в тысяча восемьсот сороковом году",
        ),
        (
            "2-х, 5-ти, на 2 этаже, 10:1, 1980-е",
            "двух, пяти, на втором этаже, десять к одному, тысяча девятьсот восьмидесятые",
        ),
        ("Парк им. Горького. Он овладел им. Я. Он", "Парк имени Горького. Он овладел им. Я. Он"),
        ("№ 5, ул. Ленина, д. 3", "номер пять, улица Ленина, дом три"),
    ],
    "vi": [
        (
            "ngày 20/11/2020 lúc 17h30",
            "ngày hai mươi tháng mười một năm hai nghìn không trăm hai mươi lúc mười bảy giờ ba mươi",
        ),
        (
            "thứ 4, tháng 4, 14, 15, 21, 24, 105",
            "thứ tư, tháng tư, mười bốn, mười lăm, hai mươi mốt, hai mươi tư, một trăm lẻ năm",
        ),
        ("tp. HCM có 2.005.000 người", "thành phố Hồ Chí Minh có hai triệu không trăm lẻ năm nghìn người"),
        ("3/4 số dân, 1,25%", "ba phần tư số dân, một phẩy hai mươi lăm phần trăm"),
    ],
}
LETTERS = {"en": "a b e", "de": "ä ö ß", "es": "ñ á é", "ru": "а б ё", "vi": "ả đ ơ"}


@pytest.mark.parametrize(
    ("language", "text", "wanted"), [(code, *case) for code, cases in CASES.items() for case in cases]
)
def test_reads(language: str, text: str, wanted: str) -> None:
    assert " ".join(spoken_form(text, language).split()) == wanted


ANYTHING = st.text(max_size=40)
WRITTEN = st.text("0123456789.,:;/-–−+%°€$£№§&#@=()[]'\"½²³ \u00a0aBcXIVМгйđThndst", max_size=30)
WRITTEN_SO = (
    "1. 2 000 000 3,5 $5m 10 km/h 5'11\" IV XX. z. B. Dr. г. № 5-6 1/2 20/11 17h30 3er 1.ª 5-го [[ ]] "
    "a@b.co www.x.de #t1 ½ ② ٣ १ Ⅳ 12:30 p.m. -3 --4 1,2,3 1.2.3 1.234.567,89 'til %"
)
PIECES = st.sampled_from(WRITTEN_SO.split(" "))
TEXTS = (
    ANYTHING
    | WRITTEN
    | st.lists(PIECES | WRITTEN, max_size=8).map(" ".join)
    | st.lists(PIECES, max_size=8).map("".join)
)


@settings(deadline=None, max_examples=200)
@given(TEXTS, st.sampled_from(LANGUAGES))
@example("[[1", "en")
@example("٣٤ ② ₂ ¹ 🄁", "vi")
def test_no_text_breaks_it_and_no_digit_is_left(text: str, language: str) -> None:
    said = spoken_form(text, language)
    outside = re.sub(r"\[\[.*?\]\]", "", said, flags=re.DOTALL)
    assert not any(map(str.isdigit, outside))


@settings(deadline=None, max_examples=200)
@given(TEXTS, st.sampled_from(LANGUAGES))
def test_what_was_read_stays(text: str, language: str) -> None:
    once = spoken_form(text, language)
    assert spoken_form(once, language) == once


@settings(deadline=None)
@given(st.data(), st.sampled_from(LANGUAGES))
def test_ordinary_text_stays_byte_for_byte(data: st.DataObject, language: str) -> None:
    word = st.text(LETTERS[language].replace(" ", "") + "mnop", min_size=5, max_size=9)
    mark = st.sampled_from([" ", ", ", ". ", "! ", "? ", "; ", ": ", "… ", " – ", "... ", "\n", " «", "» ", " “", "” "])
    text = "".join(data.draw(st.lists(st.tuples(word | word.map(str.capitalize), mark).map("".join))))
    assert spoken_form(text, language) == text


def test_phonemes_pass_through() -> None:
    assert spoken_form("Say [[ h ə 1 oʊ ]] 2 times", "en") == "Say [[ h ə 1 oʊ ]] two times"
    assert spoken_form("An open [[ is 3", "en") == "An open [[ is three"


@pytest.mark.parametrize("language", ["fr", "cmn", ""])
def test_another_language_is_left_alone(language: str) -> None:
    assert spoken_form("Le 3 mai", language) == "Le 3 mai"


def test_a_country_may_be_named() -> None:
    assert spoken_form("3 cats", "en_GB") == spoken_form("3 cats", "en-us") == "three cats"


@pytest.mark.parametrize(
    "unit", ["1", "a", "A.", "1.", "1,", "1/", "1-", "a@", "a.", "#", "IV", "[[", "1:", "-", "$", "½", "z.B."]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_long_text_without_a_space_is_read(unit: str, language: str) -> None:
    assert spoken_form(unit * (5_000 // len(unit)), language)


def test_costs_nothing_before_it_is_needed() -> None:
    script = (
        "import sys, lowvox.text.aloud as aloud; assert aloud.spoken_form('No digit here.', 'en');"
        "print([name for name in ('unicode_rbnf', 'numpy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
