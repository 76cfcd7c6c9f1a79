"""`/overview`: what a server's pictures are about, from those that its readers may see."""
