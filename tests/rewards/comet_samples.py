"""Sources, translations and references for the COMET tests."""

SAMPLES = [
    {"src": "Der Hund ist alt und müde.", "mt": "The dog is old.", "ref": "The dog is old and tired."},
    {"src": "Hallo Welt", "mt": "Hello world", "ref": "Hello, world"},
    {"src": "Das ist ein Test.", "mt": "This a lazy dog", "ref": "This is a test."},
    {"src": "Wo ist der Bahnhof?", "mt": "", "ref": "Where is the station?"},
    {"src": "Ich habe 17 Euro.", "mt": "Ich habe 17 Euro.", "ref": "I have 17 euros."},
]
SAMPLES += [
    {"src": f"Zug {n} fährt heute {n} Stunden.", "mt": f"Train {n} runs {'on ' * (n % 5)}today", "ref": f"Train {n}."}
    for n in range(20)
]
