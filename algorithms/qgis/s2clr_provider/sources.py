"""Layers of the project as names that a program outside of QGIS can open."""
from qgis.core import (QgsMapLayer, QgsProcessingException, QgsProcessingFeatureSourceDefinition,
                       QgsProcessingUtils, QgsProperty, QgsProviderRegistry, QgsVectorLayer)
from qgis.PyQt.QtCore import QVariant

# Vector files that the program reads as they are. Other layers, layers of several in one file,
# filtered ones and selections are copied into a temporary GeoPackage first.
VECTOR_FILES = ['gpkg', 'shp', 'geojson', 'json', 'fgb', 'gml', 'kml', 'csv', 'parquet', 'tab']


def blank(value):
    """Nothing was given. Widgets say that in several ways, one of them a null of Qt."""
    if isinstance(value, QVariant):
        return value.isNull()
    return value is None or value == '' or value == []


def values(parameters, name, context):
    """What was given, as a list: texts and layers."""
    given = parameters.get(name)
    if isinstance(given, QgsProperty):
        given = given.valueAsString(context.expressionContext())[0]
    every = given if isinstance(given, (list, tuple)) else [given]
    return [one for one in every if not blank(one)]


def layer_of(value, context):
    """The layer of the project that a value means, or None. Nothing is loaded: the program opens
    what QGIS refuses to load, such as /vsizip/ or a SENTINEL2_L2A name."""
    if isinstance(value, QgsMapLayer):
        return value
    if not isinstance(value, str):
        return None
    return QgsProcessingUtils.mapLayerFromString(value, context, False)


def raster_name(layer, feedback):
    """GDAL's name of a layer, whichever driver opened it."""
    if layer.providerType() != 'gdal':
        raise QgsProcessingException(
            'The layer "%s" is not one that GDAL reads (it comes from "%s"). Export it to a '
            'GeoTIFF first.' % (layer.name(), layer.providerType()))
    name = layer.source()
    parts = QgsProviderRegistry.instance().decodeUri('gdal', name)
    if parts.get('openOptions'):
        name = name.split('|option:')[0]
        feedback.pushWarning('The layer "%s" has open options (%s), which are not passed on.'
                             % (layer.name(), ', '.join(parts['openOptions'])))
    if '/vsimem/' in name:
        raise QgsProcessingException(
            'The layer "%s" is in the memory of QGIS, where no other program reads it. Export it '
            'to a GeoTIFF first.' % layer.name())
    return name


def raster(value, context, feedback):
    layer = layer_of(value, context)
    if layer is None:
        return str(value)
    return raster_name(layer, feedback)


def is_alone(layer, source):
    """Whether the file of a layer holds no others, which the program would read as well. Asked of
    the file: a layer that was picked by its name knows of itself only."""
    if layer is not None and layer.providerType() != 'ogr':
        return True  # no file: it is copied into one anyway
    source = source if layer is None else layer.source()
    path = QgsProviderRegistry.instance().decodeUri('ogr', source).get('path', source)
    whole = QgsVectorLayer(path, 'looked at', 'ogr')
    return not whole.isValid() or len(whole.dataProvider().subLayers()) < 2


def vector(algorithm, parameters, name, context, feedback):
    """The file of a layer; texts that are no layer are names of files."""
    given = values(parameters, name, context)
    if not given:
        return None
    value = given[0]
    source = value.source.valueAsString(context.expressionContext())[0] if isinstance(
        value, QgsProcessingFeatureSourceDefinition) else value
    layer = layer_of(source, context)
    if layer is None and '|' not in str(source):
        return str(source)
    if layer is not None and layer.type() == QgsMapLayer.RasterLayer:
        return raster_name(layer, feedback)
    formats = VECTOR_FILES if is_alone(layer, str(source)) else []  # []: copied in any case
    path = algorithm.parameterAsCompatibleSourceLayerPath(parameters, name, context, formats,
                                                          'gpkg', feedback)
    if not path:
        raise QgsProcessingException('%s: "%s" is neither a layer of the project nor a file that '
                                     'QGIS opens' % (name, source))
    return path
