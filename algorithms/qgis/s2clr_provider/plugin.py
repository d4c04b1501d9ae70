"""What QGIS's plug-in manager holds on to: adds the provider, and takes it away."""
from qgis.core import Qgis, QgsApplication

from .provider import Provider


class Plugin:
    def __init__(self, iface):
        self.iface = iface  # None without a window
        self.provider = None

    def initProcessing(self):
        """Called alone by qgis_process, and below in a window."""
        self.provider = Provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self):
        self.initProcessing()
        if self.provider.trouble and self.iface:
            self.iface.messageBar().pushMessage('S2CLR', self.provider.trouble, Qgis.Warning, 0)

    def unload(self):
        if self.provider:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
