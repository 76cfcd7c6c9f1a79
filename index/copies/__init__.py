"""Whether two pictures are copies of each other, from small fingerprints of what they show.

| module | holds |
|---|---|
| `orientation` | the eight ways to turn and mirror a picture, and a hash with it |
| `content` | the part of a picture within borders, captions and frames |
| `keypoints` | places of a picture that are found again in its copies |
| `fingerprint`, `derivation` | what is kept of a picture, and how it is made |
| `loops` | the loops of all these, as machine code |
| `warm` | having the loops ready before they are needed |
| `comparison` | `compare`: whether one picture is a copy of another, and what was done to it |
| `folding` | `fold`: which hits of an answer are copies of an earlier one |
| `lookup` | the pictures of a gallery whose hashes are near a picture's |
"""
