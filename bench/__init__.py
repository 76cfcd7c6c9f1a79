"""Measurements: figures, each beside a named peer or limit from the same run.

`python -m bench NAME` runs one and prints it. MEASUREMENTS names the module of each; that module
offers `run(options: Options) -> Report`. A new measurement is a module and a line here. COMPUTED
has what is worked out from measured figures.

What judges right and wrong, and measures nothing, is in the package `checks`. `python -m bench`
runs those too, by the names in `checks.CHECKS`.

| module | holds |
|---|---|
| `report`, `options` | what a run gives back, and what its caller chooses |
| `checkpoint` | a model of ViT-B/32's size with random weights; models that judge no words |
| `sizes` | the sizes of published models, and checkpoints of them |
| `lettering` | pictures with words in them that are known |
| `edits` | what people do to pictures before they post them again |
| `photographs` | JPEGs of a phone's and a screenshot's size |
| `scenes` | pictures that the pocket model knows, embedded once and kept under build/ |
| `vectors` | random vectors that are distributed as a CLIP's are |
| `large_server` | a Discord server of up to a million pictures, and its gallery |
| `lag` | how late an event loop is, beside an idle process |
| `processes` | the bot and the sandbox as processes of their own |
| `transformers_peer` | the peer: transformers, called as its documentation shows it |
| `runtimes` | peers of the towers: ONNX Runtime and OpenVINO |
| `text_time` | where the time of a question's text tower goes |
| `fixed_cost` | a model that waits a fixed time, in place of many cores or a GPU |
| `passing` | a bot with such a model that reads a history, and what its threads spend |
| `processor_seconds` | what threads and child processes have spent |
"""

from pathlib import Path

BUILD = Path("build")  # below the current directory: what a run makes and may need again

MEASUREMENTS = {
    "copies": "bench.copies",
    "cores": "bench.cores",
    "embed": "bench.embed",
    "find": "bench.find",
    "footprint": "bench.footprint",
    "frames": "bench.frames",
    "growth": "bench.growth",
    "history": "bench.history",
    "honesty": "bench.honesty",
    "ingest": "bench.ingest",
    "load": "bench.load",
    "models": "bench.models",
    "ocr": "bench.ocr",
    "overview": "bench.overview",
    "page": "bench.page",
    "prepare": "bench.prepare",
    "quality": "bench.quality",
    "query": "bench.query",
    "search": "bench.search",
    "start": "bench.start",
    "store": "bench.store",
    "watches": "bench.watches",
    "words": "bench.words",
    "workers": "bench.workers",
}

# What is computed from measured figures.
COMPUTED = {"scale": "bench.scale"}
