"""Real photos -> pairs of a real and a fake that differ in nothing but the generator.

Both pictures of a pair are written anew, with the same crop, size, encoder and quality: a
fake that is encoded once more than its real photo would be told by that alone. A kind of
generator is a file in `kinds/`.
"""
