"""What the pictures of a gallery are about: named clusters, and a map where like lies by like."""
