"""The words of eight languages for places, colours, numbers and kinds, and the sentence forms.

A place phrase is what follows the subject ("dog in the snow"); in Japanese and Chinese it is
the place alone, and the forms say where it goes. A place word stands alone ("snow").
"""

from collections.abc import Mapping

Words = Mapping[str, tuple[str, ...]]


def table(text: str) -> dict[str, tuple[str, ...]]:
    """'snow: in snow, in winter' a line -> {'snow': ('in snow', 'in winter')}."""
    rows = (line.split(":", 1) for line in text.strip().replace(",\n", ", ").splitlines())
    return {key.strip(): tuple(word.strip() for word in words.split(",")) for key, words in rows}


PLACE_PHRASES: dict[str, Words] = {
    "en": table("""
        snow: in snow, in the snow, on snow, in the snow, on a snowy day, in winter,
            in a snowy landscape, in the white snow
        beach: on the beach, at the beach, on a beach, by the seaside, on the sand by the sea,
            on a sandy beach
        sea: in the sea, at sea, on the water, in the ocean, on the sea, in the waves,
            on the open sea
        forest: in the forest, in the woods, in a forest, among the trees, between trees,
            in the wood
        city: in the city, in town, on the street, in a city, downtown,
            in front of skyscrapers, on the road
        desert: in the desert, in a desert, in the dunes, among cactuses, on desert sand
        night: at night, by night, under the stars, in the dark, in the moonlight,
            under a starry sky
        indoors: indoors, inside, in a room, in the living room, at home, inside the house,
            on the carpet
        meadow: in a meadow, in the meadow, on the grass, in a field, in a green field,
            on a lawn, among flowers
        sunset: at sunset, at dusk, in the evening, in front of a sunset, in the evening sun,
            at sundown
        rain: in the rain, in rain, on a rainy day, in bad weather, while it rains, in a downpour
        mountains: in the mountains, in front of mountains, on a mountain, in the hills,
            in the alps, near mountains
        plain: on a plain background, on a blank background, alone
    """),
    "de": table("""
        snow: im schnee, im winter, auf dem schnee, in einer schneelandschaft
        beach: am strand, auf dem sand, an einem strand
        sea: im meer, auf dem meer, im wasser, auf see, im ozean
        forest: im wald, zwischen bäumen, in einem wald
        city: in der stadt, auf der straße, in einer stadt
        desert: in der wüste, in einer wüste, in den dünen
        night: bei nacht, in der nacht, nachts, im dunkeln, unter sternen
        indoors: drinnen, im zimmer, im haus, zu hause, im wohnzimmer
        meadow: auf der wiese, auf einer wiese, im gras, auf dem feld
        sunset: bei sonnenuntergang, am abend, im abendrot, abends
        rain: im regen, bei regen, an einem regentag
        mountains: in den bergen, vor bergen, im gebirge, in den alpen
        plain: vor einfarbigem hintergrund
    """),
    "fr": table("""
        snow: dans la neige, sous la neige, en hiver, sur la neige
        beach: sur la plage, à la plage, au bord de la mer, sur le sable
        sea: dans la mer, en mer, sur l'eau, dans l'océan
        forest: dans la forêt, en forêt, dans les bois, entre les arbres
        city: en ville, dans la ville, dans la rue, sur la route
        desert: dans le désert, dans les dunes
        night: la nuit, de nuit, sous les étoiles, dans le noir
        indoors: à l'intérieur, dans une pièce, à la maison, dans le salon
        meadow: dans un pré, dans l'herbe, dans un champ, dans la prairie
        sunset: au coucher du soleil, au crépuscule, le soir
        rain: sous la pluie, un jour de pluie
        mountains: à la montagne, dans les montagnes, devant des montagnes
        plain: sur fond uni
    """),
    "es": table("""
        snow: en la nieve, en invierno, sobre la nieve, bajo la nieve
        beach: en la playa, en una playa, sobre la arena
        sea: en el mar, en el agua, en el océano
        forest: en el bosque, en un bosque, entre árboles
        city: en la ciudad, en la calle, en una ciudad
        desert: en el desierto, en las dunas
        night: de noche, por la noche, bajo las estrellas, en la oscuridad
        indoors: en casa, dentro de casa, en una habitación, en el salón
        meadow: en el prado, en la hierba, en el campo, en un prado
        sunset: al atardecer, en la puesta de sol, con la puesta de sol
        rain: bajo la lluvia, en la lluvia, en un día lluvioso
        mountains: en las montañas, en la montaña, delante de montañas
        plain: sobre fondo liso
    """),
    "pt": table("""
        snow: na neve, no inverno, sobre a neve
        beach: na praia, numa praia, na areia
        sea: no mar, na água, no oceano
        forest: na floresta, numa floresta, no bosque, entre árvores
        city: na cidade, na rua, numa cidade
        desert: no deserto, nas dunas
        night: à noite, de noite, sob as estrelas, no escuro
        indoors: em casa, dentro de casa, na sala, num quarto
        meadow: no prado, na relva, no campo, na grama
        sunset: ao pôr do sol, no pôr do sol, ao entardecer
        rain: na chuva, à chuva, sob a chuva, num dia de chuva
        mountains: nas montanhas, na montanha, em frente às montanhas
        plain: em fundo liso
    """),
    "ru": table("""
        snow: в снегу, на снегу, зимой, в зимнем пейзаже
        beach: на пляже, на песке у моря
        sea: в море, на воде, в океане, на море
        forest: в лесу, среди деревьев
        city: в городе, на улице, на дороге
        desert: в пустыне, среди дюн
        night: ночью, под звёздами, под звездами, в темноте
        indoors: в комнате, дома, в доме, в помещении
        meadow: на лугу, на траве, в поле
        sunset: на закате, вечером
        rain: под дождём, под дождем, в дождь
        mountains: в горах, на фоне гор, среди гор
        plain: на простом фоне
    """),
    "ja": table("""
        snow: 雪の中, 雪の上, 冬, 雪景色, 雪
        beach: 浜辺, ビーチ, 砂浜, 海辺
        sea: 海, 海の上, 水の中, 海の中
        forest: 森の中, 森, 林の中
        city: 街, 街の中, 都会, 道路
        desert: 砂漠, 砂漠の中
        night: 夜, 星空の下, 夜の闇, 夜空の下
        indoors: 室内, 部屋の中, 家の中, 部屋
        meadow: 草原, 野原, 草の上, 花畑
        sunset: 夕日, 夕焼け, 夕暮れ, 夕方
        rain: 雨の中, 雨, 雨の日
        mountains: 山, 山の中, 山の前, 山々
        plain: 無地の背景
    """),
    "zh": table("""
        snow: 雪地里, 雪中, 冬天, 雪里, 雪地上
        beach: 沙滩上, 海滩上, 海边
        sea: 海里, 海上, 大海中, 水中
        forest: 森林里, 树林里, 树林中
        city: 城市里, 街上, 城里, 马路上
        desert: 沙漠里, 沙漠中
        night: 夜晚, 夜里, 星空下, 晚上
        indoors: 室内, 房间里, 家里, 屋里
        meadow: 草地上, 田野里, 草原上
        sunset: 夕阳下, 日落时, 黄昏, 傍晚
        rain: 雨中, 雨里, 下雨天
        mountains: 山里, 山上, 山前, 群山中
        plain: 纯色背景上
    """),
}

