"""Shared by the Python parts of test_qgis.sh: QGIS without a window, cases, and what they need.

    from qgis_rig import case, predict

    @case('a scene in a zip')
    def zipped():
        ...

A case fails by an exception (assert), or skips by raising Skip(reason). Everything is made by
test_qgis.sh in the current folder; S2CLR_PROGRAM and S2CLR_ZOO name the program and its models.
"""
import json
import os
import subprocess
import sys
import traceback

from qgis.core import (QgsApplication, QgsProcessingContext, QgsProcessingFeedback, QgsProject,
                       QgsRasterLayer)

CASES = []
PROGRAM = os.environ['S2CLR_PROGRAM']
application = None


class Skip(Exception):
    pass


def case(name):
    def add(function):
        CASES.append((name, function))
        return function
    return add


def start():
    """QGIS with Processing and the plug-in, as qgis_process has them."""
    global application
    application = QgsApplication([], False)
    application.initQgis()
    sys.path[:0] = [os.path.join(application.pkgDataPath(), 'python', 'plugins'),
                    os.environ['QGIS_PLUGINPATH']]
    from processing.core.Processing import Processing
    Processing.initialize()
    import s2clr_provider
    plugin = s2clr_provider.classFactory(None)
    plugin.initProcessing()
    return plugin


def run_all():
    """Counts for the shell: run, failed, skipped."""
    run = failed = skipped = 0
    for name, function in CASES:
        try:
            QgsProject.instance().clear()
            function()
            run += 1
        except Skip as reason:
            skipped += 1
            print('SKIP %s: %s' % (name, reason))
        except Exception:
            run += 1
            failed += 1
            lines = traceback.format_exc().rstrip().splitlines()
            print('FAIL %s: %s' % (name, lines[-1]))
            print('\n'.join('    ' + line for line in lines[:-1]))
        sys.stdout.flush()
    print('python: %d %d %d' % (run, failed, skipped))


class Listener(QgsProcessingFeedback):
    """Keeps what an algorithm says."""

    def __init__(self):
        super().__init__(False)
        self.told, self.warned, self.steps = [], [], []
        self.progressChanged.connect(self.steps.append)

    def pushInfo(self, text):
        self.told.append(text)

    def pushCommandInfo(self, text):
        self.told.append(text)

    def pushWarning(self, text):
        self.warned.append(text)


def context():
    made = QgsProcessingContext()
    made.setProject(QgsProject.instance())
    return made


def provider():
    return QgsApplication.processingRegistry().providerById('s2clr')


def algorithm(name):
    return QgsApplication.processingRegistry().algorithmById('s2clr:' + name)


def described():
    """The program's own words, asked for here and not through the plug-in."""
    return json.loads(subprocess.run([PROGRAM, 'describe', '--json'], check=True,
                                     stdout=subprocess.PIPE).stdout)


def command_line(*words):
    """Runs the program by hand."""
    return subprocess.run([PROGRAM, *words], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout.decode()


def processing_run(name, parameters, feedback=None, where=None):
    import processing
    return processing.run('s2clr:' + name, parameters, feedback=feedback or Listener(),
                          context=where or context())


def fails(name, parameters, *says):
    """Runs what must raise QgsProcessingException, with these texts."""
    from qgis.core import QgsProcessingException
    try:
        processing_run(name, parameters)
    except QgsProcessingException as reason:
        for text in says:
            assert text in str(reason), '%r is not in %r' % (text, str(reason))
        return str(reason)
    raise AssertionError('%s ran with %r' % (name, parameters))


def pixels(path):
    """All numbers of a raster, as GDAL reads them."""
    layer = QgsRasterLayer(path, 'x', 'gdal')
    assert layer.isValid(), path
    source = layer.dataProvider()
    blocks = [source.block(band + 1, source.extent(), source.xSize(), source.ySize())
              for band in range(source.bandCount())]  # the bytes live as long as they do
    return [bytes(block.data()) for block in blocks], source.xSize(), source.ySize()


def same_pixels(a, b):
    assert pixels(a) == pixels(b), '%s and %s differ' % (a, b)


def same_bytes(a, b):
    with open(a, 'rb') as one, open(b, 'rb') as other:
        assert one.read() == other.read(), '%s and %s differ' % (a, b)


def layer_of(source, name, provider_name='gdal'):
    """A raster layer of the project."""
    made = QgsRasterLayer(source, name, provider_name)
    if not made.isValid():
        raise Skip('QGIS does not open %s' % source)
    QgsProject.instance().addMapLayer(made)
    return made
