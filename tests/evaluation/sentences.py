"""Ten sentences in two languages, by hand."""

ENGLISH = [
    "The train leaves on Monday from platform two.",
    "The trip lasts three weeks and costs twelve euros.",
    "The hotel is open until the end of the month.",
    "The museum is closed in the month of October.",
    "Please restart the computer before you continue.",
    "The new software is available for download today.",
    "The school is far away from the city centre.",
    "She reads a book about the history of Europe.",
    "We will meet our friends at the station at noon.",
    "The weather will be cold and rainy tomorrow.",
]
GERMAN = [
    "Der Zug fährt am Montag von Gleis zwei ab.",
    "Die Reise dauert drei Wochen und kostet zwölf Euro.",
    "Das Hotel ist bis zum Ende des Monats geöffnet.",
    "Das Museum ist im Monat Oktober geschlossen.",
    "Bitte starten Sie den Computer neu, bevor Sie fortfahren.",
    "Die neue Software steht heute zum Herunterladen bereit.",
    "Die Schule ist weit vom Stadtzentrum entfernt.",
    "Sie liest ein Buch über die Geschichte Europas.",
    "Wir treffen unsere Freunde um zwölf Uhr am Bahnhof.",
    "Das Wetter wird morgen kalt und regnerisch sein.",
]
