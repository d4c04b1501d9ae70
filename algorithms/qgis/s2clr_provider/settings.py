"""Where the program s2clr is, and the option in which a person can say it."""
import os
import shutil

from qgis.core import QgsSettings

NAME = 'S2CLR_PROGRAM'  # of the option, and of the environment variable that the GDAL plug-in reads
GROUP = 'S2CLR'
WHERE = 'Settings > Options > Processing > Providers > S2CLR'
HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = 's2clr.exe' if os.name == 'nt' else 's2clr'


class Trouble(Exception):
    """The program cannot be used; the text says why and what to do."""


def key():
    return 'Processing/Configuration/' + NAME


def register(icon):
    """Shows the option among those of Processing. Its class is no part of qgis.core; without it
    (Processing is switched off) there is nowhere to show the option."""
    try:
        from processing.core.ProcessingConfig import ProcessingConfig, Setting
    except ImportError:
        return
    ProcessingConfig.settingIcons[GROUP] = icon
    ProcessingConfig.addSetting(Setting(
        GROUP, NAME, 'Program s2clr (empty: it is searched for)', '', valuetype=Setting.FILE))
    ProcessingConfig.readSettings()


def unregister():
    try:
        from processing.core.ProcessingConfig import ProcessingConfig
    except ImportError:
        return
    ProcessingConfig.removeSetting(NAME)


def is_program(path):
    return os.path.isfile(path) and os.access(path, os.X_OK)


def choose(path):
    """Keeps the path as the option's value."""
    QgsSettings().setValue(key(), path)
    try:
        from processing.core.ProcessingConfig import ProcessingConfig
        ProcessingConfig.readSettings()
    except ImportError:
        pass


def beside():
    """Places next to the plug-in: in its folder, where "make install" put the program, and up from
    PREFIX/share/qgis/python/plugins/s2clr_provider."""
    yield os.path.join(HERE, PROGRAM)
    try:
        with open(os.path.join(HERE, 'program-path.txt'), encoding='utf-8') as file:
            yield file.read().strip()
    except OSError:
        pass
    yield os.path.normpath(os.path.join(HERE, *[os.pardir] * 5, 'bin', PROGRAM))


def find():
    """The program: what the option says, else the environment variable, else beside the plug-in,
    else in PATH. A wish that cannot be fulfilled is not replaced by something else."""
    for source, wish in (('the option under ' + WHERE, QgsSettings().value(key(), '')),
                         ('the environment variable ' + NAME, os.environ.get(NAME, ''))):
        if wish and is_program(wish):
            return wish
        if wish:
            raise Trouble('%s says that the program s2clr is "%s", and there is no such program. '
                          'Correct it or leave it empty.' % (source, wish))
    for path in beside():
        if is_program(path):
            return path
    path = shutil.which(PROGRAM, path=os.pathsep.join(
        [os.environ.get('PATH', os.defpath), os.path.expanduser('~/.local/bin')]))
    if path:
        return path
    raise Trouble('The program s2clr was not found, neither beside the plug-in nor in PATH. '
                  'Install S2CLR ("make install" in its folder), or say where the program is '
                  'under %s.' % WHERE)
