#!/usr/bin/env python3
"""Expected values of the split by hash, made without the C code: prints the tables of
tests/test_split.c. Made with Python 3.11 (hashlib, fractions).

The part of a sample: u = first 8 bytes (big-endian) of SHA-256(file name without folder) / 2^64;
u < test: test; u < test + validation: validation; else training.
"""
import hashlib
from fractions import Fraction
from math import ceil

NAMES = ["PermanentCrop/PermanentCrop_%d.jpg" % n for n in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)]
NAMES += ["a/x.tif", "b/x.tif", "x.tif", "Öl/größe.png"]
TEST, VALIDATION = Fraction(1, 5), Fraction(1, 10)


def share(name):
    file = name.rsplit("/", 1)[-1].encode()
    return Fraction(int.from_bytes(hashlib.sha256(file).digest()[:8], "big"), 2**64)


def part(name):
    u = share(name)
    if u < TEST:
        return "S2CLR_SPLIT_TEST"
    return "S2CLR_SPLIT_VALIDATION" if u < TEST + VALIDATION else "S2CLR_SPLIT_TRAIN"


if __name__ == "__main__":
    print("/* test 0.2, validation 0.1 */")
    for name in NAMES:
        print('    {"%s", %s}, /* u = %.6f */' % (name, part(name), float(share(name))))
    names = ["c/n%03d" % i for i in range(200)]
    train = [n for n in names if part(n) == "S2CLR_SPLIT_TRAIN"]
    print("/* c/n000 to c/n199, label of n: n % 3 == 0 */")
    print("/* test %d, validation %d, training %d */" % (
        sum(part(n) == "S2CLR_SPLIT_TEST" for n in names),
        sum(part(n) == "S2CLR_SPLIT_VALIDATION" for n in names), len(train)))
    kept = []
    for label in (0, 1):
        group = sorted((n for n in train if (int(n[3:]) % 3 == 0) == label), key=share)
        kept += group[:ceil(Fraction(1, 20) * len(group))]
        print("/* training, label %d: %d */" % (label, len(group)))
    print("/* a twentieth of the training part: %s */" % " ".join(sorted(kept)))
