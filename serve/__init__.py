"""`magpie serve`: a page in the browser on the pictures of a folder.

| module | holds |
|---|---|
| `__main__` | the command: what it refuses, the address that it prints |
| `server` | the server: its addresses, and what each answers |
| `guard` | who may read: the token, the names of this machine, other sites; headers |
| `opened` | the gallery that is served, for reading, and for writing while it adds |
| `inventory` | the pictures of the folder in short, column by column |
| `asking` | a question of the page → a listing or hits, which are kept for their next pages |
| `described` | what the page is told of a picture |
| `files` | the file of a picture, which lies in the folder or isn't read |
| `thumbnails` | small pictures, the ones asked for last first |
| `suggested` | how a line may go on: fields, folders, dates, names of files |
| `atlas` | the map of the folder |
| `page/` | the page itself: plain files |
"""
