"""Philox4x32-10 as models/base/philox.h defines it, vectorised: the numbers both sides generate."""
import numpy as np

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = 0x9E3779B9, 0xBB67AE85
LOW = np.uint64(0xFFFFFFFF)


def words(seed, stream, count, first=0):
    """`count` 32-bit words of (seed, stream) from `first`, a multiple of 4, on."""
    block = np.arange((count + 3) // 4, dtype=np.uint64) + np.uint64(first // 4)
    c = [block & LOW, block >> np.uint64(32),
         np.full_like(block, stream & 0xFFFFFFFF), np.full_like(block, stream >> 32)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        p0, p1 = M0 * c[0], M1 * c[2]
        k0, k1 = np.uint64(key[0]), np.uint64(key[1])
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ k0, p1 & LOW,
             (p0 >> np.uint64(32)) ^ c[3] ^ k1, p0 & LOW]
        key = [(key[0] + W0) & 0xFFFFFFFF, (key[1] + W1) & 0xFFFFFFFF]
    return np.stack(c, axis=1).reshape(-1)[:count].astype(np.uint32)


def uniform(seed, stream, count, first=0):
    """Uniform in [0, 1), exactly the float32 values of s2clr_random_uniform()."""
    return (words(seed, stream, count, first) >> np.uint32(8)).astype(np.float64) * 2.0 ** -24
