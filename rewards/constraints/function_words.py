"""Stop words, pronouns and coordinating conjunctions of seven languages, for IFBench's counting constraints.

IFBench has English lists only; its kwargs are kept and `language` is added, English when left out. Stop words
are those of NLTK (its English list is the one IFBench asks) for English, German, French, Spanish and Russian;
those of Chinese and Japanese, and all pronouns and conjunctions but the English, were written for this file.
In Chinese and Japanese an entry counts wherever it stands, because nothing marks where a word ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dragoman.text.segmentation import word_runs
from dragoman.text.word_lists import listed

SPACELESS_LANGUAGES = frozenset({"zh", "ja"})
CONJUNCTIONS: Mapping[str, frozenset[str]] = {
    "en": listed("and but for nor or so yet"),
    "de": listed("und aber oder denn sondern sowie doch"),
    "fr": listed("mais ou et donc or ni car"),
    "es": listed("y e o u pero ni sino mas"),
    "ru": listed("и а но или либо да зато однако"),
    "zh": listed("和 与 但是 或者 而且 因此 所以 不过 然而"),
    "ja": listed("そして しかし または だから でも それに あるいは ところが"),
}
PRONOUNS: Mapping[str, frozenset[str]] = {
    "en": listed(
        "i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her "
        "hers herself it its itself they them their theirs themselves"
    ),
    "de": listed(
        "ich mich mir mein meine meinen meinem meiner du dich dir dein deine deinen er ihn ihm sein seine seinen sie "
        "ihr ihre ihren ihnen es wir uns unser unsere euch euer eure sich"
    ),
    "fr": listed(
        "je me moi mon ma mes tu te toi ton ta tes il elle on se soi son sa ses nous notre nos vous votre vos ils "
        "elles lui leur leurs eux j m t s"
    ),
    "es": listed(
        "yo me mi mis mí tú te ti tu tus él ella ello se sí su sus nosotros nosotras nos nuestro nuestra vosotros "
        "vosotras os vuestro vuestra ellos ellas usted ustedes le les lo la los las"
    ),
    "ru": listed(
        "я меня мне мной мой моя моё мои ты тебя тебе тобой твой твоя он его ему им она её ей оно мы нас нам нами наш "
        "наша вы вас вам вами ваш ваша они их ими себя себе свой своя"
    ),
    "zh": listed("我 你 您 他 她 它 咱"),
    "ja": listed("私 僕 俺 あなた 君 彼 彼女 これ それ あれ 自分"),
}
STOP_WORDS: Mapping[str, frozenset[str]] = {
    "en": listed(
        "a about above after again against ain all am an and any are aren as at be because been before being below "
        "between both but by can couldn d did didn do does doesn doing don down during each few for from further "
        "had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it "
        "its itself just ll m ma me mightn more most mustn my myself needn no nor not now o of off on once only or "
        "other our ours ourselves out over own re s same shan she should shouldn so some such t than that the their "
        "theirs them themselves then there these they this those through to too under until up ve very was wasn we "
        "were weren what when where which while who whom why will with won wouldn y you your yours yourself "
        "yourselves"
    ),
    "de": listed(
        "aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes anderm "
        "andern anderr anders auch auf aus bei bin bis bist da damit dann das dass dasselbe dazu daß dein deine "
        "deinem deinen deiner deines dem demselben den denn denselben der derer derselbe derselben des desselben "
        "dessen dich die dies diese dieselbe dieselben diesem diesen dieser dieses dir doch dort du durch ein eine "
        "einem einen einer eines einig einige einigem einigen einiger einiges einmal er es etwas euch euer eure "
        "eurem euren eurer eures für gegen gewesen hab habe haben hat hatte hatten hier hin hinter ich ihm ihn "
        "ihnen ihr ihre ihrem ihren ihrer ihres im in indem ins ist jede jedem jeden jeder jedes jene jenem jenen "
        "jener jenes jetzt kann kein keine keinem keinen keiner keines können könnte machen man manche manchem "
        "manchen mancher manches mein meine meinem meinen meiner meines mich mir mit muss musste nach nicht nichts "
        "noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seines selbst sich sie sind so solche "
        "solchem solchen solcher solches soll sollte sondern sonst um und uns unser unsere unserem unseren unseres "
        "unter viel vom von vor war waren warst was weg weil weiter welche welchem welchen welcher welches wenn "
        "werde werden wie wieder will wir wird wirst wo wollen wollte während würde würden zu zum zur zwar zwischen "
        "über"
    ),
    "fr": listed(
        "ai aie aient aies ait as au aura aurai auraient aurais aurait auras aurez auriez aurions aurons auront aux "
        "avaient avais avait avec avez aviez avions avons ayant ayante ayantes ayants ayez ayons c ce ces d dans de "
        "des du elle en es est et eu eue eues eurent eus eusse eussent eusses eussiez eussions eut eux eûmes eût "
        "eûtes furent fus fusse fussent fusses fussiez fussions fut fûmes fût fûtes il ils j je l la le les leur "
        "lui m ma mais me mes moi mon même n ne nos notre nous on ont ou par pas pour qu que qui s sa se sera serai "
        "seraient serais serait seras serez seriez serions serons seront ses soient sois soit sommes son sont soyez "
        "soyons suis sur t ta te tes toi ton tu un une vos votre vous y à étaient étais était étant étante étantes "
        "étants étiez étions été étée étées étés êtes"
    ),
    "es": listed(
        "a al algo algunas algunos ante antes como con contra cual cuando de del desde donde durante e el ella "
        "ellas ellos en entre era erais eran eras eres es esa esas ese eso esos esta estaba estabais estaban "
        "estabas estad estada estadas estado estados estamos estando estar estaremos estará estarán estarás estaré "
        "estaréis estaría estaríais estaríamos estarían estarías estas este estemos esto estos estoy estuve "
        "estuviera estuvierais estuvieran estuvieras estuvieron estuviese estuvieseis estuviesen estuvieses "
        "estuvimos estuviste estuvisteis estuviéramos estuviésemos estuvo está estábamos estáis están estás esté "
        "estéis estén estés fue fuera fuerais fueran fueras fueron fuese fueseis fuesen fueses fui fuimos fuiste "
        "fuisteis fuéramos fuésemos ha habida habidas habido habidos habiendo habremos habrá habrán habrás habré "
        "habréis habría habríais habríamos habrían habrías habéis había habíais habíamos habían habías han has "
        "hasta hay haya hayamos hayan hayas hayáis he hemos hube hubiera hubierais hubieran hubieras hubieron "
        "hubiese hubieseis hubiesen hubieses hubimos hubiste hubisteis hubiéramos hubiésemos hubo la las le les lo "
        "los me mi mis mucho muchos muy más mí mía mías mío míos nada ni no nos nosotras nosotros nuestra nuestras "
        "nuestro nuestros o os otra otras otro otros para pero poco por porque que quien quienes qué se sea seamos "
        "sean seas sentid sentida sentidas sentido sentidos seremos será serán serás seré seréis sería seríais "
        "seríamos serían serías seáis siente sin sintiendo sobre sois somos son soy su sus suya suyas suyo suyos sí "
        "también tanto te tendremos tendrá tendrán tendrás tendré tendréis tendría tendríais tendríamos tendrían "
        "tendrías tened tenemos tenga tengamos tengan tengas tengo tengáis tenida tenidas tenido tenidos teniendo "
        "tenéis tenía teníais teníamos tenían tenías ti tiene tienen tienes todo todos tu tus tuve tuviera "
        "tuvierais tuvieran tuvieras tuvieron tuviese tuvieseis tuviesen tuvieses tuvimos tuviste tuvisteis "
        "tuviéramos tuviésemos tuvo tuya tuyas tuyo tuyos tú un una uno unos vosotras vosotros vuestra vuestras "
        "vuestro vuestros y ya yo él éramos"
    ),
    "ru": listed(
        "а без более больше будет будто бы был была были было быть в вам вас вдруг ведь во вот впрочем все всегда "
        "всего всех всю вы где да даже два для до другой его ее ей ему если есть еще ж же за зачем здесь и из или "
        "им иногда их к как какая какой когда конечно кто куда ли лучше между меня мне много может можно мой моя мы "
        "на над надо наконец нас не него нее ней нельзя нет ни нибудь никогда ним них ничего но ну о об один он она "
        "они опять от перед по под после потом потому почти при про раз разве с сам свою себе себя сейчас со совсем "
        "так такой там тебя тем теперь то тогда того тоже только том тот три тут ты у уж уже хорошо хоть чего чем "
        "через что чтоб чтобы чуть эти этого этой этом этот эту я"
    ),
    "zh": listed("的 了 是 在 和 也 不 就 都 而 及 与 着 或 很 到 这 那 有 我 你 他 她 它 们 吗 呢 吧 啊"),
    "ja": listed("は が を に で と も の へ や か な だ た て し"),
}


def a_listed_language(value: Any) -> str:
    """The validator of the kwarg `language`."""
    return "" if value in STOP_WORDS else f"it must be one of {', '.join(STOP_WORDS)}"


def occurrences(text: str, lists: Mapping[str, frozenset[str]], language: str) -> list[str]:
    """Every occurrence of an entry of the language's list, in lower case; the longest where several begin."""
    if language in SPACELESS_LANGUAGES:
        longest_first = sorted(lists[language], key=len, reverse=True)
        return re.findall("|".join(map(re.escape, longest_first)), text)
    return [word for word in map(str.lower, word_runs(text)) if word in lists[language]]
