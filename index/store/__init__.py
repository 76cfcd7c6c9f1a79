"""What is kept on disk: links, items, embeddings, and the records beside them."""
