"""The one algorithm that is there when the program cannot be used: it says why, and mends it."""
import os

from qgis.core import (QgsProcessingAlgorithm, QgsProcessingException, QgsProcessingOutputString,
                       QgsProcessingParameterFile)
from qgis.PyQt.QtGui import QIcon

from . import catalogue, settings


class Setup(QgsProcessingAlgorithm):
    def __init__(self, trouble):
        super().__init__()
        self.trouble = trouble

    def createInstance(self):
        return Setup(self.trouble)

    def name(self):
        return 'setup'

    def displayName(self):
        return 'Set up S2CLR: its program is missing'

    def shortDescription(self):
        return self.trouble

    def shortHelpString(self):
        return ('%s\n\nThis names the program, and the algorithms of S2CLR appear in its place.'
                % self.trouble)

    def icon(self):
        return QIcon(os.path.join(settings.HERE, 's2clr.svg'))

    def svgIconPath(self):
        return os.path.join(settings.HERE, 's2clr.svg')

    def flags(self):
        # The toolbox is changed at the end, which only the main thread may do.
        return super().flags() | QgsProcessingAlgorithm.FlagNoThreading

    def initAlgorithm(self, configuration=None):
        self.addParameter(QgsProcessingParameterFile(
            'PROGRAM', 'The program s2clr', fileFilter='All files (*)'))
        self.addOutput(QgsProcessingOutputString('VERSION', 'Its version'))

    def processAlgorithm(self, parameters, context, feedback):
        program = self.parameterAsFile(parameters, 'PROGRAM', context)
        try:
            if not settings.is_program(program):
                raise settings.Trouble('%s is no program.' % program)
            version = catalogue.describe(program)['version']
        except settings.Trouble as reason:
            raise QgsProcessingException(str(reason))
        settings.choose(program)
        feedback.pushInfo('s2clr %s: kept as the option under %s' % (version, settings.WHERE))
        self.version = version
        return {'VERSION': version}

    def postProcessAlgorithm(self, context, feedback):
        provider = self.provider()
        if provider:
            # Not now: it would delete this algorithm while it runs.
            from qgis.PyQt.QtCore import QTimer
            QTimer.singleShot(0, provider.refreshAlgorithms)
        return {'VERSION': self.version}
