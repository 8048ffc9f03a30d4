"""The words that are judged, as data: lower case, hyphens as spaces. ``grammar`` gives them their sense.

Accents may be left out by who writes a prompt, so they are here only for the reader; a word that begins with ``=`` means
another thing without them.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import product as _pairs


def _list(text: str) -> frozenset[str]:
    """The entries between the commas of ``text``."""
    return frozenset(" ".join(entry.split()) for entry in text.split(",") if entry.strip())


def _each(first: str, second: str) -> frozenset[str]:
    """Every entry of ``first`` before every one of ``second``."""
    return frozenset(f"{a} {b}" for a, b in _pairs(_list(first), _list(second)))


def unmarked(words: frozenset[str]) -> frozenset[str]:
    """``words`` without their accents, and without those that mean another thing so."""
    plain = (unicodedata.normalize("NFD", word.casefold()) for word in words if not word.startswith("="))
    bare = ("".join(c for c in word if unicodedata.category(c) != "Mn") for word in plain)
    return frozenset(unicodedata.normalize("NFC", word) for word in bare)


def any_of(words: frozenset[str]) -> str:
    """A pattern of any of ``words``, the longest first."""
    return f"(?:{'|'.join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))})".replace("\\ ", " ")


# ------------------------------------------------------------------------------------------------------------- minors

MINORS = _list("""
    young lad, little lad, wee lad, young lass, little lass, bub, buben, ado en, ado avec, tweenage, barely a woman, barely a man,
    not a woman yet, not yet a woman, under aged, teenie, göre, une ado, un ado, muchachita, muchachito, una menor, un menor, una minore,
    un minore, uma menor, um menor, ragazzetta, ragazzetto, menininha, menininho, kind im, kind mit, child, children, kid, boy, girl, teen,
    teenager, teenage, teenaged, teenybopper, toddler, baby, babies, infant, schoolgirl, schoolboy, school girl, school boy, school age,
    school aged, schoolchild, schoolchildren, school child, school children, schoolkid, school kid, school uniform, minor, underage,
    under age, underaged, not of age, age of consent, adolescent, preteen, pre teen, tween, tweenager, juvenile, youngster, childlike,
    child like, childish, lolita, loli, lolicon, shota, shotacon, newborn, new born, pupil, kindergartner, kindergartener, kindergarten,
    preschooler, preschool, little one, high schooler, middle schooler, grade schooler, middle school, elementary school, primary school,
    grade school, high school, highschool, junior high, secondary school, tot, daughter, grandchild, grandchildren, granddaughter,
    grandson, stepdaughter, stepson, youth, youths, kiddo, kiddie, jailbait, nymphet, barely legal, prepubescent, pre pubescent, pubescent,
    prepuberty, puberty, rugrat, bairn, lassie, laddie, wee lass, street urchin, baby face, baby faced, babyface, babyfaced, sweet sixteen,
    sweet 16, gen alpha, generation alpha, ageplay, age regression, middle schoolers, girl scout, boy scout, not an adult, not adult,
    non adult, no adult, isn t an adult, not yet an adult, not a grown up, not grown up, girly girl, tiny tot, crotchfruit, littlegirl,
    littleboy, younggirl, youngboy, =niña, =niño, =niñas, =niños, ninita, ninito, nina pequena, nina de, chiquilla, chiquillo, adolescente,
    adolescentes, menor de edad, menores de edad, colegiala, colegial, quinceañera, quinceañero, escolar, =bebé, nena, nene, =crío, =cría,
    jovencita, mädchen, maedchen, maedel, mädel, schulmädchen, schülerin, schüler, teenagerin, jugendliche, jugendlicher, jugendlichen,
    minderjährig, minderjährige, minderjähriger, minderjährigen, kleinkind, säugling, kinder, kindes, kindern, schulkind, schulkinder,
    bübchen, kleiner junge, kleinen jungen, junges ding, ein junge, einen jungen mit, knabe, knaben, ein kind, das kind, dem kind,
    kleines kind, fille, fillette, garçon, garçonnet, enfant, enfants, bébé, gamine, gamin, gosse, ados, adolescents, mineur, mineure,
    mineurs, écolière, écolier, collégienne, collégien, lycéenne, lycéen, nymphette, bambine, bambina, bambino, bambini, bimba, bimbo,
    bimbi, bimbe, ragazzina, ragazzino, ragazzine, ragazzini, minorenne, minorenni, adolescenti, neonata, neonato, fanciulla, fanciullo,
    scolara, scolaretta, liceale, figlia, figlio, figlioletta, menina, menino, criança, crianças, garotinha, garotinho, bebê, miúda, miúdo,
    menor de idade, menores de idade, moleque, девочка, девочки, девочку, девочкой, мальчик, мальчика, мальчики, ребёнок, ребёнка, дети,
    детей, подросток, подростка, подростки, школьница, школьницу, школьник, малолетка, малолетняя, несовершеннолетняя, несовершеннолетний,
    младенец, малыш, малышка, meisje, meisjes, jongetje, jongen, tiener, kleuter, minderjarig, minderjarige, een kind, flicka, flickor,
    pojke, tonåring, pige, dreng, jente, tyttö, poika, lapsi, dziewczynka, dziewczynki, chłopiec, dziecko, nastolatka, nastolatek,
    nieletnia, holčička, kluk, dítě, kislány, gyerek, fetiță, băiețel, copil, kız çocuğu, çocuk, liseli, κορίτσι, αγόρι, παιδί, έφηβη,
    дівчинка, хлопчик, дитина, طفلة, طفل, قاصر, مراهقة, बच्ची, बच्चा, लड़की, नाबालिग, anak perempuan, anak kecil, bé gái, trẻ em, เด็กหญิง,
    👧, 👦, 🧒, 👶,
