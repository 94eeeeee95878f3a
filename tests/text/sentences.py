"""One sentence in many languages, for both identifiers."""

SENTENCES = {
    "de": "Der Zug nach München fährt heute um acht Uhr ab.",
    "en": "The train to Munich leaves today at eight o'clock.",
    "fr": "Le train pour Munich part aujourd'hui à huit heures.",
    "es": "El tren a Múnich sale hoy a las ocho de la mañana.",
    "pt": "O trem para Munique parte hoje às oito horas da manhã.",
    "it": "Il treno per Monaco parte oggi alle otto di mattina.",
    "nl": "De trein naar München vertrekt vandaag om acht uur.",
    "cs": "Vlak do Mnichova dnes odjíždí v osm hodin ráno.",
    "pl": "Pociąg do Monachium odjeżdża dziś o godzinie ósmej.",
    "ru": "Поезд в Мюнхен отправляется сегодня в восемь часов.",
    "uk": "Потяг до Мюнхена відправляється сьогодні о восьмій годині.",
    "ja": "ミュンヘン行きの列車は今日の八時に出発します。",
    "zh": "开往慕尼黑的火车今天早上八点出发。",
    "ko": "뮌헨행 기차는 오늘 여덟 시에 출발합니다.",
    "ar": "يغادر القطار المتجه إلى ميونيخ اليوم في الساعة الثامنة.",
    "hi": "म्यूनिख जाने वाली ट्रेन आज सुबह आठ बजे रवाना होगी।",
    "he": "הרכבת למינכן יוצאת היום בשעה שמונה.",
}
