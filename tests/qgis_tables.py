"""The provider and its dialogs, against what the program describes."""
from qgis.core import (QgsProcessingParameterDefinition, QgsProcessingParameterNumber)

from qgis_rig import algorithm, case, command_line, described, provider

# What each type of the program's table is in QGIS, by where its value is picked.
PICKED = {
    'file,folder,layer': ['file', 'multilayer'],
    'folder,file': ['file', 'file'],
    'folder': ['file'],
    'file': ['file'],
    'layer,file': ['raster'],
    'list,file': ['enum', 'file'],
    'zoo,file': ['enum', 'file'],
}
PLAIN = {
    'flag': 'boolean', 'integer': 'number', 'real': 'number', 'choice': 'enum', 'text': 'string',
    'key-value': 'string', 'window-integer': 'string', 'window-real': 'extent',
    'output-raster': 'rasterDestination', 'output-folder': 'folderDestination',
    'output-file': 'fileDestination',
}
BY_SUFFIX = {'gpkg': 'vectorDestination', 'vrt': 'rasterDestination'}


def shown(command):
    return [row for row in command['parameters'] if not row['caller'] and not row['alone']]


def wanted_types(row):
    takes = ','.join(row.get('takes', []))
    if takes and row['type'] == 'vector':
        return ['source']
    if takes:
        types = list(PICKED[takes])
        if row['repeat'] and takes != 'file,folder,layer':
            types[-1] = 'multilayer' if types[-1] == 'file' else types[-1]
        return types
    if row['repeat'] and row['type'] in ('integer', 'real'):
        return ['string']
    suffix = row.get('suffixes', [''])[0]
    if row['type'] == 'output-file' and suffix in BY_SUFFIX:
        return [BY_SUFFIX[suffix]]
    return [PLAIN[row['type']]]


def check_parameter(row, parameter, alone):
    flags = parameter.flags()
    assert bool(flags & QgsProcessingParameterDefinition.FlagAdvanced) == row['advanced']
    optional = bool(flags & QgsProcessingParameterDefinition.FlagOptional)
    if row['type'] != 'flag':
        assert optional == (not row['required'] or not alone), 'optional'
    assert row['help'] in parameter.help()
    assert parameter.description().startswith(row['label'])
    if parameter.type() == 'enum' and 'choices' in row:
        assert parameter.options() == row['choices'] and parameter.usesStaticStrings()
    if parameter.type() == 'number':
        check_number(row, parameter)
    elif row['type'] == 'flag':
        assert parameter.defaultValue() == row['dialog_on']
    elif row.get('default') and parameter.name() == row['name'].upper().replace('-', '_'):
        assert parameter.defaultValue() == row['default'], parameter.defaultValue()


def check_number(row, parameter):
    whole = parameter.dataType() == QgsProcessingParameterNumber.Integer
    assert whole == (row['type'] == 'integer')
    default = parameter.defaultValue()
    assert (default is None) == ('default' not in row)
    assert default is None or float(default) == float(row['default'])
    if 'minimum' in row:
        assert (parameter.minimum(), parameter.maximum()) == (row['minimum'], row['maximum'])


def check_command(command):
    dialog = algorithm(command['name'].replace(' ', '_'))
    assert dialog, 'no algorithm'
    dialog = dialog.create()
    every = [parameter for parameter in dialog.parameterDefinitions()]
    for row in shown(command):
        name = row['name'].upper().replace('-', '_')
        types = wanted_types(row)
        for i, kind in enumerate(types):
            parameter = every.pop(0)
            where = '%s: %s' % (command['name'], parameter.name())
            assert parameter.name() == name if i == 0 else parameter.name().startswith(name), where
            assert parameter.type() == kind, '%s is %s, wanted %s' % (where, parameter.type(), kind)
            try:
                check_parameter(row, parameter, len(types) == 1)
            except AssertionError as reason:
                raise AssertionError('%s: %s' % (where, reason))
    assert not every, 'too many: %s' % [parameter.name() for parameter in every]
    assert dialog.displayName() == command['title'] and dialog.group() == command['section']
    assert command['summary'] == dialog.shortDescription()
    for text in (command['example'].split()[1], 'In a shell'):
        assert text in dialog.shortHelpString()


@case('every command but those without a dialog is an algorithm, its parameters are its rows')
def tables():
    commands = described()['commands']
    wanted = [command for command in commands if 'no_dialog' not in command]
    assert len(wanted) >= 24 and len(commands) - len(wanted) == 2
    for command in wanted:
        check_command(command)
    assert len(provider().algorithms()) == len(wanted)


@case('no row that the caller decides on is in a dialog')
def callers():
    names = {parameter.name() for one in provider().algorithms()
             for parameter in one.parameterDefinitions()}
    assert not names & {'HELP', 'VERSION', 'QUIET', 'JSON', 'RESULTS', 'PROGRESS'}, names
    assert {'STRIDE', 'MODEL', 'MODEL_FILE', 'THREADS', 'CONFIG'} <= names


@case('the models of the zoo are offered')
def zoo():
    names = command_line('model', 'list', '--quiet').split()
    assert names, 'an empty zoo proves nothing'
    assert algorithm('predict').parameterDefinition('MODEL').options() == names


@case('outputs are declared with their kinds')
def outputs():
    kinds = {name: {out.name(): out.type() for out in algorithm(name).outputDefinitions()}
             for name in ('predict', 'vrt', 'tsne', 'supervised', 'info')}
    assert kinds['predict']['OUTPUT'] == 'outputRaster'
    assert kinds['predict']['POLYGONS'] == 'outputVector'
    assert kinds['predict']['REPORT'] == 'outputHtml'
    assert kinds['vrt']['OUTPUT'] == 'outputRaster'
    assert kinds['tsne']['OUTPUT'] == 'outputHtml' and kinds['tsne']['CSV'] == 'outputFile'
    assert kinds['supervised']['OUTPUT'] == 'outputFolder'
    assert kinds['info'] == {'TEXT': 'outputString'} and 'TEXT' not in kinds['predict']
    kind_of = {'real': 'outputNumber', 'text': 'outputString'}
    promised = 0
    for command in described()['commands']:
        for row in command['results']:
            made = algorithm(command['name'].replace(' ', '_')).outputDefinition(
                row['name'].upper().replace('-', '_'))
            assert made and made.type() == kind_of[row['type']], (command['name'], row)
            assert made.description() == row['label']
            promised += 1
    assert promised > 20, promised


@case('the icon is drawn')
def icon():
    picture = algorithm('predict').icon().pixmap(32, 32).toImage()
    colours = {picture.pixel(x, y) for x in range(32) for y in range(32)}
    assert len(colours) > 5, 'one colour only'