""") | _each("her, his, a, my, their, the, our, your, little, young, english", "son, sons") | _each(
    "child, children, kid, kids, baby, teen", "free as, free from, free in, free with, free and, free spirit, free to")  # fmt: skip
MINORS_ANYWHERE = tuple(
    _list("""
    少女, 少年, 幼女, 幼児, 女児, 男児, ロリ, ショタ, 女の子, 男の子, 子供, 子ども, こども, 赤ちゃん, 未成年, 女子高生, 女子中学生, 小学生,
    中学生, 高校生, 女学生, ティーン, 女孩, 男孩, 女童, 男童, 儿童, 兒童, 小孩, 孩子, 婴儿, 嬰兒, 萝莉, 蘿莉, 正太, 高中生, 初中生, 幼童,
    소녀, 소년, 어린이, 여자아이, 남자아이, 미성년, 여고생, 여중생, 초등학생, 중학생, 고등학생, 아기, 👧, 👦, 🧒, 👶, 🔞,
""")
)
"""Of languages that are written without spaces, and pictures: looked for anywhere."""
NOT_MINORS = (
    _each("baby", """
        blue, pink, yellow, green, lilac, lavender, purple, mint, rose, pastel, alpaca, cashmere, wool, llama, lamb, camel, merino, cord,
        corduroy, tee, tees, t, t shirt, tshirt, top, doll, hair, hairs, bangs, heel, heels, bump, s breath, soft, knit, rib, collar, cut,
        rosa, blau, bleu, azul, celeste, denim, check, gingham, suri, g""")
    | _each("baby doll, babydoll", "dress, dresses, top, tops, blouse, blouses, sleeve, sleeves, collar, style, tee, tunic, shirt")
    | _each("azul, rosa, bleu, rose, celeste, verde, azzurro, vert, blau", "bebé, bebê, bebe, baby, enfant, bambino")
    | _each("kid", "leather, suede, glove, gloves, mohair, skin, leathers, lining, heel, heels, goatskin")
    | _each("boy", "short, shorts, cut, fit, leg, legs, style, london, brief style, jeans")
    | _each("baker, news, paper, bell, cow, tom, stable", "boy, boys, boy cap, boy hat")
    | _each("child of the", "sixties, seventies, eighties, nineties, 60, 70, 80, 90, sun, fifties, revolution")
    | _each("flower, love, wild, inner", "child, child style")
    | _each("karate, billy the, sundance", "kid")
    | _each("beastie, backstreet, pet shop", "boys")
    | _each("spice, golden, gilmore", "girls")
    | _each("gossip, flapper, working, it", "girl, girls, girl style")
    | _each("boy, girl", "band, bands, boss, bosses, power, group, groups")
    | _each("girls, girls s", "night, night out, trip")
    | _each("girl next door", "look, style, charm")
    | _each("teen", "vogue, spirit")
    | _each("youth", "hostel, hostels, centre, center, club, culture, orchestra")
    | _each("eye, eyes, iris and, black", "pupil, pupils")
    | _each("child, children, kid, kids, baby, teen, adolescent", "free")
    | _each("child s, children s, childrens, kid s", "drawing, drawings, book, books, doodle, doodles, charity")
    | _each("primary school, high school, middle school, elementary school, secondary school, grade school, kindergarten, preschool",
            "teacher, teachers, principal, librarian, headmistress, headmaster, counsellor, counselor")
    | _each("baby", "shower, shower dress, shower outfit")
    | _each("grandson s, granddaughter s, daughter s, her son s, his son s, their son s, the son s",
            "wedding, graduation, christening, scarf, coat, jacket, hat, cap, jumper, sweater, shirt")
    | _each("minor", """
        detail, details, tweak, tweaks, league, update, nod, change, changes, stain, fading, fade, distress, distressing, wear,
        crease, creases, flaw, flaws, adjustment, adjustments, accent, accents, alteration, alterations, key, imperfection,
        imperfections, wrinkle, wrinkles, element, elements, texture, contrast, variation, variations, difference, differences,
        pleat, pleats, scale, pattern, trim, folds, fold, gathers""")
    | _list("""
        garçon manqué, coupe garçonne, dilated pupil, dilated pupils, or mineur, bon enfant, comme des garçons, enfant terrible,
        high school reunion, kids mohair, sonic youth, teenage mutant ninja turtles, youth size, youth sizes""")
)  # fmt: skip

# ------------------------------------------------------------------------------------------------------------- undress

UNDRESSED = _list("""
    nekkid, nekid, neked, nakid, nakd, nkaed, naekd, nakde, nued, ndue, nvde, nakey, nood, noods, noodz, nudie, nudez, nudità, nudism,
    nudisme, nudismo, nudiste, nudista, nudisten, nackedei, nackisch, akt einer, akt eines, weiblicher akt, männlicher akt, aktzeichnung,
    aktstudie, lewd, lewds, pussy, cunt, blowjob, handjob, dildo, rule 34, r34, futanari, ahegao, milf, adult film, explicit content,
    uncensored, au natural, in eve s costume, in adam s costume, tenue d ève, tenue d adam, como su madre la trajo, como su madre lo trajo,
    x ray dress, not wearing a stitch, isn t wearing a stitch, undresses, in bare skin, in her bare skin, in his bare skin, bare assed,
    going commando, adult content, 18 + content, 18 + only, orgasm, masturbating, masturbation, topfree, nakedly, clothes none,
    clothing none, outfit none, top none, attire none, absolutely nothing, literally nothing, nothing covering, nothing to cover,
    nothing on her, nothing on his, clothless, garmentless, clothes less woman, clothing less woman, clothes less man, stripped of,
    stripped to the waist, stripped to the skin, breast out, breasts out, tits out, nipple out, bare from, bare below, bare above,
    bare to the waist, x ray clothing, x ray clothes, como dios la trajo, como dios lo trajo, come dio l ha fatta, come dio l ha fatto,
    nackig, fkk, seno scoperto, a seno scoperto, нагота, голенькая, голенький, в одной улыбке, towel dropping, towel falling,
    towel slipping, robe open, robe fallen, her robe open, nudes, nudity, nakedness, undressed, topless, bottomless, undressing, undress,
    unclothed, unclad, unattired, ungarbed, shirtless, trouserless, skirtless, clothesless, clotheless, pantless, pantsless, pantyless,
    braless, bra less, no bra, bare chested, barechested, bare chest, bare breasted, bare breast, bare breasts, barebreasted, bare bosom,
    bare bottom, bare bottomed, bare butt, bare ass, bare bum, bare buttocks, bare torso, bare body, bare bodied, bare nipple,
    bare skinned, bare naked, bare all, bares all, baring all, bare woman, bare man, bare lady, completely bare, totally bare, fully bare,
    entirely bare, nothing but bare skin, only bare skin, all bare skin, just bare skin, lingerie, underwear, undergarments, underpants,
    undies, bra, panties, panty, thong, g string, bikini, swimsuit, swimwear, bathing suit, speedo, knickers, briefs, boxers, boxer shorts,
    boxer briefs, negligee, babydoll, baby doll, nightie, garters, garter belt, nipple, breasts, buttocks, butt cheeks, buttcrack,
    genitals, genitalia, private parts, nsfw, porn, porno, pornographic, pornography, pornstar, porn star, erotic, erotica, fetish, bdsm,
    bondage, stripping, striptease, strip tease, stripper, strips naked, stripped naked, stripped bare, stripped down, strips down,
    stripped off, disrobed, disrobing, disrobe, in the buff, in the raw, in the altogether, in her altogether, in his altogether,
    in the nip, in the nuddy, nuddy, starkers, birthday suit, birthday suits, skyclad, sky clad, clothing optional, clothes free,
    clothesfree, clothing free, nudist, naturist, naturism, nothing on, nothing else, nothing more, nothing underneath, nothing under,
    nothing beneath, nothing below, nothing at all, wearing nothing, wears nothing, wore nothing, dressed in nothing, clad in nothing,
    clothed in nothing, clothed in air, clad in air, wearing air, wearing naught, naught on, not a stitch, without a stitch, not a thread,
    not a thing on, clothes off, top off, kit off, pants off, trousers off, shirt off, dress off, skirt off, bra off, half dressed,
    half clothed, half clad, barely dressed, barely clothed, barely clad, barely covered, hardly dressed, hardly clothed,
    partially dressed, partly dressed, partially clothed, scantily clad, scantily, scantily dressed, underboob, sideboob, upskirt,
    downblouse, wet t shirt, wet tshirt, nip slip, wardrobe malfunction, sex, sexual, sexually explicit, having sex, sex tape, hentai,
    ecchi, xxx, x rated, r18, boob, boobies, tits, titties, areola, areolae, vagina, vulva, penis, phallus, dick pic, pubic, pubes, crotch,
    crotchless, pasties, body paint, bodypaint, body painted, open shirt, cameltoe, camel toe, cameltoes, exposed breasts, exposed body,
    exposed chest, exposed bottom, exposed skin only, fully exposed, indecent, indecently, exposing herself, exposing himself,
    exposing themselves, onlyfans, only fans, playboy, playmate, skin only, only skin, only her skin, only his skin, wearing her skin,
    in her own skin only, in the flesh only, covering her breasts, hand bra, handbra, boudoir, as god made her, as god made him,
    as nature made her, as nature made him, as nature intended, state of nature, as she was born, as he was born, the way she was born,
    the day she was born, the day he was born, disrobes, peeled off her, garbed in nothing, birthday clothes, emperor s new clothes,
    emperors new clothes, in a state of undress, state of undress, au naturel, fishnet, gogo dancer, free the nipple, not dressed,
    not clothed, not covered, isn t dressed, never dressed, clothes on the floor, clothes are gone, clothes have vanished,
    clothes disappear, invisible clothes, invisible clothing, invisible dress, invisible outfit, desnuda, desnudo, desnudas, desnudos,
    desnudez, semidesnuda, semidesnudo, desvestida, desvestido, encuerada, encuerado, en cueros, en pelotas, en bolas, pelada, pelado,
    lencería, ropa interior, bragas, sujetador, tanga, biquini, bañador, traje de baño, sin nada, sin ropas, solo piel, tetas,
    nada de ropa, en topless, semi desnuda, nada puesto, a pecho descubierto, descamisado, nu, nue, nus, nues, dénudé, dénudée, dénudés,
    dénudées, dévêtu, dévêtue, déshabillé, déshabillée, à poil, sans rien, nudité, sous vêtements, soutien gorge, petite culotte,
    maillot de bain, rien d autre, rien sur elle, seins, torse nu, toute nue, tout nu, en tenue d ève, en tenue d adam,
    dans le plus simple appareil, cul nu, porte rien, fesses, nackt, nackte, nackter, nackten, nacktem, nacktes, splitternackt,
    unbekleidet, unbekleidete, unbekleideter, entblößt, entblößte, entblösst, entkleidet, entkleidete, ausgezogen, oben ohne, unten ohne,
    ohne hose, ohne hosen, ohne rock, ohne jeans, barbusig, barbusige, textilfrei, hüllenlos, evakostüm, adamskostüm, evaskostüm,
    unterwäsche, reizwäsche, dessous, badeanzug, büstenhalter, schlüpfer, nichts an, trägt nichts, ohne was an, ohne etwas an, aktmodell,
    aktfoto, aktbild, aktfotografie, nichts darunter, nichts drunter, brüste, busen, im evakostüm, im adamskostüm, wie gott sie schuf,
    wie gott ihn schuf, nuda, nudo, nudi, ignuda, ignudo, svestita, svestito, spogliata, spogliato, spogliarello, denudata, denudato,
    discinta, seminuda, seminudo, senza niente, senza nulla, biancheria intima, intimo donna, mutande, mutandine, reggiseno, perizoma,
    costume da bagno, niente addosso, nulla addosso, in costume adamitico, come mamma l ha fatta, come mamma l ha fatto, tette,
    a seno nudo, torso nudo, a petto nudo, nua, nuas, despida, despido, despidas, seminua, seminu, peladas, roupa íntima, calcinha,
    calcinhas, sutiã, cueca, cuecas, maiô, biquíni, fio dental, sem nada, sem roupas, sem nada vestido, seios, peito nu,
    como veio ao mundo, como vino al mundo, голая, голый, голое, голые, голого, голой, голую, голым, голых, голышом, нагишом, нагая, нагой,
    нагие, нагую, нагого, обнажённая, обнажённый, обнажённой, обнажённую, обнажённые, обнажена, обнажён, полуголая, полуголый,
    полуобнажённая, раздетая, раздетый, раздета, раздетую, топлес, топлесс, ню, неодетая, нижнее бельё, нижнем белье, бельё, купальник,
    бикини, лифчик, трусы, трусики, порно, эротика, эротическая, сиськи, грудь голая, в чем мать родила, стриптиз, naakt, naakte, bloot,
    blote borsten, ondergoed, halfnaakt, naken, nakna, naket, nakent, nøgen, nøgne, alaston, nago, naga kobieta, nagą, nagiej, goła, goły,
    roznegliżowana, rozebrana, bez ubrania, bez ubrań, nahá, nahý, bez oblečení, meztelen, goală, dezbrăcată, fără haine, çıplak,
    çırılçıplak, kıyafetsiz, γυμνή, γυμνός, γυμνό, χωρίς ρούχα, гола, оголена, роздягнена, عارية, عاري, عري, बिना कपड़े, नग्न, नंगी, नंगा,
    telanjang, bugil, khỏa thân, khoả thân, trần truồng, เปลือย, зовсім гола,