PLACE_WORDS: dict[str, Words] = {
    "en": table("""
        snow: snow, snowy, winter
        beach: beach, sand, seaside
        sea: sea, ocean, water
        forest: forest, woods, trees
        city: city, street, town, skyline
        desert: desert, dunes
        night: night, starry sky, dark
        indoors: indoors, room, living room, home
        meadow: meadow, grass, field, lawn
        sunset: sunset, dusk, evening, sundown
        rain: rain, rainy, rainy weather
        mountains: mountains, mountain, alps
        plain: plain background
    """),
    "de": table("""
        snow: schnee, winter
        beach: strand
        sea: meer, wasser, see
        forest: wald, bäume
        city: stadt, straße
        desert: wüste
        night: nacht, sternenhimmel
        indoors: zimmer, wohnzimmer
        meadow: wiese, gras, feld
        sunset: sonnenuntergang, abend
        rain: regen
        mountains: berge, gebirge
        plain: einfarbiger hintergrund
    """),
    "fr": table("""
        snow: neige, hiver
        beach: plage
        sea: mer, océan
        forest: forêt, bois
        city: ville, rue
        desert: désert
        night: nuit
        indoors: intérieur, salon
        meadow: pré, prairie, herbe
        sunset: coucher de soleil, crépuscule
        rain: pluie
        mountains: montagnes, montagne
        plain: fond uni
    """),
    "es": table("""
        snow: nieve, invierno
        beach: playa
        sea: mar, océano
        forest: bosque
        city: ciudad, calle
        desert: desierto
        night: noche
        indoors: interior, habitación
        meadow: prado, hierba, campo
        sunset: atardecer, puesta de sol
        rain: lluvia
        mountains: montañas, montaña
        plain: fondo liso
    """),
    "pt": table("""
        snow: neve, inverno
        beach: praia
        sea: mar, oceano
        forest: floresta, bosque
        city: cidade, rua
        desert: deserto
        night: noite
        indoors: interior, sala
        meadow: prado, relva, campo
        sunset: pôr do sol, entardecer
        rain: chuva
        mountains: montanhas, montanha
        plain: fundo liso
    """),
    "ru": table("""
        snow: снег, зима
        beach: пляж
        sea: море, океан
        forest: лес
        city: город, улица
        desert: пустыня
        night: ночь
        indoors: комната, дом
        meadow: луг, трава, поле
        sunset: закат, вечер
        rain: дождь
        mountains: горы, гора
        plain: простой фон
    """),
    "ja": table("""
        snow: 雪, 冬
        beach: ビーチ, 砂浜, 浜辺
        sea: 海
        forest: 森
        city: 街, 都会
        desert: 砂漠
        night: 夜, 星空
        indoors: 室内, 部屋
        meadow: 草原, 野原
        sunset: 夕日, 夕焼け
        rain: 雨
        mountains: 山
        plain: 無地
    """),
    "zh": table("""
        snow: 雪, 雪地, 冬天
        beach: 沙滩, 海滩
        sea: 大海, 海
        forest: 森林, 树林
        city: 城市, 街道
        desert: 沙漠
        night: 夜晚, 星空
        indoors: 室内, 房间
        meadow: 草地, 田野
        sunset: 日落, 夕阳
        rain: 雨, 下雨
        mountains: 山, 群山
        plain: 纯色背景
    """),
}

