"""A TFRecord file of three small records, for tests/test_tfrecord.c.

    python3 tests/golden/tfrecords.py > tests/golden/golden_tfrecord.h

Written by the package tfrecord (PyPI), which has its own framing, CRC (package crc32c) and messages
(package protobuf), and read back with it.
"""
import importlib.metadata
import tempfile

import numpy
import tfrecord
from tfrecord import example_pb2

INTS = [0, 1, 127, 128, 16383, 16384, 65535, -1, -(2**63), 2**63 - 1]
FLOATS = [0.0, -1.5, 3.25e7, float("inf")]
NAME = "S2A_MSIL2A_20170613T101031_87_48"

with tempfile.NamedTemporaryFile(suffix=".tfrecord") as file:
    writer = tfrecord.TFRecordWriter(file.name)
    writer.write({"B04": (numpy.array(INTS), "int"), "share": (numpy.array(FLOATS), "float"),
                  "patch_name": (NAME.encode(), "byte")})
    writer.write({"one": (7, "int")})
    writer.close()
    both = example_pb2.Example()
    both.features.feature["labels"].bytes_list.value.extend(["Größe".encode(), b"", b"\0\xff"])
    both.features.feature["nothing"].SetInParent()
    both.features.feature["empty"].int64_list.SetInParent()
    with open(file.name, "ab") as end:
        data = both.SerializeToString(deterministic=True)
        end.write(len(data).to_bytes(8, "little"))
        end.write(tfrecord.TFRecordWriter.masked_crc(len(data).to_bytes(8, "little")))
        end.write(data)
        end.write(tfrecord.TFRecordWriter.masked_crc(data))
    content = open(file.name, "rb").read()
    records = list(tfrecord.reader.tfrecord_iterator(file.name))
    assert len(records) == 3 and bytes(records[2]) == data

versions = ", ".join("%s %s" % (name, importlib.metadata.version(name))
                     for name in ("tfrecord", "crc32c", "protobuf"))
print(f"/* Made by tests/golden/tfrecords.py with {versions}. */")
print(f"static const unsigned char golden_tfrecord[{len(content)}] = {{")
for start in range(0, len(content), 16):
    print("    " + ", ".join("0x%02x" % byte for byte in content[start:start + 16]) + ",")
print("};")
