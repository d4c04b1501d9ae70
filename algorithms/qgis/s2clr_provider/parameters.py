"""From a row of the program's table to the parameters of a dialog.

A value that may come from two places that no widget of QGIS offers together (a file or several
layers, a name of the zoo or a file) gets a parameter for each, the second one with the ending that
stands in PLACES. All others have exactly one parameter, called as the row is, in capitals.
"""
from qgis.core import (QgsProcessing, QgsProcessingParameterBoolean,
                       QgsProcessingParameterDefinition, QgsProcessingParameterEnum,
                       QgsProcessingParameterExtent, QgsProcessingParameterFeatureSource,
                       QgsProcessingParameterFile, QgsProcessingParameterFileDestination,
                       QgsProcessingParameterFolderDestination,
                       QgsProcessingParameterMultipleLayers, QgsProcessingParameterNumber,
                       QgsProcessingParameterRasterDestination,
                       QgsProcessingParameterRasterLayer, QgsProcessingParameterString,
                       QgsProcessingParameterVectorDestination)

# Where a row's value is picked: the places of its parameters, the first one named as the row.
PLACES = {
    ('file', 'folder', 'layer'): ('file', 'layers'),
    ('folder', 'file'): ('folder', 'file'),
    ('layer', 'file'): ('layer',),
    ('list', 'file'): ('words', 'file'),
    ('zoo', 'file'): ('zoo', 'file'),
    ('file',): ('file',),
    ('folder',): ('folder',),
}
VECTOR_SUFFIXES = ('gpkg',)
RASTER_SUFFIXES = ('tif', 'vrt')


def name_of(row):
    return row['name'].upper().replace('-', '_')


def places(row):
    """(name of parameter, place) of a row that is picked somewhere; of others, nothing."""
    if 'takes' not in row:
        return []
    first, *more = PLACES[tuple(row['takes'])]
    name = name_of(row)
    return [(name, first)] + [(name + '_' + place.upper(), place) for place in more]


def file_filter(row):
    suffixes = row.get('suffixes')
    if not suffixes:
        return ''
    return 'Usual files (%s);;All files (*)' % ' '.join('*.' + suffix for suffix in suffixes)


# ---- one parameter for each place ----

def words(name, label, row, optional, models):
    values = models if 'zoo' in row['takes'] else row['words']
    # Of a row that may be repeated, a choice of several: one after the other.
    return QgsProcessingParameterEnum(name, label, values, row['repeat'], row.get('default'),
                                      optional, True)


def file(name, label, row, optional, models):
    if row['repeat'] and 'layer' not in row['takes']:
        return QgsProcessingParameterMultipleLayers(name, label, QgsProcessing.TypeFile, None,
                                                    optional)
    return QgsProcessingParameterFile(name, label, QgsProcessingParameterFile.File, '', None,
                                      optional, file_filter(row))


def folder(name, label, row, optional, models):
    return QgsProcessingParameterFile(name, label, QgsProcessingParameterFile.Folder, '', None,
                                      optional)


def layers(name, label, row, optional, models):
    return QgsProcessingParameterMultipleLayers(name, label, QgsProcessing.TypeRaster, None,
                                                optional)


def layer(name, label, row, optional, models):
    if row['type'] == 'vector':
        return QgsProcessingParameterFeatureSource(name, label, [QgsProcessing.TypeVector], None,
                                                   optional)
    return QgsProcessingParameterRasterLayer(name, label, None, optional)


AT = {'words': words, 'zoo': words, 'file': file, 'folder': folder, 'layers': layers,
      'layer': layer}
SECOND = {'layers': 'as layers of the project', 'file': 'as a file'}


def picked(row, models):
    every = places(row)
    optional = not row['required'] or len(every) > 1
    made = []
    for i, (name, place) in enumerate(every):
        label = row['label'] if i == 0 else '%s, %s' % (row['label'], SECOND[place])
        made.append(AT[place](name, label, row, optional, models))
    return made


# ---- one parameter for each other type ----

def flag(name, row):
    return QgsProcessingParameterBoolean(name, row['label'], row['dialog_on'], True)


def number(name, row):
    whole = row['type'] == 'integer'
    kind = QgsProcessingParameterNumber.Integer if whole else QgsProcessingParameterNumber.Double
    default = row.get('default')
    made = QgsProcessingParameterNumber(name, row['label'], kind,
                                        None if default is None else float(default),
                                        not row['required'])
    if 'minimum' in row:
        made.setMinimum(row['minimum'])
        made.setMaximum(row['maximum'])
    return made


def choice(name, row):
    return QgsProcessingParameterEnum(name, row['label'], row['choices'], False,
                                      row.get('default'), not row['required'], True)


def text(name, row):
    made = QgsProcessingParameterString(name, row['label'], row.get('default'), row['repeat'],
                                        not row['required'])
    if 'words' in row:
        made.setMetadata({'widget_wrapper': {'value_hints': row['words']}})
    return made


def extent(name, row):
    return QgsProcessingParameterExtent(name, row['label'], None, not row['required'])


def raster_out(name, row):
    return QgsProcessingParameterRasterDestination(name, row['label'], None, not row['required'],
                                                   row['required'])


def folder_out(name, row):
    return QgsProcessingParameterFolderDestination(name, row['label'], None, not row['required'],
                                                   row['required'])


def file_out(name, row):
    suffixes = row.get('suffixes', [''])
    optional, wanted = not row['required'], row['required']
    if suffixes[0] in VECTOR_SUFFIXES:
        return QgsProcessingParameterVectorDestination(
            name, row['label'], QgsProcessing.TypeVectorAnyGeometry, None, optional, wanted)
    if suffixes[0] in RASTER_SUFFIXES:
        return raster_out(name, row)
    kinds = ';;'.join('%s files (*.%s)' % (suffix.upper(), suffix) for suffix in suffixes)
    return QgsProcessingParameterFileDestination(name, row['label'], kinds, None, optional, wanted)


OF = {'flag': flag, 'integer': number, 'real': number, 'choice': choice, 'text': text,
      'key-value': text, 'window-integer': text, 'window-real': extent,
      'output-raster': raster_out, 'output-folder': folder_out, 'output-file': file_out}


def plain(row):
    repeated_number = row['repeat'] and row['type'] in ('integer', 'real')
    return (text if repeated_number else OF[row['type']])(name_of(row), row)


def explain(row):
    """Help of one row, with what a dialog does not show by itself."""
    more = []
    if row['repeat'] and 'takes' not in row:
        more.append('Several: one in each line.')
    if row['type'] == 'window-integer':
        more.append('Four whole numbers: %s.' % row['meta'])
    if 'takes' in row and 'zoo' in row['takes']:
        more.append('The list shows the models of the zoo.')
    if row['type'] == 'window-real':
        more.append('Any reference system will do here.')
    return ' '.join([row['help']] + more)


def make(row, models):
    """The parameters of a row. models: names of the zoo."""
    made = picked(row, models) if 'takes' in row else [plain(row)]
    for parameter in made:
        if row['advanced']:
            parameter.setFlags(parameter.flags()
                               | QgsProcessingParameterDefinition.FlagAdvanced)
        parameter.setHelp(explain(row))
    return made