COLOUR_WORDS: dict[str, Words] = {
    "en": table("""
        red: red
        orange: orange
        yellow: yellow
        green: green
        blue: blue
        purple: purple, violet
        pink: pink
        black: black
        white: white
    """),
    "de": table("""
        red: roter, rote, rotes
        orange: oranger, orange, oranges
        yellow: gelber, gelbe, gelbes
        green: grüner, grüne, grünes
        blue: blauer, blaue, blaues
        purple: lila, violette, violetter
        pink: rosa, pinker
        black: schwarzer, schwarze, schwarzes
        white: weißer, weiße, weißes
    """),
    "fr": table("""
        red: rouge
        orange: orange
        yellow: jaune
        green: vert, verte
        blue: bleu, bleue
        purple: violet, violette
        pink: rose
        black: noir, noire
        white: blanc, blanche
    """),
    "es": table("""
        red: rojo, roja
        orange: naranja
        yellow: amarillo, amarilla
        green: verde
        blue: azul
        purple: morado, morada
        pink: rosa
        black: negro, negra
        white: blanco, blanca
    """),
    "pt": table("""
        red: vermelho, vermelha
        orange: laranja
        yellow: amarelo, amarela
        green: verde
        blue: azul
        purple: roxo, roxa
        pink: rosa, cor-de-rosa
        black: preto, preta
        white: branco, branca
    """),
    "ru": table("""
        red: красный, красная, красное
        orange: оранжевый, оранжевая
        yellow: жёлтый, желтый, желтая
        green: зелёный, зеленый, зеленая
        blue: синий, синяя, голубой
        purple: фиолетовый, фиолетовая
        pink: розовый, розовая
        black: чёрный, черный, черная
        white: белый, белая
    """),
    "ja": table("""
        red: 赤い
        orange: オレンジ色の
        yellow: 黄色い
        green: 緑の, 緑色の
        blue: 青い
        purple: 紫の, 紫色の
        pink: ピンクの
        black: 黒い
        white: 白い
    """),
    "zh": table("""
        red: 红色的, 红
        orange: 橙色的
        yellow: 黄色的, 黄
        green: 绿色的, 绿
        blue: 蓝色的, 蓝
        purple: 紫色的
        pink: 粉色的, 粉红色的
        black: 黑色的, 黑
        white: 白色的, 白
    """),
}