""")  # fmt: skip
UNDRESSED_ANYWHERE = tuple(
    _list("""
    全裸, 半裸, 裸体, 裸體, 裸身, 裸女, 裸男, 裸照, 裸露, 赤裸, 赤身, 赤膊, 一丝不挂, 一絲不掛, 没穿衣, 没穿衣服, 沒穿衣服, 没有穿衣,
    不穿衣, 未穿衣, 没穿, 沒穿, 不着寸缕, 光着身子, 光身, 光屁股, 脱光, 脫光, 脱衣, 脫衣, 脱掉, 脫掉, 无衣, 上空, 内衣, 內衣, 内裤, 內褲,
    胸罩, 文胸, 比基尼, 泳衣, 泳装, 色情, 情趣, 透视装, 露点, 露點, 乳头, 乳頭, 乳房, 只穿, 仅穿, 春宫, 脱ぎ, 脱いで, 脱いだ, はだか,
    ハダカ, すっぽんぽん, 服を着ていない, 服を着てない, 服なし, 服を着ず, 何も着て, 何も身に, 何も着ずに, 下着, ランジェリー, トップレス,
    ノーブラ, 水着, ビキニ, エロ, ポルノ, おっぱい, 乳首, 누드, 나체, 알몸, 벌거벗, 옷을 벗, 벗은, 속옷, 비키니, 노출, 👙, 🔞, 🩱, 🩲,
