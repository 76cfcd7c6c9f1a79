"""Questions that people might ask in the demo world, and what a right first answer shows.

The world's labels decide: the picture has the subject and the place of the question.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    subject: str | None = None
    place: str | None = None


SUBJECT_AND_PLACE = [
    Question("dog in snow", "dog", "snow"),
    Question("a cat at night", "cat", "night"),
    Question("fox in the snow", "fox", "snow"),
    Question("camel in the desert", "camel", "desert"),
    Question("penguin in the snow", "penguin", "snow"),
    Question("crab on the beach", "crab", "beach"),
    Question("rabbit in a meadow", "rabbit", "meadow"),
    Question("whale in the sea", "whale", "sea"),
    Question("dolphin at sea", "dolphin", "sea"),
    Question("tent in the forest", "tent", "forest"),
    Question("red car in the city", "car", "city"),
    Question("castle in the mountains", "castle", "mountains"),
    Question("shark in the ocean", "shark", "sea"),
    Question("motorcycle in the desert", "motorcycle", "desert"),
    Question("ice cream on the beach", "ice cream", "beach"),
    Question("tractor in a field", "tractor", "meadow"),
    Question("owl at night", "owl", "night"),
    Question("guitar in a room", "guitar", "indoors"),
    Question("lion at sunset", "lion", "sunset"),
    Question("umbrella in the rain", "umbrella", "rain"),
    Question("christmas tree indoors", "christmas tree", "indoors"),
]
SUBJECT_ONLY = [
    Question("pizza", "pizza"),
    Question("bicycle", "bicycle"),
    Question("sunflower", "sunflower"),
    Question("a picture of a volcano", "volcano"),
    Question("elephant", "elephant"),
    Question("a picture of a giraffe", "giraffe"),
    Question("birthday cake", "birthday cake"),
    Question("octopus", "octopus"),
    Question("fire truck", "fire truck"),
    Question("panda", "panda"),
    Question("watermelon", "watermelon"),
    Question("rocket", "rocket"),
    Question("flamingo", "flamingo"),
    Question("frog", "frog"),
    Question("piano", "piano"),
]
OTHER_WORDS = [
    Question("puppy", "dog"),
    Question("kitty", "cat"),
    Question("kitten indoors", "cat", "indoors"),
    Question("yacht at dusk", "sailboat", "sunset"),
    Question("bunny", "rabbit"),
    Question("bike on the beach", "bicycle", "beach"),
    Question("burger", "hamburger"),
    Question("doughnut", "donut"),
    Question("motorbike", "motorcycle"),
    Question("yacht", "sailboat"),
    Question("flying saucer in the dark", "ufo", "night"),
    Question("prawn", "shrimp"),
]
OTHER_LANGUAGES = [
    Question("hund im schnee", "dog", "snow"),
    Question("katze bei nacht", "cat", "night"),
    Question("chien dans la neige", "dog", "snow"),
    Question("un chat la nuit", "cat", "night"),
    Question("perro en la nieve", "dog", "snow"),
    Question("tortuga en la playa", "turtle", "beach"),
    Question("cachorro na neve", "dog", "snow"),
    Question("girassol", "sunflower"),
    Question("собака в снегу", "dog", "snow"),
    Question("лиса в лесу", "fox", "forest"),
    Question("雪の中のイヌ", "dog", "snow"),
    Question("夜のネコ", "cat", "night"),
    Question("雪地里的狗", "dog", "snow"),
    Question("沙漠里的骆驼", "camel", "desert"),
]
ALL = [*SUBJECT_AND_PLACE, *SUBJECT_ONLY, *OTHER_WORDS, *OTHER_LANGUAGES]
