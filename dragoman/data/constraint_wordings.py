"""Requests and constraints in seven languages, written by hand, for constraint_prompts.py.

Each `Wording` holds tasks, topics, words to ask for or to forbid, end phrases, and one sentence for each kind
of constraint. Sentences are built so that no slot needs agreement: counts stand before plurals that fit every
number used, words and topics stand in quotation marks. In Chinese and Japanese a word count is one of
characters, as the checker counts.
"""

from __future__ import annotations

from dataclasses import dataclass

TEXTS = (
    "at_least_words", "less_words", "word_range", "at_least_sentences", "less_sentences", "existence", "frequency",
    "forbidden", "no_comma", "bullets", "paragraphs", "sections", "json", "title", "highlights", "placeholders",
    "postscript", "ending", "quotation", "language", "numbers",
)  # fmt: skip
"""The constraints that each language has a sentence for."""


@dataclass(frozen=True)
class Wording:
    """How one language asks."""

    tasks: tuple[str, ...]
    topics: tuple[str, ...]
    keywords: tuple[str, ...]
    forbidden: tuple[str, ...]
    endings: tuple[str, ...]
    heading: str
    """Opens a list of constraints."""
    splitter: str
    """What a section begins with."""
    joint: str
    """Between sentences."""
    texts: dict[str, str]


def _texts(*sentences: str) -> dict[str, str]:
    return dict(zip(TEXTS, sentences, strict=True))