""")
)
FINE_BODY = _list("""
    shoulder, arm, forearm, leg, ankle, foot, feet, calf, calves, back, neck, hand, wrist, knee, head, midriff, waist, collarbone, face,
    lip, lips, nail, nails, toe, toes, eye, eyes, hair, skin tone, elbow, hombro, hombros, brazo, brazos, pierna, piernas, pie, pies,
    espalda, tobillo, tobillos, cuello, rodillas, labios, uñas, épaule, épaules, bras, jambe, jambes, pied, pieds, dos, cheville,
    chevilles, nuque, cou, tête, mains, mollets, genoux, œil, oeil, avant bras, schulter, schultern, arme, beine, füße, füsse, füßen,
    füssen, rücken, knöchel, hals, hände, knie, armen, beinen, fuß, fuss, spalla, spalle, braccia, gambe, piedi, schiena, caviglie, collo,
    ginocchia, unghie, labbra, occhio, mani, ombro, ombros, braços, pernas, pés, pé, costas, tornozelos, pescoço, joelhos, mãos, плечи,
    плечами, руки, руками, ноги, ногами, колени, стопы, спина, ступни, лодыжки,
""")  # fmt: skip
"""Parts that clothes leave free."""
_BARE = "desnudo, desnuda, desnudos, desnudas, nu, nue, nus, nues, nudo, nuda, nude, nudi, nua, nuas, descubierto, descubiertos"
_BARE_BEFORE = """голые, голыми, голая, обнажённые, обнажёнными, nackt, nackte, nackten, nackter, nacktem, bloße, bare,
    entblößte, entblößten, naked, nude, uncovered, exposed, undressed"""
NOT_UNDRESSED = (
    frozenset(f"{part} {bare}" for part in FINE_BODY for bare in _list(_BARE))
    | frozenset(f"{bare} {part}" for part in FINE_BODY for bare in _list(_BARE_BEFORE))
    | _each("pussy", "bow, bows, willow, cat, cat bow")
    | _each("au natural, au naturel", "make up, makeup, hair, look, hairstyle, beauty, tones, colours")
    | _each("les, ses, des, aux, deux, le, ces, tes, mes, sous les, vos", "bras")
    | _each("bras", "nus, croises, leves, ballants, le long, de, en")
    | _each("drop, dropped, low, deep, gusseted, high, reinforced", "crotch")
    | _each("crotch", "seam, gusset, length, depth, panel")
    | _each("fishnet", "tights, stockings, gloves, sleeves, socks, hosiery, knit, bag, panel, overlay, vest over, top over, jumper over")
    | _each("thong", "sandal, sandals, heel, heels, flip flops, flats, slippers")
    | _each("no, without, not", "nothing")
    | _each("nothing underneath, nothing under, nothing beneath", "the collar, the lapel, the lapels, the hood, the belt")
    | _each("in the buff", "coat, jacket, dress, suit, trousers, shirt, skirt, leather, suede, colour, color, shade")
    | _each("stripped", "back, back dress")
    | _each("stripped down", """minimalist, minimal, simple, design, look, silhouette, style, aesthetic, dress, coat, suit, blazer, shirt,
        version, tailoring, wardrobe, elegance""")
    | _each("in the raw", "silk, denim, linen, cotton, edge, hem, selvedge")
    | _each("wearing nothing, wears nothing, nothing", "special, too special, fancy, too fancy, flashy, too flashy, formal, too formal")
    | _each("robe, robe style, vestido, abito, top, haut, blouse, blusa, kleid im stil", "babydoll, baby doll")
    | _each("nu", "pieds, pied, metal, disco, rave, jazz, wave, folk, look, age, thread")
    | _each(
        "top off, shirt off, dress off, skirt off, trousers off, pants off", "white, the shoulder, shoulder, the shoulders, duty, black"
    )
    | _each("nothing", "more than a dress, but elegance, too")
    | _each("color, colore, tono, tinta, rossetto, scarpe, calze, cipria", "nudo")
    | _each("ropa interior", "tecnica")
    | _each("same, opposite, either, uni, any", "sex")
    | _each("sex", "and the city, pistols, pistol, on fire")
    | _each("de, por, la, en", "dessous")
    | _each("au, ci, par, du, vu de, de", "dessous")
    | _each("bondage", "trousers, pants")
    | _list("""
    naked and famous, naked famous, naked eye, naked palette, oben ohne ärmel, mise a nu, cabeza pelada, melocoton pelado,
    nothing else matters, undressed leather, undressed suede, poil long, poil court, open shirt over, open shirt collar, private parts of,
    ausgezogene schuhe,
