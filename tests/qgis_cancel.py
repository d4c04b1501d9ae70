"""The Cancel button: in one of QGIS's worker threads; a run that goes on from what was kept."""
import os
import time

from qgis.core import (QgsApplication, QgsProcessingAlgRunnerTask, QgsProcessingFeedback)
from qgis.PyQt.QtCore import QCoreApplication

from qgis_rig import (Listener, algorithm, case, command_line, context, fails, processing_run,
                      same_pixels)

SCENE = os.path.abspath('long.tif')
SLOW = {'INPUT': SCENE, 'MODEL': 'tiny', 'DEVICE': 'portable', 'THREADS': 1, 'STRIDE': 4,
        'BLEND': 'hann', 'MEMORY': int(os.environ['S2CLR_TEST_MEMORY'])}


def children():
    """Command lines of the processes that this one started and that are still there."""
    found = []
    for entry in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/stat' % entry, encoding='utf-8', errors='replace') as file:
                parent = file.read().rpartition(')')[2].split()[1]
            with open('/proc/%s/cmdline' % entry, 'rb') as file:
                line = file.read().replace(b'\0', b' ').decode('utf-8', 'replace')
        except OSError:
            continue  # it has just ended
        if parent == str(os.getpid()):
            found.append(line)
    return [line for line in found if 'predict' in line]


def begun(step, journal):
    """Is there something that a later run can go on from? Without a journal, any step will do."""
    if not os.path.exists(journal):
        return step > 20
    return os.path.getsize(journal) > 20000


def cancelled_in_a_task(parameters, seconds=60):
    """(did it succeed, what was said): cancelled in a worker thread at the first real step."""
    feedback, where, ended, told = Listener(), context(), [], []
    feedback.reportError = lambda text, fatal=False: told.append(text)
    task = QgsProcessingAlgRunnerTask(algorithm('predict'), parameters, where, feedback)
    task.executed.connect(lambda good, results: ended.append(good))
    journal = parameters['OUTPUT'] + '.part.journal'
    feedback.progressChanged.connect(lambda step: begun(step, journal) and feedback.cancel())
    QgsApplication.taskManager().addTask(task)
    end = time.monotonic() + seconds
    while not ended and time.monotonic() < end:
        QCoreApplication.processEvents()
        time.sleep(0.01)
    assert ended, 'it did not end'
    return ended[0], '\n'.join(told)


@case('cancelled midway in a worker thread, and taken up again: the bytes of one run')
def taken_up():
    path = os.path.abspath('taken-up.tif')
    good, said = cancelled_in_a_task(dict(SLOW, OUTPUT=path))
    assert not good, 'the run was over before it could be cancelled'
    assert 'run it again with the same settings' in said, said
    assert not children(), children()
    assert not os.path.exists(path) and os.path.exists(path + '.part.journal')
    feedback = Listener()
    processing_run('predict', dict(SLOW, OUTPUT=path), feedback)
    assert feedback.steps[-1] == 100
    hand = os.path.abspath('taken-up-hand.tif')
    command_line('predict', '--model=tiny', '--device=portable', '--threads=1', '--stride=4',
                 '--blend=hann', SCENE, hand)
    same_pixels(path, hand)
    assert not [name for name in os.listdir('.') if name.startswith('taken-up.tif.part')]


@case('cancelled midway, and run with other settings: begun anew, with a warning')
def begun_anew():
    path = os.path.abspath('anew.tif')
    good, said = cancelled_in_a_task(dict(SLOW, OUTPUT=path))
    assert not good, 'the run was over before it could be cancelled'
    assert os.path.exists(path + '.part.journal')
    feedback = Listener()
    processing_run('predict', dict(SLOW, OUTPUT=path, STRIDE=8, BLEND='none'), feedback)
    assert len([text for text in feedback.warned if 'thrown away' in text]) == 1, feedback.warned
    hand = os.path.abspath('anew-hand.tif')
    command_line('predict', '--model=tiny', '--device=portable', '--threads=1', '--stride=8', SCENE,
                 hand)
    same_pixels(path, hand)
    assert not [name for name in os.listdir('.') if name.startswith('anew.tif.part')]
    fails('predict', dict(SLOW, OUTPUT=path), 'exists')  # what is finished stays, unless ticked


@case('cancelled with nothing kept: nothing is left')
def nothing_left():
    path = os.path.abspath('gone.tif')
    good, said = cancelled_in_a_task(dict(SLOW, OUTPUT=path, RESUME=False))
    assert not good and 'Nothing was kept' in said, said
    assert not children()
    assert not [name for name in os.listdir('.') if name.startswith('gone.tif')]


@case('cancelled in the main thread, as batches are')
def in_main_thread():
    feedback = QgsProcessingFeedback(False)
    feedback.progressChanged.connect(lambda step: step > 5 and feedback.cancel())
    from qgis.core import QgsProcessingException
    try:
        processing_run('predict', dict(SLOW, OUTPUT=os.path.abspath('main.tif'), RESUME=False),
                       feedback)
        raise AssertionError('it ran to its end')
    except QgsProcessingException as reason:
        assert 'Stopped' in str(reason)
    assert not children() and not os.path.exists('main.tif')
