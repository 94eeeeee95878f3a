"""The languages of the quickstart, one entry each.

Everything a language needs is in its entry: its code (which is also its CLDR locale), one sentence per
template of `templates`, and the wording of a list answer. A fifth language is a fifth entry:
numbers, dates, currencies, units, countries and language names come from num2words and from Babel's CLDR
tables.

The sentences are written so that no slot needs agreement: numbers stand after a label ("room number
twelve") or before a plural noun, country names follow prepositions that take no article in any of the
languages, and first names begin with a consonant (no elision in French).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dragoman.text.languages import language_name


@dataclass(frozen=True)
class Language:
    """One language of the quickstart."""

    code: str
    """ISO 639-1 code; also the CLDR locale and the num2words language."""
    sentences: Mapping[str, str]
    """Template id -> sentence with {slots}; every language has every template."""
    listing: str
    """Opening of a list answer, with {count} (spelled out) and {noun}."""
    nouns: Mapping[str, str]
    """Topic of a list answer -> plural noun."""

    @property
    def name(self) -> str:
        """The language's English name, as instructions write it."""
        return language_name(self.code)


ENGLISH = Language(
    code="en",
    sentences={
        "travel_month": "{name} travels to {country} in {month}.",
        "train_gate": "The train leaves on {weekday} from platform {number}.",
        "lives_room": "{name} lives in room number {number}.",
        "meeting_date": "The meeting with {name} takes place on {date}.",
        "ticket_amount": "In {country} the ticket costs {amount}.",
        "book_language": "{name} reads the book in {language}.",
        "speaks_lives": "{name} speaks {language} and lives in {country}.",
        "trip_lasts": "The trip with {name} lasts {duration}.",
        "hotel_open": "The hotel in {country} is open until {date}.",
        "buys_books": "{name} buys {count} books for {amount}.",
        "course_month": "The course in {language} begins in {month}.",
        "school_far": "The school is {distance} away from the station.",
        "stays": "{name} stays in {country} for {duration}.",
        "pays_bank": "{name} pays {amount} to the bank on {weekday}.",
        "museum_closed": "The museum in {country} is closed in {month}.",
        "letter_arrives": "The letter from {name} arrives on {date}.",
        "box_weighs": "The box weighs {weight} and costs {amount}.",
        "class_has": "The class has {count} students and {count_2} books.",
        "reads_page": "{name} reads page {number} of the book.",
        "question_answer": "The answer to question {number} is {number_2}.",
        "travel_weekday": "{name} travels to {country} on {weekday}.",
        "trip_costs": "The trip lasts {duration} and costs {amount}.",
        "course_date": "The course in {language} begins on {date}.",
    },
    listing="Here are {count} {noun}:",
    nouns={
        "country": "countries",
        "language": "languages",
        "month": "months",
        "weekday": "days of the week",
        "color": "colors",
        "animal": "animals",
        "fruit": "fruits",
    },
)

GERMAN = Language(
    code="de",
    sentences={
        "travel_month": "{name} reist im {month} nach {country}.",
        "train_gate": "Der Zug fährt am {weekday} von Gleis {number} ab.",
        "lives_room": "{name} wohnt in Zimmer Nummer {number}.",
        "meeting_date": "Das Treffen mit {name} findet am {date} statt.",
        "ticket_amount": "In {country} kostet die Fahrkarte {amount}.",
        "book_language": "{name} liest das Buch auf {language}.",
        "speaks_lives": "{name} spricht {language} und wohnt in {country}.",
        "trip_lasts": "Die Reise mit {name} dauert {duration}.",
        "hotel_open": "Das Hotel in {country} ist bis zum {date} geöffnet.",
        "buys_books": "{name} kauft {count} Bücher für {amount}.",
        "course_month": "Der Kurs auf {language} beginnt im {month}.",
        "school_far": "Die Schule ist {distance} vom Bahnhof entfernt.",
        "stays": "{name} bleibt für {duration} in {country}.",
        "pays_bank": "{name} zahlt am {weekday} {amount} an die Bank.",
        "museum_closed": "Das Museum in {country} ist im {month} geschlossen.",
        "letter_arrives": "Der Brief von {name} kommt am {date} an.",
        "box_weighs": "Die Kiste wiegt {weight} und kostet {amount}.",
        "class_has": "Die Klasse hat {count} Schüler und {count_2} Bücher.",
        "reads_page": "{name} liest Seite {number} des Buches.",
        "question_answer": "Die Antwort auf Frage {number} ist {number_2}.",
        "travel_weekday": "{name} reist am {weekday} nach {country}.",
        "trip_costs": "Die Reise dauert {duration} und kostet {amount}.",
        "course_date": "Der Kurs auf {language} beginnt am {date}.",
    },
    listing="Hier sind {count} {noun}:",
    nouns={"country": "Länder", "language": "Sprachen", "month": "Monate", "weekday": "Wochentage"},
)

