"""What the synthesisers say: Debian's `fortunes`, filtered to plain sentences, and some of our own."""

import pathlib
import re

FORTUNES = pathlib.Path("/usr/share/games/fortunes")
# Collections of pictures, code and verse read badly aloud.
_SKIP = {"art", "ascii-art", "translate-me", "perl", "songs-poems", "goedel"}

OWN = """
Please bring my brown umbrella before the big storm begins.
Maybe Bob and Pam will meet me by the Baltic beach.
Papa bought apples, plums and a pumpkin pie from the market.
Mum made a map of the Amber Mountains in bright blue paint.
We were away for over a year, you know, and wondered whether you would wait.
Who would choose the new blue shoes for two?
She sees these three green trees from her seat each evening.
Five very fine violins filled the village festival.
Father thought that both brothers gathered there on Thursday.
How now, said the owl, and the crowd grew loud.
The boy enjoyed the noise of the coin in the toy box.
Ask Anna after lunch, and pass the black hat back.
It is Monday. No. Wait. It is Tuesday.
Numbers one, two, three, four, five, six, seven, eight, nine and ten.
Probably nobody remembers the popular hymn about summer rain.
Sharp short shadows should surely shift as the sun shines.
Judge George changed the large orange badge.
Keep calm, come along quickly, and take care of the cake.
Every problem becomes simple when somebody else must solve it.
Good morning, and welcome to a small demonstration.
""".strip().splitlines()

_PLAIN = re.compile(r"[A-Za-z][A-Za-z ,;'?!.-]+")


def sentences():
    """Plain English sentences of 25 to 160 letters, each once, in the order of the files. Raises FileNotFoundError."""
    if not FORTUNES.is_dir():
        raise FileNotFoundError(f"{FORTUNES}: no fortunes\nhint: apt-get install fortunes")
    found = dict.fromkeys(OWN)
    for path in sorted(FORTUNES.iterdir()):
        if path.suffix or path.name in _SKIP:
            continue
        for entry in path.read_text(encoding="utf-8", errors="ignore").split("\n%\n"):
            quote = re.split(r"\n\s*--", entry)[0]
            for sentence in re.split(r"(?<=[.!?])\s+", " ".join(quote.split())):
                shouting = sum(c.isupper() for c in sentence) > 0.2 * len(sentence)
                if 25 <= len(sentence) <= 160 and _PLAIN.fullmatch(sentence) and not shouting:
                    found[sentence.replace("--", ", ")] = None
    return list(found)
