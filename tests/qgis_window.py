"""Runs inside the window that qgis_window.sh opened: walks through a map, and takes pictures.

Every step waits for the one before; the last one closes QGIS.
"""
import os
import traceback

from osgeo import gdal
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QImage, qRgb
from qgis.PyQt.QtWidgets import QApplication, QDockWidget, QProgressBar, QTreeView
from qgis.utils import iface

PICTURES = os.environ['S2CLR_PICTURES']
SCENE = os.environ['S2CLR_SCENE']
MAP = os.environ['S2CLR_MAP']
WIDTH, HEIGHT = 1280, 800
dialog = None


def picture(name, widget, left=0, top=0, colours=64):
    """What lies right of and below a point, in few colours: small enough for a README."""
    QApplication.processEvents()
    path = os.path.join(PICTURES, name + '.png')
    image = widget.grab().toImage().convertToFormat(QImage.Format_RGB888).copy(
        left, top, widget.width() - left, widget.height() - top)
    image.save(path)
    full = gdal.Open(path)
    palette = gdal.ColorTable()
    gdal.ComputeMedianCutPCT(*[full.GetRasterBand(i) for i in (1, 2, 3)], colours, palette)
    full = None
    table = [qRgb(*palette.GetColorEntry(i)[:3]) for i in range(palette.GetCount())]
    image.convertToFormat(QImage.Format_Indexed8, table, Qt.AvoidDither | Qt.ThresholdDither).save(
        path, 'PNG', 0)


def wait_for(good, then, patience=6000):
    """Looks fifty times a second, for two minutes at most."""
    def look(left=patience):
        if good() or left == 0:
            after(0, then)
        else:
            QTimer.singleShot(20, lambda: look(left - 1))
    look()


def after(milliseconds, step):
    def careful():
        try:
            step()
        except Exception:
            traceback.print_exc()
            os._exit(1)
    QTimer.singleShot(milliseconds, careful)


def arrange():
    window = iface.mainWindow()
    window.setGeometry(0, 0, WIDTH, HEIGHT)
    for dock in window.findChildren(QDockWidget):
        dock.setVisible(dock.objectName() in ('Layers', 'ProcessingToolbox'))
    scene = QgsRasterLayer(SCENE, 'Segura, Sentinel-2')
    renderer = scene.renderer()
    for set_band, band in ((renderer.setRedBand, 4), (renderer.setGreenBand, 3),
                           (renderer.setBlueBand, 2)):
        set_band(band)
    scene.setDefaultContrastEnhancement()
    QgsProject.instance().addMapLayer(scene)
    iface.setActiveLayer(scene)
    iface.zoomToActiveLayer()
    show_toolbox(window)
    after(6000, lambda: wait_for(lambda: not iface.mapCanvas().isDrawing(), toolbox_taken))


def show_toolbox(window):
    dock = window.findChild(QDockWidget, 'ProcessingToolbox')
    window.resizeDocks([dock], [370], 1)  # horizontally
    tree = dock.findChild(QTreeView)
    model = tree.model()
    for i in range(model.rowCount()):
        index = model.index(i, 0)
        if model.data(index) != 'S2CLR':
            continue
        tree.expand(index)
        for k in range(model.rowCount(index)):
            tree.expand(model.index(k, 0, index))
        tree.scrollTo(index, QTreeView.PositionAtTop)


def toolbox_taken():
    picture('toolbox', iface.mainWindow(), 480, 100)
    global dialog
    import processing
    layer = iface.activeLayer()
    dialog = processing.createAlgorithmDialog('s2clr:predict', {
        'INPUT': os.path.basename(SCENE), 'MODEL': 'dense-eurosat-permanentcrop',
        'STRIDE': 4, 'OUTPUT': MAP})
    assert layer.isValid()
    dialog.setGeometry(150, 40, 980, 740)
    dialog.show()
    after(2500, dialog_taken)


def dialog_taken():
    picture('dialog', dialog)
    dialog.runAlgorithm()
    wait_for(under_way, running_taken)


def under_way():
    bars = dialog.findChildren(QProgressBar)
    return dialog.wasExecuted() or any(20 <= bar.value() < 100 for bar in bars if bar.maximum())


def running_taken():
    picture('running', dialog)
    wait_for(lambda: dialog.wasExecuted() and len(QgsProject.instance().mapLayers()) > 1, finished)


def finished():
    picture('finished', dialog)
    dialog.close()
    layers = QgsProject.instance().mapLayersByName('Output raster') or [
        layer for layer in QgsProject.instance().mapLayers().values() if layer.source() == MAP]
    iface.setActiveLayer(layers[0])
    iface.zoomToActiveLayer()
    tree = iface.layerTreeView()
    tree.expandAll()
    window = iface.mainWindow()
    window.findChild(QDockWidget, 'ProcessingToolbox').setVisible(False)
    window.resizeDocks([window.findChild(QDockWidget, 'Layers')], [330], 1)
    after(6000, lambda: wait_for(lambda: not iface.mapCanvas().isDrawing(), result_taken))


def result_taken():
    picture('result', iface.mainWindow(), colours=128)
    os._exit(0)  # nothing is to be saved, and nobody is there to be asked


after(4000, arrange)
assert QgsApplication.processingRegistry()
