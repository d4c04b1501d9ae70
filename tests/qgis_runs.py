"""Runs through processing.run: every kind of input, and the command's own bytes as output."""
import json
import os

from qgis.core import (NULL, QgsCoordinateReferenceSystem, QgsCoordinateTransform,
                       QgsCoordinateTransformContext, QgsProcessing,
                       QgsProcessingFeatureSourceDefinition, QgsProcessingModelAlgorithm,
                       QgsProcessingModelChildAlgorithm, QgsProcessingModelChildParameterSource,
                       QgsProcessingModelOutput, QgsProcessingModelParameter,
                       QgsProcessingOutputLayerDefinition, QgsProcessingParameterFile, QgsProject,
                       QgsRectangle, QgsReferencedRectangle, QgsFeature, QgsGeometry,
                       QgsVectorFileWriter, QgsVectorLayer)

from qgis_rig import (Listener, Skip, algorithm, case, command_line, context, fails, layer_of,
                      processing_run, pixels, same_bytes, same_pixels)

MODEL = os.path.abspath('zoo/tiny.safetensors')
ZIP = os.path.abspath('product.SAFE.zip')
SMALL = '0,0,64,48'  # of a product, where a whole one would only take longer
WAY = {'MODEL': 'tiny', 'SRCWIN': SMALL}
PLAIN = ['predict', '-m', 'tiny', '--srcwin=' + SMALL]


def by_hand(name, *words):
    """The map of the command itself, once for each name."""
    path = os.path.abspath('hand-%s.tif' % name)
    if not os.path.exists(path):
        command_line(*PLAIN, *words, path)
    return path


def mapped(name, feedback=None, **parameters):
    path = os.path.abspath('qgis-%s.tif' % name)
    results = processing_run('predict', dict(WAY, OUTPUT=path, **parameters), feedback)
    assert results['OUTPUT'] == path
    return path


@case('a scene in a zip: the bytes of the command, progress, log, text')
def zipped():
    feedback = Listener()
    path = os.path.abspath('qgis-zip.tif')
    results = processing_run('predict', {'INPUT': ZIP, 'MODEL': 'tiny', 'OUTPUT': path}, feedback)
    hand = os.path.abspath('hand-zip.tif')
    command_line('predict', '-m', 'tiny', ZIP, hand)
    same_pixels(path, hand)
    assert feedback.steps and feedback.steps == sorted(feedback.steps)
    assert 0 < feedback.steps[0] and feedback.steps[-1] == 100, feedback.steps
    assert 'predict' in feedback.told[0] and ZIP in feedback.told[0]
    assert any('BOA_ADD_OFFSET' in line for line in feedback.told)
    assert not any('progress' in line for line in feedback.told[1:])
    assert not {'TEXT', 'REPORT', 'POLYGONS', 'AREA_M2'} & set(results), results


@case('the file is the same in every byte')
def bytes_equal():
    # Under one name: the command line is part of a map's tags.
    path = mapped('bytes', INPUT=ZIP)
    os.rename(path, 'first.tif')
    command_line('predict', '--model=tiny', '--srcwin=' + SMALL, ZIP, path)
    same_bytes('first.tif', path)


@case('a SAFE folder, its XML, a VRT, a list of bands')
def files():
    folder = next(name for name in os.listdir('.') if name.endswith('.SAFE'))
    for name, given in (('folder', folder), ('xml', folder + '/MTD_MSIL2A.xml'),
                        ('vrt', 'stack.vrt')):
        given = os.path.abspath(given)
        same_pixels(mapped(name, INPUT=given), by_hand(name, given))
    bands = [os.path.abspath('band-%s.tif' % band) for band in ('B02', 'B03', 'B04')]
    same_pixels(mapped('bands', INPUT_LAYERS=bands), by_hand('bands', *bands))


@case('a zip that QGIS would not load as a layer: /vsizip/')
def vsizip():
    inner = '/vsizip/%s/%s' % (ZIP, next(name for name in os.listdir('.')
                                         if name.endswith('.SAFE')) + '/MTD_MSIL2A.xml')
    same_pixels(mapped('vsizip', INPUT=inner), by_hand('vsizip', inner))