""")
)  # fmt: skip

# ------------------------------------------------------------------------------------------------------ what is worn

WHOLE = _list("""
    sweater dress, jumper dress, jump suit, dress, gown, frock, sundress, minidress, shirtdress, jumpsuit, playsuit, romper, overalls,
    dungarees, boilersuit, boiler suit, suit, tuxedo, kimono, sari, saree, abaya, kaftan, caftan, uniform, outfit, ensemble, pyjamas,
    pajamas, tracksuit, catsuit, pantsuit, kurta, maxi, lbd, robe, robes, djellaba, cheongsam, qipao, hanbok, dirndl, toga, pinafore,
    onesie, coverall, coveralls, unitard, bodysuit, vestido, vestidos, mono, traje, kleid, kleider, abendkleid, anzug, overall, abito,
    vestito, tuta, completo, combinaison, costume, tailleur, smoking, fato, terno, macacão, платье, комбинезон, костюм,
""")  # fmt: skip
UPPER = _list("""
    top, shirt, tshirt, t shirt, tee, blouse, sweater, jumper, pullover, sweatshirt, turtleneck, polo, henley, tank, vest, singlet,
    camisole, cami, hoodie, tunic, knit, bodice, croptop, crop top, halter, corset, bustier, longsleeve, bralette, hoody, muscle shirt,
    camisa, camiseta, blusa, jersey, suéter, camisola, chemise, haut, chemisier, pull, débardeur, hemd, bluse, oberteil, pulli, camicia,
    maglietta, maglia, maglione, canotta, рубашки, рубашка, футболки, футболка, блузки, верха, knitwear, flannel, breton, button down,
    button up, long sleeve, polo neck, roll neck, graphic tee,
""")  # fmt: skip
LOWER = _list("""
    trousers, pants, jeans, skirt, shorts, leggings, slacks, chinos, culottes, joggers, sweatpants, bottoms, bottom, miniskirt, kilt,
    sarong, capris, jeggings, denims, cords, khakis, flares, bermudas, palazzos, breeches, trouser, pant, mini, midi, denim, pantalones,
    pantalón, falda, vaqueros, pantalon, jupe, short, pantaloni, gonna, calças, calça, saia, штанов, штаны, юбки, юбка, брюк, брюки,
    palazzo,
""")  # fmt: skip
UNDER = _list("""
    bra, underwear, panties, panty, knickers, briefs, boxers, undies, undergarments, bh, unterwäsche, sujetador, bragas, ropa interior,
    culotte, soutien gorge, reggiseno, mutande, mutandine, sutiã, calcinha, roupa íntima, белья, лифчика, трусов, underpants, lingerie,
""")  # fmt: skip
OUTER = _list("""
    jacket, coat, blazer, cardigan, overcoat, topcoat, raincoat, trench, trenchcoat, mac, parka, poncho, cape, cloak, shawl, anorak, gilet,
    waistcoat, overshirt, windbreaker, bomber, kimono jacket, duster, shacket, cardi, sport coat, wrap, stole, chaqueta, abrigo, veste,
    manteau, jacke, mantel, giacca, cappotto, jaqueta, casaco, жакет, пальто, hoodie, sweater, jumper, pullover,
""")  # fmt: skip
CLOTHES = _list("""
    clothes, clothing, cloth, clothings, garment, garments, attire, apparel, garb, covering, coverings, coverage, outfit, anything, duds,
    threads, wear, dressing, ropa, ropas, prenda, prendas, vestimenta, vêtement, vêtements, habits, fringues, tenue, kleidung, kleider,
    kleidungsstück, kleidungsstücke, klamotten, bekleidung, vestiti, abiti, indumenti, roupa, roupas, vestes, vestuário, одежды, одежда,
    kleren, ubrania, haine, oblečení, kläder, kleidern, stitch of clothing,
""")  # fmt: skip
PART = _list("""
    sleeve, sleeves, sleeved, collar, cuff, cuffs, pocket, pockets, hem, hems, seam, seams, stitching, zip, zipper, button, buttons,
    lining, trim, panel, panels, yoke, insert, inserts, overlay, overskirt, layer, layers, ruffle, ruffles, frill, frills, lace, ribbon,
    bow, belt, waistband, strap, straps, hood, lapel, lapels, pleat, pleats, train, back, neckline, shoulder, shoulders, piping, fringe,
    sequins, beads, embroidery, applique, print, pattern, stripe, stripes, dot, dots, floral, flower, flowers, code, vent, vents, line,
    stitch, peg, pegs, rack, tail, tails, side, half, part, detail, details, brand, logo, edge, edging, buckle, bib, gusset, mangas, manga,
    manches, ärmel, ärmeln, maniche, pizzo, dentelle, encaje, renda, spitze, einsätze, einsätzen, kragen, insets, godet, tier, tiers, neck,
