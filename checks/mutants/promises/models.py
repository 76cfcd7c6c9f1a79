"""A model answers the same at each start, and reads all that was asked."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

CALIBRATION = "tests/index/embed/test_calibration.py"
MODEL_THREADS = "tests/index/embed/test_model_threads.py"
CLIENT = "tests/bot/test_client.py"
OPERATION = "tests/bot/test_operation.py"
START = "tests/bot/test_start.py"
EMBEDDER = "tests/index/embed/test_embedder.py"

MUTANTS = (
    Mutant(
        "pictures wait until the model is complete, and words do not",
        "index/embed/model_threads.py",
        "        if self._completing is not None:\n            await asyncio.wait",
        "        if False:\n            await asyncio.wait",
        (
            f"{MODEL_THREADS}::test_words_are_answered_while_the_model_is_completed_and_pictures_wait",
        ),
    ),
    Mutant(
        "a picture that waits is not lost with a model that can't be completed",
        "index/embed/model_threads.py",
        "            if self._completing.exception() is not None:\n",
        "            if False:\n",
        (
            f"{MODEL_THREADS}::test_pictures_that_wait_are_not_lost_with_a_model_that_cannot_be_completed",
        ),
    ),
    Mutant(
        "idle threads share the pictures that are there",
        "index/embed/model_threads.py",
        "        return min(self._batch, -(-queued // self._idle))",
        "        return self._batch",
        (f"{MODEL_THREADS}::test_idle_threads_share_the_pictures_that_are_there",),
    ),
    Mutant(
        "a GPU has one thread",
        "index/embed/model_threads.py",
        '        if self.embedder.device != "cpu":',
        "        if False:",
        (f"{MODEL_THREADS}::test_a_gpu_has_one_thread",),
    ),
    Mutant(
        "pictures wait until their batch is full",
        "index/embed/model_threads.py",
        "        return max(self._queue[0].queued_at + self._gather_s - time.monotonic(), 0.0)",
        "        return 0.0",
        (f"{MODEL_THREADS}::test_a_picture_waits_for_those_that_are_being_decoded",),
    ),
    Mutant(
        "a model that can't read pictures ends the bot",
        "bot/__main__.py",
        "    await asyncio.shield(task)\n",
        "",
        (f"{OPERATION}::test_a_model_that_cannot_read_pictures_ends_the_bot_with_one_sentence",),
    ),
    Mutant(
        "a start is complete when all servers of READY are announced",
        "bot/platform/state.py",
        "        if self._named and not self._awaited and self.empty():\n",
        "        if False:\n",
        (f"{CLIENT}::test_the_start_is_complete_when_all_servers_of_ready_are_announced",),
    ),
    Mutant(
        "a start imports no torch before it answers in words",
        "index/gallery.py",
        "embedder.load, found, device, precision, whole=False)",
        "embedder.load, found, device, precision)",
        (f"{START}::test_words_are_answered_before_torch_is_imported",),
    ),
    Mutant(
        "the number format is chosen by more than patches of colour",
        "index/embed/calibration.py",
        "SCENES, PATCHES = 12, 4",
        "SCENES, PATCHES = 0, 4",
        (CALIBRATION,),
    ),
    Mutant(
        "a busy machine decides nothing by time",
        "index/embed/calibration.py",
        "    if not (before.quiet and after.quiet):",
        "    if False:",
        (CALIBRATION,),
    ),
    Mutant(
        "the number format is the same at each start",
        "index/embed/calibration.py",
        "    known = choices.remembered(key)",
        "    known = None",
        (CALIBRATION,),
    ),
    Mutant(
        "a small model does not load numba for its words",
        "index/embed/calibration.py",
        ' and not (small and candidate == "int16")\n',
        "\n",
        (f"{CALIBRATION}::test_int16_is_for_models_that_are_read_from_memory",),
    ),
    Mutant(
        "products of integers add each output's own bias",
        "index/embed/integer_products.py",
        "sum_ = builder.fadd(sum_, bias[number])",
        "sum_ = builder.fadd(sum_, bias[0])",
        ("tests/index/embed/test_on_integers.py::test_products_err_by_rounding_only",),
    ),
    Mutant(
        "sums of integers don't overflow",
        "index/embed/integer_products.py",
        "summed / MOST_WEIGHTS",
        "summed / MOST_WEIGHTS / 2",
        ("tests/index/embed/test_on_integers.py::test_the_greatest_sums_do_not_overflow",),
    ),
    Mutant(
        "weights in one piece of memory don't overlap",
        "index/embed/integer_products.py",
        "self._left[:count], self._left[-(-count // LINE) * LINE :]",
        "self._left[:count], self._left",
        (
            "tests/index/embed/test_on_integers.py::test_weights_in_one_piece_of_memory_are_each_their_own",
        ),
    ),
    Mutant(
        "a question is read to its end",
        "index/embed/tokens.py",
        'return special.sub(lambda name: f"{name[0][0]} {name[0][1:]}", text)',
        "return text",
        ("tests/index/embed/test_tokens.py",),
    ),
    Mutant(
        "a model that lacks a side is refused before its download",
        "index/embed/checkpoint.py",
        "        if found := lacking(config, files) or lacking_in_transformers(config):",
        "        if False:",
        ("tests/index/embed/test_checkpoint.py",),
    ),
    Mutant(
        "TIPS v2 is not refused for the code beside it",
        "index/embed/completeness.py",
        "and kind != tips.FAMILY:",
        "and kind:",
        ("tests/index/embed/test_checkpoint.py",),
    ),
    Mutant(
        "the page has the same table of models as the command",
        "index/embed/published.py",
        "    return 4 * self.parameters",
        "    return 2 * self.parameters",
        ("tests/index/cli/test_models.py",),
    ),
    Mutant(
        "a text for SigLIP 2 is read in lower case",
        "index/embed/tokens.py",
        "    text = text.lower() if lowered else text",
        "    text = text",
        (EMBEDDER,),
    ),
    Mutant(
        "MetaCLIP 2's end token is found by its number",
        "index/embed/text_tower.py",
        'legacy = checkpoint.family == "clip" and end == LEGACY_END',
        "legacy = end == LEGACY_END",
        (EMBEDDER,),
    ),
    Mutant(
        "MetaCLIP 2 gets the fast image tower",
        "index/embed/preprocessing.py",
        'not settings.get("do_center_crop", False) or crops == edges',
        'not settings.get("do_center_crop", False)',
        (EMBEDDER,),
    ),
    Mutant(
        "TIPS' layers are scaled by what they learnt",
        "index/embed/tips.py",
        'SCALES = {"self_attn.out_proj": "ls1.gamma", "mlp.fc2": "ls2.gamma"}',
        "SCALES: dict[str, str] = {}",
        (EMBEDDER,),
    ),
    Mutant(
        "what nobody sees changes no ranking",
        "index/types/query.py",
        'text = _SELECTORS.sub("", text)',
        "text = text",
        ("tests/index/types/test_query.py",),
    ),
    Mutant(
        "a folder with program code of its own is explained",
        "index/embed/completeness.py",
        '    if "auto_map" in config and kind != tips.FAMILY:',
        "    if False:",
        ("tests/index/embed/test_checkpoint.py",),
    ),
    Mutant(
        "libraries say little in the operator's log",
        "bot/ops/logs.py",
        "level=max(least, logging.WARNING)",
        "level=least",
        ("tests/bot/ops/test_logs.py",),
    ),
)
