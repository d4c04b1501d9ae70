"""The provider "s2clr": its algorithms, made from what the program describes."""
import os

from qgis.core import Qgis, QgsMessageLog, QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from . import catalogue, settings
from .algorithm import Algorithm
from .setup import Setup

ICON = os.path.join(settings.HERE, 's2clr.svg')


class Provider(QgsProcessingProvider):
    def __init__(self):
        super().__init__()
        self.trouble = ''  # why there are no algorithms, and what to do
        self.version = ''

    def id(self):
        return 's2clr'

    def name(self):
        return 'S2CLR'

    def longName(self):
        return 'S2CLR %s, irrigation from Sentinel-2' % self.version if self.version else 'S2CLR'

    def versionInfo(self):
        return self.version

    def icon(self):
        return QIcon(ICON)

    def svgIconPath(self):
        return ICON

    def supportedOutputRasterLayerExtensions(self):
        return ['tif', 'tiff', 'vrt', 's2clr']

    def supportedOutputVectorLayerExtensions(self):
        return ['gpkg']

    def defaultRasterFileExtension(self):
        return 'tif'

    def defaultVectorFileExtension(self, hasGeometry=True):
        return 'gpkg'

    def supportsNonFileBasedOutput(self):
        return False

    def warningMessage(self):
        return self.trouble

    def load(self):
        settings.register(self.icon())
        return super().load()

    def unload(self):
        settings.unregister()
        super().unload()

    def loadAlgorithms(self):
        self.trouble = ''
        try:
            program = settings.find()
            description = catalogue.describe(program)
        except (settings.Trouble, OSError) as reason:
            self.trouble = str(reason)
            QgsMessageLog.logMessage(self.trouble, 'S2CLR', Qgis.Warning)
            self.addAlgorithm(Setup(self.trouble))
            return
        self.version = description['version']
        models = catalogue.zoo(program)
        for command in catalogue.dialogs(description):
            self.addAlgorithm(Algorithm(command, models))
