"""S2CLR in the toolbox of QGIS: every command of the program s2clr as a Processing algorithm."""


def classFactory(iface):  # the name that QGIS calls
    from .plugin import Plugin
    return Plugin(iface)