""")  # fmt: skip
ACCESSORY = _list("""
    runners, kicks, plimsolls, converse, mary janes, janes, moccasins, derbies, derby, high tops, heel, heels, pump, pumps, shoe, shoes,
    sandal, sandals, stiletto, stilettos, mule, mules, boot, boots, bootie, booties, flat, flats, loafer, loafers, ballerina, ballerinas,
    slipper, slippers, trainer, trainers, sneaker, sneakers, espadrilles, wedge, wedges, footwear, brogues, oxfords, slingbacks, slingback,
    clog, clogs, sock, socks, tights, stocking, stockings, hosiery, pantyhose, legwarmers, glove, gloves, mitten, mittens, bag, clutch,
    handbag, tote, purse, backpack, belt, hat, cap, beret, beanie, veil, scarf, shawl, necklace, ring, rings, earring, earrings, bracelet,
    bracelets, watch, tie, bowtie, jewellery, jewelry, jewels, pearls, chain, glasses, sunglasses, frames, umbrella, apron, towel, sheet,
    bedsheet, blanket, curtain, fan, smile, grin, perfume, crown, tiara, mask, sash, headscarf, hijab, turban, headband, anklet, pin,
    brooch, visor, zapato, zapatos, tacón, tacones, sandalia, sandalias, mocasines, botas, medias, bolso, cinturón, escarpin, escarpins,
    chaussure, chaussures, souliers, talons, sandales, bottes, collants, sac, ceinture, schuh, schuhe, absätze, stiefel, stiefeletten,
    strumpfhose, tasche, gürtel, sandalen, scarpa, scarpe, tacchi, sandali, stivali, borsa, cintura, décolleté, sapato, sapatos, saltos,
    sandálias, meias, bolsa, cinto, sonrisa, sourire, lächeln, sorriso, collar de, collier, halskette, collana, colar, sombrero, chapeau,
    hut, cappello, chapéu, improvised,
""")  # fmt: skip
STUFF = _list("""
    colour, color, coloured, colored, colours, colors, shade, shades, tone, tones, toned, hue, hues, palette, scheme, dye, tint, lipstick,
    lip, lips, gloss, nail, nails, polish, manicure, pedicure, makeup, make up, make, eyeshadow, blush, foundation, leather, suede, satin,
    silk, chiffon, tulle, mesh, lace, linen, wool, cashmere, cotton, jersey, knit, fabric, cloth, material, patent, crepe, organza, velvet,
    viscose, denim, fur, nubuck, beige, pink, brown, tan, peach, background, backdrop, wall, lining, accessories, accents, accent, basics,
    neutrals, neutral, farben, farbe, farbene, farbenes, farbener, farbenen, ton, teinte, couleur, tono, tonos, cor, tom, colore, tonalità,
    rossetto, lippenstift, smalto, nagellack, vernis, base, undertone, undertones, story, separates, sole, soles, knitwear, footbed,
    finish, set,
""")  # fmt: skip
COLOURS = _list("""
    black, white, grey, gray, beige, cream, ivory, tan, camel, brown, red, blue, navy, green, pink, blush, gold, silver, burgundy, khaki,
    taupe, sand, ecru, champagne, rose, peach, coral, caramel, mocha, yellow, orange, purple, lilac, olive, rust, terracotta, negro, negra,
    blanco, noir, blanc, noire, blanche, schwarz, weiß, weiss, nero, bianco, preto, branco, rouge, rojo, rosso, vermelho, bronze, copper,
    metallic, mauve, nude, neutral, pastel,
""")  # fmt: skip
PERSON = _list("""
    woman, women, lady, ladies, female, females, man, men, male, males, guy, gentleman, person, people, model, models, figure, figures,
    human, humans, body, bodies, torso, blonde, brunette, redhead, beauty, goddess, babe, chick, wife, husband, girlfriend, actress, actor,
    dancer, mother, father, mom, mum, dad, grandmother, grandfather, couple, businesswoman, businessman, bride, housewife, secretary,
    someone, somebody, she, he, her, him, his, self, celebrity, statue, muse, mannequin, portrait, photo, photograph, photography, picture,
    image, art, painting, sculpture, beach, scene, selfie, pose, poses, study, shoot, sunbathing, yoga, breast, chest, breasts, bottom,
    butt, ass, scenes, drawing, sketch, form, physique, skinned, everyone, nurse, teacher, queen, princess, warrior, elf, mature, mujer,
    mujeres, hombre, hombres, chica, chicas, modelo, señora, señorita, persona, femme, femmes, homme, hommes, dame, modèle, personne, frau,
    frauen, mann, männer, modell, donna, donne, uomo, uomini, ragazza, ragazze, ragazzo, modella, modelle, signora, mulher, mulheres,
    homem, homens, moça, garota, pessoa, женщина, мужчина, девушка,
""")  # fmt: skip
OF_AGE_PERSON = _list("""
    lass, lad, girl, girls, boy, boys, woman, women, lady, female, man, male, guy, gentleman, blonde, brunette, redhead, beauty, actress,
    actor, dancer, chick, babe, businesswoman, businessman, mujer, hombre, chica, chico, femme, homme, frau, mann, donna, uomo, ragazza,
    ragazzo, mulher, homem, moça, garota, muchacha, muchacho, she, he, young, student, girlfriend, boyfriend, bride, teacher,
""")  # fmt: skip
"""Whom a number beside them makes so many years old. A ``model`` or ``figure`` may have a number for a name."""

# ---------------------------------------------------------------------------------------------------------- of ages

NUMBERED_PERSON = _list("model, person, figure, somebody, someone, modelo, modell, modele, modella, persona, personne, pessoa")
"""Who may have a number for a name, so that only commas make it an age."""
YEARS = _list("""
    year, years, yr, yrs, y, yo, yos, ans, años, anos, anni, jahre, jahren, jährig, jährige, jähriger, jährigen, jähriges, лет, год, года,
    летний, летняя, летнюю, jaar, år, lat, yaş, yaşında, let, éves, ani, summers, winters, springs,
