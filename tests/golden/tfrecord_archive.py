"""Whole archives of SimCLR-S2's records by TensorFlow, and ours read by TensorFlow.

    python3 tests/golden/tfrecord_archive.py S2CLR [PATCHES]

S2CLR is the built command. TensorFlow (PyPI: tensorflow-cpu, numpy) writes archives of made-up
patches as process_data/tensorflow_utils.py of
https://github.com/MIDS-Irrigation-Capstone/Spring2021 does; "dataset import" makes stores of them,
"dataset export" records of the stores, and TensorFlow's parser reads those: every value, label and
name is compared. It leaves the archives in tests/golden/tf_*.tfrecord.gz and prints the SHA-256 of
each file of ours that it read: both are what tests/test_tfrecord_archive.c asks for.

With PATCHES, a folder of BigEarthNet patches (PyPI: rasterio), TensorFlow writes an archive of
those, and the store of the archive must have the SHA-256 of every patch of the store of the folder.
"""
import collections
import glob
import gzip
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy
import tensorflow as tf

SIDES = {"B01": 20, "B02": 120, "B03": 120, "B04": 120, "B05": 60, "B06": 60, "B07": 60, "B08": 120,
         "B8A": 60, "B09": 20, "B11": 60, "B12": 60}
# Their places among the 43 of BigEarthNet.
CLASSES = {"Permanently irrigated land": 12, "Rice fields": 13, "Pastures": 17, "Sea and ocean": 42}
CROPLAND = {"Irrigated": 0, "Rainfed": 1}

Patch = collections.namedtuple("Patch", "number labels")
Archive = collections.namedtuple("Archive", "positive classes count sides files")
ARCHIVES = {
    "bigearthnet": Archive("regular", CLASSES, 43, SIDES, {
        "train_1": [Patch(0, ["Permanently irrigated land", "Pastures"]),
                    Patch(1, ["Rice fields"])],
        "val_1": [Patch(2, ["Sea and ocean"])]}),
    "cropland": Archive("Irrigated", CROPLAND, 2, dict.fromkeys(SIDES, 120), {
        "test_1": [Patch(3, ["Irrigated"]), Patch(4, ["Rainfed"])]}),
}


def dn(number, band, side):
    """(side, side), all 16 bits are used and it compresses well."""
    row, column = numpy.mgrid[:side, :side]
    index = list(SIDES).index(band)
    return (number * 14001 + index * 997 + row % 7 * 211 + column // 10 * 13) % 65536


def name_of(number):
    return f"S2A_MSIL2A_20170613T101031_{number}_48"


def message(pixels, labels, classes, count, name):
    def ints(values):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    def texts(values):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[v.encode() for v in values]))

    hot = numpy.zeros(count, int)
    hot[[classes[label] for label in labels]] = 1
    feature = {band: ints(numpy.ravel(values)) for band, values in pixels.items()}
    feature.update(original_labels=texts(labels), original_labels_multi_hot=ints(hot),
                   patch_name=texts([name]))
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def write(folder, archive):
    for file, patches in archive.files.items():
        with tf.io.TFRecordWriter(os.path.join(folder, file + ".tfrecord")) as writer:
            for patch in patches:
                pixels = {b: dn(patch.number, b, side) for b, side in archive.sides.items()}
                name = name_of(patch.number)
                if archive.classes is CROPLAND:
                    name = f"/data/croplands/{name}/"
                writer.write(message(pixels, patch.labels, archive.classes, archive.count, name))


def read(path, archive):
    """What the published training code asks of a record, and the names of the classes."""
    features = {b: tf.io.FixedLenFeature([side * side], tf.int64)
                for b, side in archive.sides.items()}
    features["original_labels"] = tf.io.VarLenFeature(tf.string)
    features["original_labels_multi_hot"] = tf.io.FixedLenFeature([archive.count], tf.int64)
    features["patch_name"] = tf.io.FixedLenFeature([1], tf.string)
    for record in tf.data.TFRecordDataset(path):
        yield tf.io.parse_single_example(record, features)


def check(path, archive, patches):
    found = list(read(path, archive))
    assert len(found) == len(patches), (path, len(found))
    values = 0
    for example, patch in zip(found, patches):
        for band, side in archive.sides.items():
            assert (example[band].numpy().reshape(side, side) == dn(patch.number, band, side)).all()
            values += side * side
        hot = numpy.zeros(archive.count, int)
        hot[[archive.classes[label] for label in patch.labels]] = 1
        assert (example["original_labels_multi_hot"].numpy() == hot).all()
        labels = tf.sparse.to_dense(example["original_labels"]).numpy()
        assert sorted(labels) == sorted(label.encode() for label in patch.labels)
        name = example["patch_name"].numpy()[0].decode()
        assert name == name_of(patch.number) or archive.classes is CROPLAND and \
            name.startswith(name_of(patch.number) + "_"), name
    print(f"{path[-40:]}: {len(found)} records, {values} values, labels and names as wanted; "
          "SHA-256 " + hashlib.sha256(open(path, "rb").read()).hexdigest())


def both_ways(command, name, archive, folder):
    golden = os.path.dirname(os.path.abspath(__file__))
    given, store, back = (os.path.join(folder, name + end) for end in ("", ".store", ".back"))
    os.mkdir(given)
    write(given, archive)
    for file in archive.files:
        content = open(os.path.join(given, file + ".tfrecord"), "rb").read()
        with open(os.path.join(golden, f"tf_{name}_{file}.tfrecord.gz"), "wb") as packed:
            packed.write(gzip.compress(content, 9, mtime=0))
    run = [command, "dataset"]
    subprocess.run(run + ["import", given, store, "--positive", archive.positive, "--strict",
                          "--quiet"], check=True)
    subprocess.run(run + ["export", store, back, "--to", "tfrecord", "--strict", "--quiet"],
                   check=True)
    files = sorted(glob.glob(back + "/*/*"))
    assert len(files) == len(archive.files), files
    for path, patches in zip(files, archive.files.values()):
        check(path, archive, patches)


def hashes(store):
    with sqlite3.connect(store + "/index.gpkg") as index:
        rows = index.execute("select name, labels, label, sha256 from patches order by name")
        return rows.fetchall()


def real(command, patches, folder):
    import rasterio
    given = os.path.join(folder, "real.tfrecord")
    with tf.io.TFRecordWriter(given) as writer:
        for name in sorted(os.listdir(patches)):
            path = os.path.join(patches, name, name)
            pixels = {b: rasterio.open(f"{path}_{b}.tif").read(1) for b in SIDES}
            labels = json.load(open(path + "_labels_metadata.json"))["labels"]
            # The names alone: the published index of the 43 is not needed to read them.
            feature = tf.train.Example.FromString(
                message(pixels, labels, collections.defaultdict(int), 43, name))
            del feature.features.feature["original_labels_multi_hot"]
            writer.write(feature.SerializeToString())
    stores = [os.path.join(folder, end) for end in ("real.store", "folder.store")]
    for source, store in zip((given, patches), stores):
        subprocess.run([command, "dataset", "import", source, store, "--positive", "expanded",
                        "--strict", "--quiet"], check=True)
    first, second = map(hashes, stores)
    assert first == second and first
    print(f"real patches: {len(first)} with equal labels and SHA-256 by both ways")


print(f"TensorFlow {tf.__version__}")
with tempfile.TemporaryDirectory() as work:
    for title, kind in ARCHIVES.items():
        both_ways(os.path.abspath(sys.argv[1]), title, kind, work)
    if len(sys.argv) > 2:
        real(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), work)
