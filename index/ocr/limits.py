"""What one picture may cost the OCR process."""

READY = b"ready\n"  # what the process says first
# Address space. A page full of text takes 0.9 GB of it, and 0.5 GB of memory.
MEMORY_BYTES = 2 * 2**30
# Processor time a picture. A page full of text takes 3 s on a slow core.
CPU_S = 30.0
# Wall-clock time, for a process that waits for a processor, or for ever.
WALL_CLOCK_S = 12 * CPU_S
# An answer, which is one line of JSON: MAX_LINES lines of letters, each up to 12 bytes there.
MAX_ANSWER_BYTES = 2**20
