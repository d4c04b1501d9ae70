"""make_zip.py OUT.zip SOURCES FILE...: the plug-in as QGIS's "Install from ZIP" takes it.
make_zip.py --lacks OUT.zip: says what plugins.qgis.org asks for and its metadata do not have.

Each FILE is looked for here (what was built), then in SOURCES, and goes into the folder
s2clr_provider. The same files give the same bytes everywhere: one date, one mode, the order of
names, and nothing compressed, since compressors differ.
"""
import os
import sys
import zipfile

FOLDER = 's2clr_provider'
ASKED = ('email', 'tracker', 'repository', 'homepage')  # of what this project may not have
DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say


def add(archive, path):
    entry = zipfile.ZipInfo('%s/%s' % (FOLDER, os.path.basename(path)), DATE)
    entry.create_system = 3  # Unix, also when made elsewhere
    entry.external_attr = 0o100644 << 16
    with open(path, 'rb') as file:
        archive.writestr(entry, file.read())


def main(out, sources, *names):
    paths = [name if os.path.exists(name) else os.path.join(sources, name) for name in names]
    with zipfile.ZipFile(out + '.new', 'w', zipfile.ZIP_STORED) as archive:
        for path in sorted(paths, key=os.path.basename):
            add(archive, path)
    os.replace(out + '.new', out)


def lacks(out):
    with zipfile.ZipFile(out) as archive:
        lines = archive.read(FOLDER + '/metadata.txt').decode().splitlines()
    missing = [name for name in ASKED if not any(line.startswith(name + '=') for line in lines)]
    if missing:
        print('%s: good for "Install from ZIP"; plugins.qgis.org also asks for %s, which come from '
              'AC_INIT in configure.ac (an address for reports, mail or web; the address of the '
              'project)' % (out, ', '.join(missing)))


if sys.argv[1] == '--lacks':
    lacks(sys.argv[2])
else:
    main(*sys.argv[1:])
