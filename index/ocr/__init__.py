"""The words that stand in pictures, read by a process of its own: OCR.

| module | holds |
|---|---|
| `transcriber` | the doorway: bytes of a picture → its lines of words |
| `installed` | whether the packages of the extra `ocr` are there, and which models they bring |
| `worker` | the process: `python -m index.ocr.worker` |
| `engine` | the models: is there any text, where, and what does it say |
| `order` | boxes with words → lines, as people read them |

Only `engine` imports the packages of the extra, and only the process imports `engine`.
"""
