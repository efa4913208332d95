"""The vocabulary of the Silero TE stand-ins: word pieces in four languages, written as the real one writes them.

Letters outside ASCII stand as `{code point}`. Needs neither torch nor onnx.
"""

from __future__ import annotations

import random
import re

PAD, UNKNOWN, BEGIN, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
SPECIAL = (PAD, UNKNOWN, BEGIN, END, "[MASK]")
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßáéíñóúабвгдежзийклмнопрстуфхцчшщъыьэюяё"
DIGITS = "0123456789"
STANDING_ALONE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`|}~—"
_SAID = """
a i am we you they is are the this that what where when who why how yes no not and but or so hello hi good morning
thanks please come go went home house dog cat day night people city london berlin new york john mary usa nato end
ich du er wir ihr und aber oder ja nein nicht was wo wann wer warum guten morgen danke bitte haus hund katze tag über
yo tú él ella nosotros sí no que qué dónde cuándo quién cómo hola buenos días gracias casa perro gato día noche está
я ты он она мы вы они да нет не что где когда кто почему как привет доброе утро спасибо дом собака кошка день ночь
"""
WORDS = _SAID.split()
ENDINGS = ("ing", "ed", "s", "ly", "er", "en", "ung", "keit", "ción", "mente", "ами", "ого", "ение", "ть", "ла")


def escaped(text: str) -> str:
    """Write text in ASCII, letters outside it as their code points."""
    return "".join(letter if ord(letter) < 127 else f"{{{ord(letter)}}}" for letter in text)


def vocabulary(size: int = 0) -> list[str]:
    """Return the tokens by id, escaped; with a size, made-up word pieces fill it up."""
    alone, inside = LETTERS + DIGITS + STANDING_ALONE, LETTERS + DIGITS
    continued = (f"##{piece}" for piece in (*inside, *ENDINGS))
    found = dict.fromkeys((*SPECIAL, *alone, *WORDS, *continued))
    dice = random.Random(1)
    while len(found) < size:
        piece = "".join(dice.choices(LETTERS, k=dice.randint(2, 9)))
        found[piece if dice.random() < 0.7 else f"##{piece}"] = None
    return [escaped(token) for token in found]


class Bert:
    """BERT's way of cutting words, in plain Python, with the methods and names of Silero's compiled tokenizer."""

    pad_token = PAD

    def __init__(self, longest: int = 100, alone: str = STANDING_ALONE) -> None:
        self.uni_vocab = vocabulary()
        self.ids = {piece: number for number, piece in enumerate(self.uni_vocab)}
        self.longest = longest
        self.alone = {escaped(sign) for sign in alone}

    def convert_string_to_ids(self, text: str) -> list[int]:
        """Return ids with a begin and an end."""
        words: list[list[str]] = [[]]
        for letter in re.findall(r"\{\d+\}|.", text, re.DOTALL):
            if letter == " " or letter in self.alone:
                words += [[], []] if letter == " " else [[letter], []]
            else:
                words[-1].append(letter)
        return [self.ids[BEGIN], *(number for word in words for number in self.pieces(word)), self.ids[END]]

    def pieces(self, word: list[str]) -> list[int]:
        """Return the ids of one word."""
        found: list[int] = []
        begin = 0
        while begin < len(word) <= self.longest:
            cut = ((end, ("##" if begin else "") + "".join(word[begin:end])) for end in range(len(word), begin, -1))
            end, piece = next(((end, piece) for end, piece in cut if piece in self.ids), (0, UNKNOWN))
            if not end:
                break
            found.append(self.ids[piece])
            begin = end
        return found if begin == len(word) else [self.ids[UNKNOWN]]

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        """Return escaped pieces."""
        return [self.uni_vocab[number] for number in ids]
