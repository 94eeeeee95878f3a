"""Sentences are told from abbreviations in many languages; the counts are those a reader gives."""

from __future__ import annotations

import pytest

from dragoman.text.segmentation import sentences

COUNTED = (
    ("Dr. Ribeiro met Mrs. Costa at 5 p.m. on Monday. They talked.", 2),
    ("Bring fruit, e.g. apples or pears. Bring bread.", 2),
    ("The Ph.D. candidate left. The U.S. team stayed.", 2),
    ("She moved to the U.S. He stayed in Lisbon.", 2),
    ("Am 3. Mai kam Dr. Maier z.B. mit usw. und ging. Dann war Ruhe.", 2),
    ("Das gilt z. B. für Abb. 3 und Nr. 5. Ende.", 2),
    ("M. Dupont est arrivé. Mme. Curie aussi.", 2),
    ("El Sr. García vive en EE. UU. desde 2010. Trabaja allí.", 2),
    ("Il sig. Rossi abita al n. 5. Il dott. Bianchi no.", 2),
    ("O Sr. Silva mora na Av. Paulista. Ele trabalha.", 2),
    ("Он живёт на ул. Ленина, д. 5. Она — нет.", 2),
    ("他来了。你好吗？我很好！", 3),
    ("वह आया। वह गया।", 2),
    ("Pan Dr. Novák přišel v 5 hod. večer. Odešel.", 2),
    ("Mieszka na ul. Długiej 5. Jest np. lekarzem.", 2),
    ("1. Apples are red.\n2. Pears are green.", 2),
    ('He said "Stop!" and left. She stayed.', 3),
    ("Wait... what? Yes!", 2),
    ("Hello World... he goes. Yes", 2),
    ("Version 2.0 is out. See example.com now.", 2),
    ("J. R. R. Tolkien wrote it. He was British.", 2),
    ("What?! No way. (It is true.) Fine.", 4),
    ("He lives in Washington D.C. now. Ok.", 2),
    ("Dhr. Jansen komt bijv. om 5 uur. Goed.", 2),
    ("i went home. it rained.", 2),
    ("I said no. Then I left.", 2),
    ("He has no. 5 there. Ok.", 2),
    ("See Fig. 3. It shows.", 2),
    ("I was born in Jan. 2020. Yes.", 2),
    ("Acme Inc. sells. Bye.", 2),
    ("Smith et al. found it. Good.", 2),
    ("It is 5 p.m. We go.", 2),
    ("Apples etc. are good. Ok.", 2),
    ("Use etc. Then stop.", 2),
    ("Vol. 2, p. 5 says. Ok.", 2),
    ("approx. 5 apples. Ok.", 2),
    ("St. Paul vs. London. Ok.", 2),
    ("The temp. is 5. Ok", 2),
    ("Il vient, c.-à-d. demain. Fin.", 2),
    ("Ud. debe ir a la Sra. López. Fin.", 2),
    ("Vedi pag. 5, es. la fig. 2, ecc. Fine.", 2),
    ("Veja pág. 5, ex. 2. Fim.", 2),
    ("Напр. так, т. е. иначе, и т. д. Конец.", 2),
    ("В 2020 г. он ушёл. Конец.", 2),
    ("Fa. Müller, Str. 5, ca. 3 km, evtl. mehr. Ende.", 2),
    ("Prof. Dr. Müller, d. h. er, bzw. sie. Ende.", 2),
    ("Prof. Nowak, dr Kowalski, ul. Prosta, itd. Koniec.", 2),
    ("Např. tak, tj. jinak, atd. Konec.", 2),
    ("Mevr. Jansen, o.a. zij, d.w.z. ik. Einde.", 2),
    ("T.ex. den, dvs. jag, bl.a. du. Slut.", 2),
    ("Prof. Ahmet, örn. bu, vb. şeyler. Son.", 2),
    ("Esim. tämä, ns. tuo, jne. Loppu.", 2),
    ("Wait... What?!", 2),
    ("No end mark", 1),
    ("Dr. Smith paid $3.50, e.g. for J. Doe. Fine!", 2),
    ("He bought 5 kg. Then he left.", 2),
    ("The year was 1999. It rained.", 2),
    ("It ended at 10 a.m. Nobody came.", 2),
    ("彼は来た。「元気ですか？」と言った。", 3),
    ("هذا بيت. هذا قلم. أين أنت؟", 3),
    ("Das war 2020. Dann kam er.", 2),
    ("Am 5. 3. 2020 kam er. Gut.", 2),
)


@pytest.mark.parametrize(("text", "count"), COUNTED)
def test_abbreviations_end_no_sentence(text: str, count: int) -> None:
    found = sentences(text)
    assert len(found) == count, found
    assert "".join("".join(found).split()) == "".join(text.split())
