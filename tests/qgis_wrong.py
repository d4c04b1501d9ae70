"""What goes wrong says so in the program's words; no program, or one of another time."""
import os
import stat

from qgis.core import QgsSettings

from qgis_rig import Listener, Skip, algorithm, case, fails, processing_run, provider
from qgis_runs import WAY, ZIP


@case('wrong inputs raise what the program says')
def wrong_inputs():
    out = {'OUTPUT': os.path.abspath('never.tif')}
    fails('predict', dict(WAY, INPUT='/nowhere/S2.zip', **out), '/nowhere/S2.zip')
    fails('predict', dict(out, INPUT=ZIP, MODEL_FILE=os.path.abspath('scene.tif')), 'scene.tif')
    fails('predict', dict(WAY, INPUT=ZIP, BANDS='nonsense', **out), 'nonsense')
    fails('predict', dict(WAY, INPUT=ZIP, LEVEL='L9Z', **out), 'L9Z')
    text = fails('predict', dict(out, INPUT=ZIP, MODEL='tiny', SRCWIN='1 2 3'), 'srcwin')
    assert 's2clr predict:' not in text and 'Window in pixels' in text, text
    assert not os.path.exists(out['OUTPUT'])


@case('what exists is kept, and the message says what to tick')
def exists():
    text = fails('predict', dict(WAY, INPUT=ZIP, OUTPUT=os.path.abspath('scene.tif')), 'exists')
    assert '--overwrite is "Replace an existing output"' in text, text


@case('values that the table excludes are refused before anything runs')
def excluded():
    out = {'OUTPUT': os.path.abspath('never.tif')}
    fails('predict', dict(WAY, INPUT=ZIP, STRIDE=5000, **out), 'STRIDE', '5000', 'from 1 to 4096')
    fails('predict', dict(WAY, INPUT=ZIP, OT='Int16', **out), 'Int16', 'Float32, Byte')
    fails('predict', dict(WAY, **out), 'INPUT', 'is missing')
    fails('predict', dict(WAY, INPUT=ZIP, MODEL_FILE=WAY['MODEL'] + '.x', **out), 'one of them')
    fails('predict', dict(WAY, INPUT=ZIP, OUTPUT=os.path.abspath('never.xyz')), 'OUTPUT')
    fails('dataset_export', {'STORE': 'x', 'OUTPUT': 'y'}, 'TO')


@case('warnings of the program are warnings')
def warnings():
    feedback = Listener()
    processing_run('predict', dict(WAY, INPUT=os.path.abspath('plain.tif'), INPUT_BANDS='1,2,3',
                                   OUTPUT=os.path.abspath('warned.tif')), feedback)
    assert feedback.warned and not any('s2clr predict' in line for line in feedback.warned)


def script(name, text):
    with open(name, 'w', encoding='utf-8') as file:
        file.write('#!/bin/sh\n' + text)
    os.chmod(name, stat.S_IRWXU)
    return os.path.abspath(name)


def as_program(path, *says):
    """What the provider offers when this is the program."""
    QgsSettings().setValue('Processing/Configuration/S2CLR_PROGRAM', path)
    try:
        provider().refreshAlgorithms()
        ids = [one.id() for one in provider().algorithms()]
        for text in says:
            assert text in provider().warningMessage(), provider().warningMessage()
        if says:
            assert ids == ['s2clr:setup'], ids
            assert says[0] in algorithm('setup').shortHelpString()
    finally:
        QgsSettings().remove('Processing/Configuration/S2CLR_PROGRAM')
    return ids


@case('no program, one of another time, something else: one message with the remedy')
def no_program():
    where = 'Settings > Options > Processing > Providers > S2CLR'
    as_program('/nowhere/s2clr', '/nowhere/s2clr', where)
    as_program(script('old', 'echo \'{"name": "s2clr", "version": "0.0.9", "commands": []}\''),
               '0.0.9', 'the program is too old', where)
    as_program(script('new', 'echo \'{"version": "9.0", "protocol": 99, "commands": []}\''), '9.0',
               'the plug-in is too old')
    as_program(script('other', 'echo hello'), 'JSON', where)
    as_program(script('broken', 'echo "s2clr: lost its way" >&2; exit 1'), 'lost its way')
    provider().refreshAlgorithms()
    assert algorithm('predict'), 'all is well again'


@case('where the program is found: the option, the variable, beside the plug-in, PATH')
def found():
    from s2clr_provider import settings
    if any(settings.is_program(path) for path in settings.beside()):
        raise Skip('S2CLR is installed here, beside every plug-in')
    os.mkdir('on-path')
    by_path = script('on-path/s2clr', 'exit 0\n')
    by_file, by_variable, by_option = [script(name, 'exit 0\n') for name in ('f', 'v', 'o')]
    note = os.path.join(settings.HERE, 'program-path.txt')
    wish, path = os.environ.pop('S2CLR_PROGRAM'), os.environ['PATH']
    try:
        os.environ['PATH'] = os.path.dirname(by_path)
        assert settings.find() == by_path
        with open(note, 'w', encoding='utf-8') as file:
            file.write(by_file + '\n')
        assert settings.find() == by_file
        os.environ['S2CLR_PROGRAM'] = by_variable
        assert settings.find() == by_variable
        settings.choose(by_option)
        assert settings.find() == by_option
    finally:
        QgsSettings().remove(settings.key())
        os.environ['S2CLR_PROGRAM'], os.environ['PATH'] = wish, path
        if os.path.exists(note):
            os.remove(note)


@case('the setup algorithm names the program')
def setup():
    as_program('/nowhere/s2clr', '/nowhere/s2clr')
    fails('setup', {'PROGRAM': os.path.abspath('scene.tif')}, 'no program')
    results = processing_run('setup', {'PROGRAM': os.environ['S2CLR_PROGRAM']})
    assert results['VERSION']
    settings = QgsSettings()
    key = 'Processing/Configuration/S2CLR_PROGRAM'
    assert settings.value(key) == os.environ['S2CLR_PROGRAM']
    settings.remove(key)
    provider().refreshAlgorithms()


@case('a description is asked for once for each program file')
def cached():
    count = os.path.abspath('asked')
    text = ('[ "$1" != describe ] || echo x >>"%s"\nexec "%s" "$@"\n'
            % (count, os.environ['S2CLR_PROGRAM']))
    path = script('counting', text)
    for times in (1, 1, 2):
        if times == 2:
            script('counting', text + '# changed\n')
        assert 's2clr:predict' in as_program(path)
        with open(count, encoding='utf-8') as file:
            assert len(file.readlines()) == times
    provider().refreshAlgorithms()