""")  # fmt: skip
NO_AGE = _list("""
    garantie, garantia, garanzia, de garantie, de garantia, di garanzia, erfahrung, d experience, de experiencia, warranty, guarantee, ago,
    later, of experience, of style, of fashion, of design, of wear, of use, of history, of work, experience, in, anniversary, collection,
    plan, edition,
""")  # fmt: skip
"""What follows years that are not somebody's."""
AGED = _list(
    "aged, age, ages, alter, age of, age is, im alter von, idade, età, edad, âge, âgée, with age, turning, turned, of age"
)
SUBJECTS = _list(
    "she, he, who, they, i, woman, man, girl, model, person, lady, elle, ella, él, sie, er, lei, lui, ela, ele, il"
)
IS = _list("""
    is, s, was, are, am, turns, turned, just turned, looks, looks like, looking, seems, acts, tiene, a, ist, ha, tem, about, around, aged,
""")  # fmt: skip
GOES_ON = _list("""
    in, wearing, with, and, who, year, years, yr, yrs, wears, dressed, posing, standing, mit, en, con, com, avec, im, vestida, summers,
    springs, winters, tall, yet, yo, jahren, old, today, now, años, ans, anni, jahre,
""")  # fmt: skip
"""What comes after an age that has no unit."""
BELOW = _list("""
    under, below, younger than, less than, not yet, not even, barely, almost, nearly, not quite, not, pre, unter, menos de, moins de,
    meno di, abaixo de,
""")  # fmt: skip
BORN = _list("""
    born, birth, née, geboren, nacida, nacido, nata, nato, nascida, nascido, dob, birthday, birthdate, jahrgang,
""")  # fmt: skip
ORDINALS = _list("first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh, twelfth")
YOUNG_ORDINALS = ORDINALS | _list("thirteenth, fourteenth, fifteenth, sixteenth, seventeenth")

# --------------------------------------------------------------------------------------------------------- of undress

THING_ENDINGS = ("dress", "shirt", "coat", "suit", "skirt", "sleeved", "coloured", "colored", "jacket", "farben", "farbene", "farbenen",
                 "farbenes", "farbener", "toned", "heeled", "wear", "kleid", "schuhe", "rock", "bluse")  # fmt: skip