FRENCH = Language(
    code="fr",
    sentences={
        "travel_month": "{name} voyage en {country} en {month}.",
        "train_gate": "Le train part {weekday} du quai {number}.",
        "lives_room": "{name} habite dans la chambre numéro {number}.",
        "meeting_date": "La réunion avec {name} a lieu le {date}.",
        "ticket_amount": "En {country} le billet coûte {amount}.",
        "book_language": "{name} lit le livre en {language}.",
        "speaks_lives": "{name} parle {language} et habite en {country}.",
        "trip_lasts": "Le voyage avec {name} dure {duration}.",
        "hotel_open": "L'hôtel en {country} est ouvert jusqu'au {date}.",
        "buys_books": "{name} achète {count} livres pour {amount}.",
        "course_month": "Le cours en {language} commence en {month}.",
        "school_far": "L'école est à {distance} de la gare.",
        "stays": "{name} reste en {country} pendant {duration}.",
        "pays_bank": "{name} paie {amount} à la banque {weekday}.",
        "museum_closed": "Le musée en {country} est fermé en {month}.",
        "letter_arrives": "La lettre de {name} arrive le {date}.",
        "box_weighs": "La caisse pèse {weight} et coûte {amount}.",
        "class_has": "La classe a {count} élèves et {count_2} livres.",
        "reads_page": "{name} lit la page {number} du livre.",
        "question_answer": "La réponse à la question {number} est {number_2}.",
        "travel_weekday": "{name} voyage en {country} {weekday}.",
        "trip_costs": "Le voyage dure {duration} et coûte {amount}.",
        "course_date": "Le cours en {language} commence le {date}.",
    },
    listing="Voici {count} {noun} :",
    nouns={"country": "pays", "language": "langues", "month": "mois", "weekday": "jours de la semaine"},
)

SPANISH = Language(
    code="es",
    sentences={
        "travel_month": "{name} viaja a {country} en {month}.",
        "train_gate": "El tren sale el {weekday} del andén {number}.",
        "lives_room": "{name} vive en la habitación número {number}.",
        "meeting_date": "La reunión con {name} tiene lugar el {date}.",
        "ticket_amount": "En {country} el billete cuesta {amount}.",
        "book_language": "{name} lee el libro en {language}.",
        "speaks_lives": "{name} habla {language} y vive en {country}.",
        "trip_lasts": "El viaje con {name} dura {duration}.",
        "hotel_open": "El hotel en {country} está abierto hasta el {date}.",
        "buys_books": "{name} compra {count} libros por {amount}.",
        "course_month": "El curso en {language} comienza en {month}.",
        "school_far": "La escuela está a {distance} de la estación.",
        "stays": "{name} se queda en {country} durante {duration}.",
        "pays_bank": "{name} paga {amount} al banco el {weekday}.",
        "museum_closed": "El museo en {country} está cerrado en {month}.",
        "letter_arrives": "La carta de {name} llega el {date}.",
        "box_weighs": "La caja pesa {weight} y cuesta {amount}.",
        "class_has": "La clase tiene {count} alumnos y {count_2} libros.",
        "reads_page": "{name} lee la página {number} del libro.",
        "question_answer": "La respuesta a la pregunta {number} es {number_2}.",
        "travel_weekday": "{name} viaja a {country} el {weekday}.",
        "trip_costs": "El viaje dura {duration} y cuesta {amount}.",
        "course_date": "El curso en {language} comienza el {date}.",
    },
    listing="Aquí hay {count} {noun}:",
    nouns={"country": "países", "language": "idiomas", "month": "meses", "weekday": "días de la semana"},
)

LANGUAGES: dict[str, Language] = {entry.code: entry for entry in (ENGLISH, GERMAN, FRENCH, SPANISH)}