@case('a layer of the project, by layer, id and name, several as the bands of one scene')
def project_layers():
    layer = layer_of(os.path.abspath('scene.tif'), 'My scene')
    hand = by_hand('layer', os.path.abspath('scene.tif'))
    for name, given in (('object', layer), ('id', layer.id()), ('name', 'My scene'),
                        ('list', [layer.id()])):
        same_pixels(mapped('layer-' + name, INPUT_LAYERS=given), hand)
    same_pixels(mapped('layer-in-file', INPUT=layer.id()), hand)
    bands = [layer_of(os.path.abspath('band-%s.tif' % band), band) for band in
             ('B02', 'B03', 'B04')]
    same_pixels(mapped('layer-bands', INPUT_LAYERS=bands), by_hand(
        'bands', *[os.path.abspath('band-%s.tif' % band) for band in ('B02', 'B03', 'B04')]))


@case('a layer of the SENTINEL2 driver')
def sentinel_layer():
    folder = next(name for name in os.listdir('.') if name.endswith('.SAFE'))
    source = 'SENTINEL2_L2A:%s/MTD_MSIL2A.xml:10m:EPSG_32630' % os.path.abspath(folder)
    layer = layer_of(source, 'ten metres')
    same_pixels(mapped('sentinel', INPUT_LAYERS=[layer]), by_hand('sentinel', source))


@case("a layer of S2CLR's own driver, as the map whose area is estimated")
def driver_layer():
    if not os.environ.get('GDAL_DRIVER_PATH'):
        raise Skip('a plug-in built with a sanitizer cannot be loaded into Python')
    layer = layer_of('S2CLR:"%s":"%s"' % (MODEL, os.path.abspath('scene.tif')), 'live map')
    assert layer.dataProvider().bandCount() == 1
    text = fails('area', {'MAP': layer}, 'no samples are given')
    assert 'not' not in text.split('samples')[0].lower() or 'S2CLR:' not in text


@case('open options of a layer are not passed on, and that is said')
def open_options():
    feedback = Listener()
    layer = layer_of(os.path.abspath('scene.tif') + '|option:NUM_THREADS=1', 'with options')
    path = mapped('options', feedback, INPUT_LAYERS=[layer])
    same_pixels(path, by_hand('layer', os.path.abspath('scene.tif')))
    assert any('NUM_THREADS' in line for line in feedback.warned), feedback.warned


@case('layers that no other program reads are refused with the way out')
def foreign_layers():
    points = QgsVectorLayer('Point?crs=EPSG:4326', 'points', 'memory')
    QgsProject.instance().addMapLayer(points)
    fails('predict', dict(WAY, INPUT=points, OUTPUT='x.tif'), 'points', 'GeoTIFF')


@case('an extent in another reference system is brought to that of the input')
def extents():
    utm = QgsCoordinateReferenceSystem('EPSG:32630')
    box = QgsRectangle(700400, 4199000, 701000, 4199600)
    to_lonlat = QgsCoordinateTransform(utm, QgsCoordinateReferenceSystem('EPSG:4326'),
                                       QgsProject.instance())
    turned = to_lonlat.transformBoundingBox(box)
    back = QgsCoordinateTransform(QgsCoordinateReferenceSystem('EPSG:4326'), utm,
                                  QgsProject.instance()).transformBoundingBox(turned)
    given = {'INPUT': os.path.abspath('scene.tif'), 'MODEL': 'tiny'}

    def run(name, value):
        path = os.path.abspath('qgis-%s.tif' % name)
        processing_run('predict', dict(given, PROJWIN=value, OUTPUT=path))
        return path

    def hand(name, rectangle):
        path = os.path.abspath('hand-%s.tif' % name)
        command_line('predict', '-m', 'tiny', '--projwin=%r,%r,%r,%r' % (
            rectangle.xMinimum(), rectangle.yMaximum(), rectangle.xMaximum(),
            rectangle.yMinimum()), given['INPUT'], path)
        return path

    bare = '%r,%r,%r,%r' % (box.xMinimum(), box.xMaximum(), box.yMinimum(), box.yMaximum())
    plain = hand('box', box)
    same_pixels(run('box-bare', bare), plain)
    same_pixels(run('box-utm', bare + ' [EPSG:32630]'), plain)
    same_pixels(run('box-lonlat', QgsReferencedRectangle(
        turned, QgsCoordinateReferenceSystem('EPSG:4326'))), hand('turned', back))


def polygons(where):
    """A layer with a square in the scene's north-west."""
    layer = QgsVectorLayer('Polygon?crs=EPSG:32630&field=kind:integer', 'area', where)
    for kind, east in ((1, 700000), (2, 700300)):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([kind])
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(east, 4199600, east + 200, 4199900)))
        layer.dataProvider().addFeatures([feature])
    QgsProject.instance().addMapLayer(layer)
    return layer