# Two to five of something. English has plurals; the other languages have only the number.
NUMBER_WORDS: dict[str, tuple[str, str, str, str]] = {
    "en": ("two", "three", "four", "five"),
    "de": ("zwei", "drei", "vier", "fünf"),
    "fr": ("deux", "trois", "quatre", "cinq"),
    "es": ("dos", "tres", "cuatro", "cinco"),
    "pt": ("dois", "três", "quatro", "cinco"),
    "ru": ("два", "три", "четыре", "пять"),
    "ja": ("二つの", "三つの", "四つの", "五つの"),
    "zh": ("两只", "三只", "四只", "五只"),
}

KIND_WORDS: dict[str, Words] = {
    "en": table("""
        animal: animal, creature
        bird: bird
        insect: insect, bug
        flower: flower
        fruit: fruit
        vegetable: vegetable, veggie
        dessert: dessert, something sweet
        drink: drink, beverage
        vehicle: vehicle
        aircraft: aircraft
        instrument: musical instrument, instrument
        clothes: clothes, clothing
        tool: tool
    """),
    "de": table("""
        animal: tier
        bird: vogel
        insect: insekt
        flower: blume
        fruit: obst, frucht
        vegetable: gemüse
        dessert: nachtisch, süßes
        drink: getränk
        vehicle: fahrzeug
        aircraft: fluggerät
        instrument: musikinstrument
        clothes: kleidung
        tool: werkzeug
    """),
    "fr": table("""
        animal: animal
        bird: oiseau
        insect: insecte
        flower: fleur
        fruit: fruit
        vegetable: légume
        dessert: dessert
        drink: boisson
        vehicle: véhicule
        aircraft: aéronef
        instrument: instrument de musique
        clothes: vêtement
        tool: outil
    """),
    "es": table("""
        animal: animal
        bird: pájaro, ave
        insect: insecto
        flower: flor
        fruit: fruta
        vegetable: verdura
        dessert: postre
        drink: bebida
        vehicle: vehículo
        aircraft: aeronave
        instrument: instrumento musical
        clothes: ropa
        tool: herramienta
    """),
    "pt": table("""
        animal: animal
        bird: pássaro, ave
        insect: inseto
        flower: flor
        fruit: fruta
        vegetable: legume
        dessert: sobremesa
        drink: bebida
        vehicle: veículo
        aircraft: aeronave
        instrument: instrumento musical
        clothes: roupa
        tool: ferramenta
    """),
    "ru": table("""
        animal: животное
        bird: птица
        insect: насекомое
        flower: цветок
        fruit: фрукт
        vegetable: овощ
        dessert: десерт, сладкое
        drink: напиток
        vehicle: транспорт, машина
        aircraft: летательный аппарат
        instrument: музыкальный инструмент
        clothes: одежда
        tool: инструмент
    """),
    "ja": table("""
        animal: 動物
        bird: 鳥
        insect: 虫, 昆虫
        flower: 花
        fruit: 果物
        vegetable: 野菜
        dessert: デザート, お菓子
        drink: 飲み物
        vehicle: 乗り物
        aircraft: 航空機
        instrument: 楽器
        clothes: 服
        tool: 道具
    """),
    "zh": table("""
        animal: 动物
        bird: 鸟
        insect: 昆虫
        flower: 花
        fruit: 水果
        vegetable: 蔬菜
        dessert: 甜点
        drink: 饮料
        vehicle: 车辆
        aircraft: 飞行器
        instrument: 乐器
        clothes: 衣服
        tool: 工具
    """),
}

