"""The plain data of a gallery, its errors, and what is asked. Imports nothing else of index."""