@case('an area of interest: a file, a layer in memory, a filter, a selection')
def area_of_interest():
    import processing
    scene = os.path.abspath('scene.tif')
    layer = polygons('memory')
    saved = os.path.abspath('aoi.gpkg')
    processing.run('native:savefeatures', {'INPUT': layer, 'OUTPUT': saved, 'LAYER_NAME': 'aoi'})
    one = os.path.abspath('one.gpkg')
    processing.run('native:extractbyexpression', {'INPUT': layer, 'EXPRESSION': 'kind = 1',
                                                  'OUTPUT': one})
    both = by_hand('aoi', '--aoi=' + saved, scene)
    same_pixels(mapped('aoi-file', INPUT=scene, AOI=saved), both)
    same_pixels(mapped('aoi-memory', INPUT=scene, AOI=layer), both)
    first = by_hand('aoi-one', '--aoi=' + one, scene)
    assert pixels(both) != pixels(first)
    two = os.path.abspath('two.gpkg')
    how = QgsVectorFileWriter.SaveVectorOptions()
    for how.layerName, source in (('two', one), ('region', saved)):
        QgsVectorFileWriter.writeAsVectorFormatV3(QgsVectorLayer(source, 'x', 'ogr'), two,
                                                  QgsCoordinateTransformContext(), how)
        how.actionOnExistingFile = QgsVectorFileWriter.CreateOrOverwriteLayer
    picked = QgsVectorLayer(two + '|layername=two', 'two', 'ogr')
    QgsProject.instance().addMapLayer(picked)
    same_pixels(mapped('aoi-picked', INPUT=scene, AOI=picked), first)
    same_pixels(mapped('aoi-named', INPUT=scene, AOI=two + '|layername=two'), first)
    layer.selectByExpression('kind = 1')
    same_pixels(mapped('aoi-selected', INPUT=scene, AOI=QgsProcessingFeatureSourceDefinition(
        layer.id(), selectedFeaturesOnly=True)), first)
    filtered = QgsVectorLayer(saved, 'filtered', 'ogr')
    filtered.setSubsetString('kind = 1')
    QgsProject.instance().addMapLayer(filtered)
    same_pixels(mapped('aoi-filtered', INPUT=scene, AOI=filtered), first)


@case('options of all types: numbers, choices, lists of pairs, switches')
def options():
    scene = os.path.abspath('scene.tif')
    path = mapped('many', INPUT=scene, STRIDE=8, MIN_VALID=0.25, OT='Byte',
                  BANDS='probability,valid', CO='COMPRESS=LZW\nTILED=YES\n',
                  CONFIG=['GDAL_PAM_ENABLED=NO'], THREADS=1,
                  RESUME=False)
    same_pixels(path, by_hand('many', '--stride=8', '--min-valid=0.25', '--ot=Byte',
                              '--bands=probability,valid', '--co=COMPRESS=LZW', '--co=TILED=YES',
                              scene))


@case('defaults are left away, and what is not asked for is not done')
def defaults():
    feedback = Listener()
    mapped('defaults', feedback, INPUT=os.path.abspath('scene.tif'), MIN_VALID=0.5, THREADS=0,
           OT='Float32', BOA_OFFSET='auto', SCL='none', RESUME=False, MODEL_FILE=NULL,
           SCL_FILE=NULL, INPUT_LAYERS=[], AOI=NULL, PROJWIN=NULL, LEVEL='', CO='', STRIDE=NULL)
    line = feedback.told[0]
    for word in ('min-valid', 'threads', '--ot', 'boa-offset', '--scl', 'resume', 'report',
                 'polygons'):
        assert word not in line, line


@case('temporary outputs are made, and loaded where a project wants them')
def temporary():
    where = context()
    output = QgsProcessingOutputLayerDefinition(QgsProcessing.TEMPORARY_OUTPUT,
                                                QgsProject.instance())
    results = processing_run('predict', dict(WAY, INPUT=os.path.abspath('scene.tif'),
                                             OUTPUT=output), where=where)
    assert os.path.exists(results['OUTPUT'])
    assert list(where.layersToLoadOnCompletion()) == [results['OUTPUT']]
    where = context()
    processing_run('predict', dict(WAY, INPUT=os.path.abspath('scene.tif'), OUTPUT=output,
                                   DRY_RUN=True), where=where)
    assert not where.layersToLoadOnCompletion(), 'a dry run makes nothing to load'


