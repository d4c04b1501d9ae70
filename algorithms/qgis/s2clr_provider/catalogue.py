"""What the program says of itself: its commands with all their parameters, and its models."""
import json
import os
import subprocess

from . import settings

PROTOCOL = 1  # of "s2clr describe --json"; the program counts changes that old readers mistake
SECONDS = 60

_known = {}  # (path, size, time of change) of a program: what it described


def ask(program, command, *words):
    """What a command prints as JSON."""
    try:
        done = subprocess.run([program, command, '--json', *words],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as reason:
        raise settings.Trouble('%s cannot be run: %s. Name another program under %s.'
                               % (program, reason, settings.WHERE))
    if done.returncode != 0:
        raise settings.Trouble(done.stderr.decode('utf-8', 'replace').strip()
                               or '%s ended with code %d' % (program, done.returncode))
    try:
        return json.loads(done.stdout.decode('utf-8'))
    except ValueError as reason:
        raise settings.Trouble('%s did not answer in JSON (%s). Is it the program s2clr? Name the '
                               'right one under %s.' % (program, reason, settings.WHERE))


def understood(program, described):
    protocol = described.get('protocol', 0) if isinstance(described, dict) else 0
    if protocol == PROTOCOL:
        return described
    raise settings.Trouble(
        '%s is s2clr %s and speaks protocol %s, this plug-in speaks %d: the %s is too old. Install '
        'both from the same release, or name another program under %s.'
        % (program, described.get('version', '?') if isinstance(described, dict) else '?', protocol,
           PROTOCOL, 'program' if protocol < PROTOCOL else 'plug-in', settings.WHERE))


def describe(program):
    """The description, asked for once for each program file."""
    info = os.stat(program)
    identity = (program, info.st_size, info.st_mtime_ns)
    if identity not in _known:
        _known[identity] = understood(program, ask(program, 'describe'))
    return _known[identity]


def zoo(program):
    """Names of the models that can be used. They come and go without the program changing."""
    try:
        return [entry['name'] for entry in ask(program, 'model', 'list') if 'error' not in entry]
    except settings.Trouble:
        return []


def dialogs(description):
    """The commands that make sense as a dialog; the program says which do not, and why."""
    return [command for command in description['commands'] if 'no_dialog' not in command]


def rows(command):
    """The parameters that a person decides on in a dialog."""
    return [row for row in command['parameters'] if not row['caller'] and not row['alone']]