# fmt: off
WORDINGS: dict[str, Wording] = {
    "en": Wording(
        tasks=(
            "Write a short text on the topic “{topic}”.",
            "Explain the topic “{topic}” to a child.",
            "Give some advice on the topic “{topic}”.",
            "Write a message to a friend about “{topic}”.",
        ),
        topics=(
            "healthy breakfast", "moving to a new city", "learning an instrument", "rainy days", "public libraries",
            "bicycles in traffic", "life by the sea", "small gardens", "saving water", "night trains",
            "old photographs", "cooking for guests",
        ),
        keywords=("river", "window", "bridge", "market", "silver", "paper", "winter", "letter", "music", "forest"),
        forbidden=("always", "never", "important", "people", "maybe", "really"),
        endings=("That is all for today.", "Thank you for reading.", "I hope this helps."),
        heading="Please keep to these rules:",
        splitter="SECTION", joint=" ",
        texts=_texts(
            "Use at least {n} words.", "Use fewer than {n} words.", "Use between {low} and {high} words.",
            "Write at least {n} sentences.", "Write fewer than {n} sentences.",
            "Include the words {words}, exactly as written here.",
            "Use the word {words} at least {n} times.", "Do not use the words {words}.", "Do not use any commas.",
            "Give exactly {n} bullet points, each on a line that starts with “* ”.",
            "Write exactly {n} paragraphs, divided by a line with ***.",
            "Divide the text into at least {n} sections, headed {splitter} 1, {splitter} 2 and so on.",
            "The whole answer must be valid JSON.", "Begin with a title in double angle brackets, like <<title>>.",
            "Highlight at least {n} passages with asterisks, like *this*.",
            "Include at least {n} placeholders in square brackets, like [name].",
            "Add a postscript at the end that starts with P.S.",
            "End with exactly these words: {ending}",
            "Put the whole answer in straight double quotation marks (\").", "Answer in English.",
            "Include exactly {n} numbers, written in digits.",
        ),
    ),
    "de": Wording(
        tasks=(
            "Schreibe einen kurzen Text zum Thema „{topic}“.",
            "Erkläre einem Kind das Thema „{topic}“.",
            "Gib einige Ratschläge zum Thema „{topic}“.",
            "Schreibe einer Freundin eine Nachricht zum Thema „{topic}“.",
        ),
        topics=(
            "gesundes Frühstück", "Umzug in eine neue Stadt", "ein Instrument lernen", "Regentage",
            "öffentliche Bibliotheken", "Fahrräder im Verkehr", "Leben am Meer", "kleine Gärten", "Wasser sparen",
            "Nachtzüge", "alte Fotografien", "Kochen für Gäste",
        ),
        keywords=(
            "Fluss", "Fenster", "Brücke", "Markt", "Silber", "Papier", "Winter", "Brief", "Musik", "Wald",
        ),
        forbidden=("immer", "niemals", "wichtig", "Leute", "vielleicht", "wirklich"),
        endings=("Das ist alles für heute.", "Danke fürs Lesen.", "Ich hoffe das hilft."),
        heading="Halte dich bitte an diese Regeln:",
        splitter="ABSCHNITT", joint=" ",
        texts=_texts(
            "Verwende mindestens {n} Wörter.", "Verwende weniger als {n} Wörter.",
            "Verwende zwischen {low} und {high} Wörter.",
            "Schreibe mindestens {n} Sätze.", "Schreibe weniger als {n} Sätze.",
            "Verwende die Wörter {words} genau in dieser Form.",
            "Verwende das Wort {words} mindestens {n}-mal.", "Verwende die Wörter {words} nicht.",
            "Verwende keine Kommas.",
            "Schreibe genau {n} Stichpunkte, jeden in einer eigenen Zeile, die mit „* “ beginnt.",
            "Schreibe genau {n} Absätze, getrennt durch eine Zeile mit ***.",
            "Teile den Text in mindestens {n} Abschnitte, überschrieben mit {splitter} 1, {splitter} 2 und so weiter.",
            "Die gesamte Antwort muss gültiges JSON sein.",
            "Beginne mit einem Titel in doppelten spitzen Klammern, etwa <<Titel>>.",
            "Hebe mindestens {n} Stellen mit Sternchen hervor, etwa *so*.",
            "Verwende mindestens {n} Platzhalter in eckigen Klammern, etwa [Name].",
            "Füge am Ende ein Postskriptum an, das mit P.S. beginnt.",
            "Schließe genau mit diesen Worten: {ending}",
            "Setze die ganze Antwort in gerade doppelte Anführungszeichen (\").", "Antworte auf Deutsch.",
            "Nenne genau {n} Zahlen, in Ziffern geschrieben.",
        ),
    ),
    "fr": Wording(
        tasks=(
            "Écris un court texte sur le thème « {topic} ».",
            "Explique à un enfant le thème « {topic} ».",
            "Donne quelques conseils sur le thème « {topic} ».",
            "Écris un message à une amie sur le thème « {topic} ».",
        ),
        topics=(
            "un petit déjeuner sain", "s'installer dans une nouvelle ville", "apprendre un instrument",
            "les jours de pluie", "les bibliothèques publiques", "le vélo en ville", "la vie au bord de la mer",
            "les petits jardins", "économiser l'eau", "les trains de nuit", "les vieilles photographies",
            "cuisiner pour des invités",
        ),
        keywords=(
            "rivière", "fenêtre", "marché", "argent", "papier", "hiver", "lettre", "musique", "forêt", "village",
        ),
        forbidden=("toujours", "jamais", "important", "gens", "vraiment", "chose"),
        endings=("C'est tout pour aujourd'hui.", "Merci de votre lecture.", "À bientôt."),
        heading="Merci de respecter ces règles :",
        splitter="SECTION", joint=" ",
        texts=_texts(
            "Utilise au moins {n} mots.", "Utilise moins de {n} mots.", "Utilise entre {low} et {high} mots.",
            "Écris au moins {n} phrases.", "Écris moins de {n} phrases.",
            "Utilise les mots {words}, exactement sous cette forme.",
            "Utilise le mot {words} au moins {n} fois.", "N'utilise pas les mots {words}.",
            "N'utilise aucune virgule.",
            "Donne exactement {n} éléments de liste, chacun sur une ligne qui commence par « * ».",
            "Écris exactement {n} paragraphes, séparés par une ligne contenant ***.",
            "Divise le texte en au moins {n} sections intitulées {splitter} 1, {splitter} 2 et ainsi de suite.",
            "La réponse entière doit être du JSON valide.",
            "Commence par un titre entre doubles chevrons, comme <<titre>>.",
            "Mets en valeur au moins {n} passages avec des astérisques, comme *ceci*.",
            "Utilise au moins {n} espaces à remplir entre crochets, comme [nom].",
            "Ajoute à la fin un post-scriptum qui commence par P.S.",
            "Termine exactement par ces mots : {ending}",
            "Mets toute la réponse entre guillemets droits doubles (\").", "Réponds en français.",
            "Donne exactement {n} nombres, écrits en chiffres.",
        ),
    ),
    "es": Wording(
        tasks=(
            "Escribe un texto breve sobre el tema «{topic}».",
            "Explícale a un niño el tema «{topic}».",
            "Da algunos consejos sobre el tema «{topic}».",
            "Escribe un mensaje a una amiga sobre el tema «{topic}».",
        ),
        topics=(
            "un desayuno sano", "mudarse a otra ciudad", "aprender un instrumento", "los días de lluvia",
            "las bibliotecas públicas", "las bicicletas en el tráfico", "la vida junto al mar", "los jardines pequeños",
            "ahorrar agua", "los trenes nocturnos", "las fotografías antiguas", "cocinar para invitados",
        ),
        keywords=(
            "río", "ventana", "puente", "mercado", "plata", "papel", "invierno", "carta", "música", "bosque",
        ),
        forbidden=("siempre", "nunca", "importante", "gente", "quizás", "cosa"),
        endings=("Eso es todo por hoy.", "Gracias por leer.", "Espero que esto ayude."),
        heading="Respeta estas reglas, por favor:",
        splitter="SECCIÓN", joint=" ",
        texts=_texts(
            "Usa al menos {n} palabras.", "Usa menos de {n} palabras.", "Usa entre {low} y {high} palabras.",
            "Escribe al menos {n} frases.", "Escribe menos de {n} frases.",
            "Usa las palabras {words}, exactamente en esta forma.",
            "Usa la palabra {words} al menos {n} veces.", "No uses las palabras {words}.", "No uses ninguna coma.",
            "Escribe exactamente {n} puntos de lista, cada uno en una línea que empiece por «* ».",
            "Escribe exactamente {n} párrafos, separados por una línea con ***.",
            "Divide el texto en al menos {n} secciones tituladas {splitter} 1, {splitter} 2 y así sucesivamente.",
            "Toda la respuesta debe ser JSON válido.",
            "Empieza con un título entre dobles corchetes angulares, como <<título>>.",
            "Resalta al menos {n} pasajes con asteriscos, como *esto*.",
            "Incluye al menos {n} huecos entre corchetes, como [nombre].",
            "Añade al final una posdata que empiece por P.S.",
            "Termina exactamente con estas palabras: {ending}",
            "Pon toda la respuesta entre comillas dobles rectas (\").", "Responde en español.",
            "Incluye exactamente {n} números, escritos en cifras.",
        ),
    ),
    "ru": Wording(
        tasks=(
            "Напиши короткий текст на тему «{topic}».",
            "Объясни ребёнку тему «{topic}».",
            "Дай несколько советов на тему «{topic}».",
            "Напиши сообщение подруге на тему «{topic}».",
        ),
        topics=(
            "здоровый завтрак", "переезд в новый город", "как научиться играть на инструменте", "дождливые дни",
            "городские библиотеки", "велосипеды в городе", "жизнь у моря", "маленькие сады", "как беречь воду",
            "ночные поезда", "старые фотографии", "ужин для гостей",
        ),
        keywords=("река", "окно", "мост", "рынок", "серебро", "бумага", "зима", "письмо", "музыка", "лес"),
        forbidden=("всегда", "никогда", "важно", "люди", "возможно", "очень"),
        endings=("На сегодня это всё.", "Спасибо за внимание.", "Надеюсь это поможет."),
        heading="Соблюдай, пожалуйста, такие правила:",
        splitter="РАЗДЕЛ", joint=" ",
        texts=_texts(
            "Используй не менее {n} слов.", "Используй менее {n} слов.",
            "Количество слов: от {low} до {high}.",
            "Количество предложений: не меньше {n}.", "Количество предложений: меньше {n}.",
            "Используй слова {words} именно в такой форме.",
            "Слово {words} должно встретиться не реже, чем столько раз: {n}.", "Не используй слова {words}.",
            "Не используй запятые.",
            "Количество пунктов списка: ровно {n}; каждый стоит на отдельной строке, которая начинается с «* ».",
            "Количество абзацев: ровно {n}; раздели их строкой ***.",
            "Раздели текст на разделы с заголовками {splitter} 1, {splitter} 2 и так далее; не меньше {n}.",
            "Весь ответ должен быть корректным JSON.",
            "Начни с заголовка в двойных угловых скобках, например <<заголовок>>.",
            "Выдели звёздочками фрагменты текста, например *так*; их должно быть не меньше {n}.",
            "Используй поля для заполнения в квадратных скобках, например [имя]; их должно быть не меньше {n}.",
            "В конце добавь постскриптум, который начинается с P.S.",
            "Закончи именно этими словами: {ending}",
            "Заключи весь ответ в прямые двойные кавычки (\").", "Ответь по-русски.",
            "Количество чисел, записанных цифрами: ровно {n}.",
        ),
    ),
    "zh": Wording(
        tasks=(
            "请写一篇关于“{topic}”的短文。", "请向孩子解释“{topic}”。", "请就“{topic}”给出一些建议。",
            "请以“{topic}”为话题给朋友写一条消息。",
        ),
        topics=(
            "健康的早餐", "搬到新的城市", "学习乐器", "下雨天", "公共图书馆", "骑自行车上班", "海边的生活", "小花园",
            "节约用水", "夜间列车", "老照片", "请客做饭",
        ),
        keywords=("河流", "窗户", "桥梁", "市场", "银色", "纸张", "冬天", "信件", "音乐", "森林"),
        forbidden=("总是", "从不", "重要", "人们", "也许", "真的"),
        endings=("今天就写到这里。", "谢谢阅读。", "希望对你有帮助。"),
        heading="请遵守以下规则：",
        splitter="部分", joint="",
        texts=_texts(
            "字数不少于{n}个字。", "字数少于{n}个字。", "字数在{low}到{high}个字之间。",
            "至少写{n}个句子。", "句子数量少于{n}个。",
            "文中必须出现{words}这些词。", "{words}这个词至少出现{n}次。", "不要使用{words}这些词。",
            "不要使用逗号和顿号。",
            "恰好列出{n}个要点，每个要点单独一行，并以“* ”开头。",
            "恰好写{n}个段落，段落之间用一行***隔开。",
            "把文章分成至少{n}个部分，标题依次为{splitter}1、{splitter}2，以此类推。",
            "整个回答必须是有效的JSON。", "以双尖括号中的标题开头，例如<<标题>>。",
            "用星号突出至少{n}处文字，例如*这样*。", "使用至少{n}个方括号占位符，例如[姓名]。",
            "在结尾加上以P.S.开头的附言。", "必须以这句话结尾：{ending}",
            "把整个回答放在英文直双引号(\")中。", "请用中文回答。", "恰好写出{n}个用阿拉伯数字表示的数。",
        ),
    ),
    "ja": Wording(
        tasks=(
            "「{topic}」について短い文章を書いてください。", "「{topic}」について子どもに説明してください。",
            "「{topic}」についていくつか助言をしてください。",
            "「{topic}」について友人へのメッセージを書いてください。",
        ),
        topics=(
            "健康的な朝食", "新しい町への引っ越し", "楽器を習うこと", "雨の日", "公共図書館", "自転車での通勤",
            "海辺の暮らし", "小さな庭", "節水", "夜行列車", "古い写真", "お客様のための料理",
        ),
        keywords=("川", "窓", "橋", "市場", "銀色", "紙", "冬", "手紙", "音楽", "森"),
        forbidden=("いつも", "決して", "重要", "人々", "たぶん", "本当"),
        endings=("今日はここまでです。", "お読みいただきありがとうございました。", "お役に立てば幸いです。"),
        heading="次の決まりを守ってください。",
        splitter="セクション", joint="",
        texts=_texts(
            "{n}文字以上で書いてください。", "{n}文字未満で書いてください。",
            "{low}文字以上{high}文字以下で書いてください。",
            "{n}文以上で書いてください。", "文の数は{n}文未満にしてください。",
            "{words}という言葉を必ず使ってください。", "{words}という言葉を{n}回以上使ってください。",
            "{words}という言葉は使わないでください。", "読点やコンマを使わないでください。",
            "箇条書きをちょうど{n}個書き、それぞれ「* 」で始まる行にしてください。",
            "ちょうど{n}個の段落を書き、***だけの行で区切ってください。",
            "文章を{n}個以上に分け、{splitter}1、{splitter}2のように見出しを付けてください。",
            "回答全体を有効なJSONにしてください。", "<<題名>>のように二重山括弧で囲んだ題名で始めてください。",
            "*このように*アスタリスクで{n}か所以上を強調してください。",
            "[名前]のような角括弧の記入欄を{n}個以上使ってください。",
            "最後にP.S.で始まる追伸を付けてください。", "必ず次の言葉で終えてください：{ending}",
            "回答全体を半角の二重引用符(\")で囲んでください。", "日本語で答えてください。",
            "算用数字の数をちょうど{n}個書いてください。",
        ),
    ),
}
# fmt: on