CLOTHES_ENDINGS = ("dress", "shirt", "skirt", "coat", "suit")
AND = _list("and, or, y, e, und, et, ou, o")
ENDS = _list("""
    in, on, with, at, by, posing, standing, lying, sitting, wearing, from, under, for, as, who, of, like, walking, reclining, bathing,
    beneath, underneath, behind, before, after, except, apart, save, without, inside, en, con, avec, mit, com, sur, im, am, auf, is, that,
    but,
""") | {","}  # fmt: skip
"""Where what a word modifies ends."""
NAMING = _list("mom, dad, yoga, body, art, girlfriend, bride, skinned, princess, beach, mother")
"""People and places that garments are named after."""
BEFORE_UNDRESSED = _list("the, a, posing, pose, poses, all, fully, completely, totally, partially, half, semi, is, not")
COLOUR_NOUNS = _list("colour, color, shade, cor, couleur, colore, tono, coloris, farbe, tom, coloured, colored")
LEADING_TO_COLOUR = AND | _list(
    "in, en, de, of, soft, pale, light, dark, ton, warm, cool, rosy, dusty, lined, trimmed, piped, edged, dyed, finished, embroidered"
)
NAKED_THINGS = _list("eye, edge, edges, hem, palette, famous, sandal, sandals, heels, shoe, shoes, sandalen")
SHEER = unmarked(_list("""
    sheer, transparent, translucent, seethrough, durchsichtig, durchsichtige, durchsichtiges, durchsichtigen, durchsichtiger, transparente,
    transparentes, transparents, seethru, transparenter, transparenten, transparentem, trasparente, trasparenti, прозрачная, прозрачное,
    прозрачном, прозрачной, прозрачный,
"""))  # fmt: skip
SHEER_AFTER = _list("transparente, transparentes, transparents, trasparente, trasparenti")
"""Those of them that may stand after what they modify, and in English never before it."""
NOT_OVER = _list("sin, sans, ohne, senza, sem, without, no")
OVER = _list("""
    over, lined, layered, atop, sur, uber, sobre, sopra, forro, forrado, forrada, doublee, doublure, futter, gefuttert, foderato, foderata,
    fodera,
""")
SEEN_THROUGH_OVER_CLOTHES = _list("umbrella, cape, poncho, plastic, vinyl, tape, cardigan")
NOT_COVERING = _list("""
    denim, knit, flannel, mini, midi, maxi, cords, breton, suit, costume, uniform, ensemble, hoodie, sweater, jumper, pullover, smoking,
    overall, short, polo, half, vestes, mono, fato, turtleneck,
""")  # fmt: skip
"""Words for clothes that are cloths and cuts too, or worn over others."""
LINKS = _list("""
    and, or, with, in, on, over, under, but, for, to, im, am, beim, auf, dans, nel, nella, sur, mit, und, con, y, e, et, avec, com, made,
    a, an, the, wearing, visible, needed, fuss, en, is,
""")  # fmt: skip
ADJECTIVES_TOO = _list("denim, floral, side, half, line, flat, slip, sleeved")
BETWEEN = _list("""
    even, any, a, an, her, his, their, the, of, wearing, other, single, some, proper, visible, actual, kind, type, sort, on, real, piece,
    item, article, stitch, pieces, items, one, un, una, une, de, ses, sa, son, le, la, les, du, des, su, sus, ihre, ihren, ihr, seine,
    seinen, i, il, suo, suoi, sua, suas, seu, seus, as, os, ni, d, aucun, aucune, pas, alguna, algún, qualsiasi, jegliche, irgendwelche,
    nada,
""")  # fmt: skip
DENIALS = _list("""
    no, without, sans, sin, ohne, senza, sem, minus, zero, lacking, lacks, devoid of, free of, free from, bereft of, absence of, lack of,
    without wearing, not wearing, not wear, isn t wearing, isnt wearing, aren t wearing, doesn t wear, does not wear, never wears,
    not have, not in, wearing no, wears no, w o, без, zonder, bez, utan, uden, uten, χωρις, nie ma, neither, nor, refusing, forgot,
    forgotten, no lleva, no viste, no usa, ne porte pas, ne porte aucun, ne porte aucune, ne porte ni, porte aucun, porte aucune,
    trägt kein, trägt keine, trägt keinen, kein, keine, keinen, non indossa, não veste, não usa, ningún, ninguna, nessun, nessuna, nenhum,
    nenhuma, out of,
""")  # fmt: skip
AFTER_HARMLESS = _list("worn before, over it, up, shoe, shoes, left behind, code, to, coat, hat, heavy")
TAKING = _list("""
    taking, slipping, peeling, pulling, stripping, ripping, tearing, tossing, throwing, kicking, shrugging, ripped, torn, tore, takes,
    took, take, pulls, slips, peels, stripped,
""")  # fmt: skip
LEAVING = _list("slipping, stepping, getting, climbing, wriggling, slips, steps")
REMOVING = _list("""
    removing, shedding, dropping, unbuttoning, unzipping, losing, discarding, doffing, lifting, raising, opening, undoing, removed,
    removes, shed, sheds, dropped, drops, lost, discarded, doffed, doffs,
""")  # fmt: skip
NOT_TAKEN_OFF = _list("wear, dressing, habits")
SHOWING = _list("""
    show, shows, showing, expose, exposes, exposing, bare, bares, baring, flash, flashes, flashing, reveal, reveals, revealing, display,
    displays, displaying, flaunt, flaunts, flaunting,
""")  # fmt: skip
INTIMATE = _list("""
    breast, breasts, bosom, bust, boob, boobs, tit, tits, nipple, nipples, bottom, bum, butt, buttocks, ass, genitals, crotch, privates,
    naked, nude, bare body, bare skin, groin, body, everything, it all, herself, himself, underwear, bra, panties, senos, seins, seno,
    seio,
""")  # fmt: skip
AFTER_INTIMATE = _list("shape, type, line, con, print, chain, suit, jewellery, jewelry, paint, pocket, hem, length, stitch")
WEARING = _list("""
    wearing, wears, wore, clad in, clad, clothed in, clothed, dressed in, dressed, covered, covered by, covered in, covered with,
    draped in, draped, wrapped in, adorned in, adorned with, in, has on, sporting, donning, llevando, lleva, lleva puesto, viste,
    vistiendo, vestida, vestido, cubierta, porte, portant, vêtu, vêtue, habillé, habillée, trägt, tragend, bekleidet, gekleidet, bedeckt,
    indossa, indossando, vestita, vestito, coperta, veste, vestindo, usa, usando, trajando, woman with, man with, lady with, model with,
    frau mit, mann mit, femme avec, mujer con, donna con, mulher com,
""")  # fmt: skip
ONLY = _list("""
    only, just, nothing but, nothing except, nothing other than, nothing save, nothing more than, no more than, not much more than,
    little more than, merely, solely, simply, exclusively, naught but, only by, only in, only with, by nothing but, in nothing but,
    with nothing but, nothing apart from, solo, solamente, únicamente, nada más que, nada salvo, nada excepto, nada, solo con, solo de,
    seulement, uniquement, juste, que, rien que, rien d autre que, seulement d, nur, nur mit, nur in, bloß, lediglich, nichts als,
    nichts außer, ausschließlich, soltanto, nient altro che, niente, nulla, solo da, solo di, apenas, somente, só, nada além de,
    apenas com, apenas um, nichts, rien, mit nichts als, con addosso solo, qu, qu un, qu une, только, лишь, alleen, bara, tylko,
""")  # fmt: skip
NO_CLOTHES = _list("""
    smile, grin, sunlight, moonlight, foam, bubbles, paint, mud, tattoos, ink, sonrisa, sourire, lächeln, sorriso, towel, bedsheet, sheet,
    whipped cream, air, perfume, shadows, her hair, his hair, her own hair, goosebumps, hair, confidence, улыбке, туфлях, чулках, сапогах,
    носках, шляпе, schuhen, hut,
""")  # fmt: skip
ABSTRACT = COLOURS | _list("""
    denim, linen, cotton, silk, wool, leather, sustainable, organic, natural, recycled, neutrals, colours, colors, colour, color, fabrics,
    fabric, shades, tones, two, one, three, best, finest, rot, blau, grün, azul, bleu, blu, once, brand, brands, materials, vintage,
    designer, pastels, monochrome, style, knitwear, everything,
""") - _list("nude")  # fmt: skip
"""What may be the only thing worn and still be clothes: a colour, a cloth, a brand."""

# ----------------------------------------------------------------------------------------------- the negative prompt

PROTECTED = _list("""
    clothes, clothing, clothed, dressed, garment, garments, outfit, outfits, apparel, attire, adult, adults, grown up, grown ups, grownup,
    grownups, grown woman, grown man, covered, covering, fully dressed, decent, modest, modesty, decency, over 18, of age, mature woman,
    mature man, fabric, cloth, clothings, sfw, censored, censorship, ropa, ropas, prendas, vestida, vestido, vestidos, adulta, adulto,
    adultos, vêtement, vêtements, habillée, habillé, adulte, adultes, kleidung, kleider, klamotten, bekleidet, angezogen, erwachsen,
    erwachsene, erwachsener, vestiti, abiti, vestita, vestito, adulti, roupa, roupas, adultas, одежда, одежды, одетая, одетый, взрослая,
    взрослый, взрослые,
""")  # fmt: skip
PROTECTED_ANYWHERE = tuple(_list("衣服, 服装, 衣物, 穿衣, 成人, 成年, 大人, 服, 着衣, 大人の, 옷, 성인"))