# Sentence forms: {s} is the subject, {p} the phrase for the place, {w} the word for it.
FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "both": (
            "{s} {p}",
            "{s} {p}",
            "{s} {p}",
            "{a} {p}",
            "{a} {p}",
            "the {s} {p}",
            "{w} {s}",
            "{s} {w}",
            "{s} and {w}",
            "{s} with {w}",
            "{p}, {a}",
            "a picture of {a} {p}",
            "photo of {a} {p}",
            "there is {a} {p}",
            "{a} standing {p}",
            "show me {a} {p}",
            "my {s} {p}",
            "{a} seen {p}",
            "an image with {a} {p}",
            "where is the {s} {p}",
            "look, {a} {p}",
            "{s}, {w}",
        ),
        "subject": (
            "{s}",
            "{s}",
            "{s}",
            "{a}",
            "{a}",
            "the {s}",
            "a picture of {a}",
            "photo of {a}",
            "{s} picture",
            "show me {a}",
            "pictures of {a}",
            "where was the {s}",
            "an image of {a}",
            "find {a}",
            "somebody's {s}",
        ),
        "place": (
            "{w}",
            "{w}",
            "{w}",
            "something {p}",
            "a picture taken {p}",
            "{p}",
            "a {w} scene",
            "photos {p}",
            "the {w}",
        ),
    },
    "de": {
        "both": ("{s} {p}", "{s} {p}", "ein {s} {p}", "{w} {s}", "bild von {s} {p}", "{s} {w}"),
        "subject": ("{s}", "{s}", "ein {s}", "eine {s}", "bild von {s}", "foto {s}"),
        "place": ("{w}", "{p}", "bild {p}", "etwas {p}"),
    },
    "fr": {
        "both": ("{s} {p}", "{s} {p}", "un {s} {p}", "une {s} {p}", "photo de {s} {p}", "{s} {w}"),
        "subject": ("{s}", "{s}", "un {s}", "une {s}", "photo de {s}", "image de {s}"),
        "place": ("{w}", "{p}", "photo {p}"),
    },
    "es": {
        "both": ("{s} {p}", "{s} {p}", "un {s} {p}", "una {s} {p}", "foto de {s} {p}", "{s} {w}"),
        "subject": ("{s}", "{s}", "un {s}", "una {s}", "foto de {s}", "imagen de {s}"),
        "place": ("{w}", "{p}", "foto {p}"),
    },
    "pt": {
        "both": ("{s} {p}", "{s} {p}", "um {s} {p}", "uma {s} {p}", "foto de {s} {p}", "{s} {w}"),
        "subject": ("{s}", "{s}", "um {s}", "uma {s}", "foto de {s}", "imagem de {s}"),
        "place": ("{w}", "{p}", "foto {p}"),
    },
    "ru": {
        "both": ("{s} {p}", "{s} {p}", "{p} {s}", "фото {s} {p}", "картинка {s} {p}", "{s} {w}"),
        "subject": ("{s}", "{s}", "фото {s}", "картинка {s}", "вот {s}"),
        "place": ("{w}", "{p}", "фото {p}"),
    },
    "ja": {
        "both": ("{p}の{s}", "{p}の{s}", "{s} {w}", "{p}にいる{s}", "{p}にある{s}", "{w} {s}"),
        "subject": ("{s}", "{s}", "{s}の写真", "{s}の絵", "{s}の画像"),
        "place": ("{w}", "{p}", "{p}の写真"),
    },
    "zh": {
        "both": ("{p}的{s}", "{p}的{s}", "{s}在{p}", "{s} {w}", "{w} {s}", "{s}{p}"),
        "subject": ("{s}", "{s}", "{s}的照片", "{s}的图片", "一个{s}"),
        "place": ("{w}", "{p}", "{p}的照片"),
    },
}

AND: dict[str, str] = {
    "en": "and",
    "de": "und",
    "fr": "et",
    "es": "y",
    "pt": "e",
    "ru": "и",
    "ja": "と",
    "zh": "和",
}
COLOUR_AFTER = ("fr", "es", "pt")  # "voiture rouge"
UNSPACED = ("ja", "zh")