@case('a VRT is made from a template, and called one')
def template():
    if not os.environ.get('GDAL_DRIVER_PATH'):
        raise Skip('a plug-in built with a sanitizer cannot be loaded into Python')
    where = context()
    output = QgsProcessingOutputLayerDefinition(QgsProcessing.TEMPORARY_OUTPUT,
                                                QgsProject.instance())
    results = processing_run('vrt', {
        'TEMPLATE': 'probability', 'INPUT': os.path.abspath('scene.tif'), 'MODEL': ['tiny'],
        'OUTPUT': output}, where=where)
    assert results['OUTPUT'].endswith('.vrt')
    assert list(where.layersToLoadOnCompletion()) == [results['OUTPUT']]
    layer_of(results['OUTPUT'], 'from a template')


@case('a report and polygons beside the map')
def beside():
    report, areas = os.path.abspath('report.html'), os.path.abspath('areas.gpkg')
    results = processing_run('predict', dict(
        WAY, INPUT=os.path.abspath('scene.tif'), OUTPUT=os.path.abspath('with-report.tif'),
        REPORT=report, POLYGONS=areas))
    assert (results['REPORT'], results['POLYGONS']) == (report, areas)
    assert QgsVectorLayer(areas, 'areas', 'ogr').isValid()
    said = json.loads(command_line(
        'predict', '--json', '--model=tiny', '--srcwin=' + SMALL, '--polygons=hand-areas.gpkg',
        os.path.abspath('scene.tif'), os.path.abspath('with-numbers.tif')))
    assert results['VALID_PIXELS'] == said['valid_pixels'] > 0, results
    assert results['MEAN'] == said['probability']['mean'] and results['MEAN'] > 0, results
    assert results['AREA_M2'] == said['polygons']['area_m2'], results
    assert results['MODEL_WARNING'] == said['model_warning'], results
    with open(report, encoding='utf-8') as file:
        assert '<html' in file.read()


@case('the dialog says that a page was made only where one was asked for')
def page():
    asked = {'INPUT': os.path.abspath('scene.tif'), 'OUTPUT': os.path.abspath('no-page.tif')}
    dialog = algorithm('predict').create()  # QGIS's dialog asks this very object, before and after
    assert dialog.hasHtmlOutputs()
    for more, wanted in (({}, False), ({'REPORT': os.path.abspath('page.html')}, True),
                         ({'REPORT': None}, False), ({'REPORT': QgsProcessing.TEMPORARY_OUTPUT}, True)):
        assert dialog.checkParameterValues(dict(asked, **more), context())[0]
        assert dialog.hasHtmlOutputs() is wanted, more
    plain = algorithm('info').create()
    assert plain.checkParameterValues({'TARGET': asked['INPUT']}, context())[0]
    assert not plain.hasHtmlOutputs()


@case('a real product in its zip')
def real():
    data = os.environ.get('S2CLR_TEST_DATA', '')
    name = 'S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE.zip'
    if not os.path.exists(os.path.join(data, name)):
        raise Skip('%s is not in S2CLR_TEST_DATA' % name)
    given = os.path.join(data, name)
    same_pixels(mapped('real', INPUT=given), by_hand('real', given))


@case('a command that prints its answer: information on a product')
def text():
    results = processing_run('info', {'TARGET': ZIP, 'MODEL': 'tiny'})
    assert 'L2A' in results['TEXT'] and 'B04' in results['TEXT']
    results = processing_run('model', {'ACTION': 'list'})
    assert 'tiny' in results['TEXT'].split()


@case('a model of Processing with a map in it')
def in_a_model():
    model = QgsProcessingModelAlgorithm('mapping', 'tests')
    model.setName('mapping')
    model.addModelParameter(QgsProcessingParameterFile('product', 'Product'),
                            QgsProcessingModelParameter('product'))
    child = QgsProcessingModelChildAlgorithm('s2clr:predict')
    child.setChildId('map')
    source = QgsProcessingModelChildParameterSource
    child.addParameterSources('INPUT', [source.fromModelParameter('product')])
    child.addParameterSources('MODEL', [source.fromStaticValue('tiny')])
    child.addParameterSources('SRCWIN', [source.fromStaticValue(SMALL)])
    out = QgsProcessingModelOutput('map')
    out.setChildOutputName('OUTPUT')
    child.setModelOutputs({'map': out})
    model.addChildAlgorithm(child)
    model.initAlgorithm()
    path = os.path.abspath('qgis-model.tif')
    results, good = model.run({'product': ZIP, 'map:map': path}, context(), Listener())
    assert good and os.path.exists(path), results
    same_pixels(path, by_hand('zipwin', ZIP))
