"""The runner alone, with children that talk in every way a child can."""
import os
import sys
import time

from qgis.core import QgsProcessingException

from qgis_rig import Listener, case

LOUD = '''
import sys, time
write = sys.stdout.buffer.write
def say(*chunks):
    for chunk in chunks:
        write(chunk); sys.stdout.flush(); time.sleep(0.02)
'''


def run(program, feedback=None):
    from s2clr_provider.runner import Run
    feedback = feedback or Listener()
    run = Run(sys.executable, ['-c', LOUD + program, '--'], feedback)
    run.prefix = 's2clr predict: '
    return run(), feedback


def failure(program):
    try:
        run(program)
    except QgsProcessingException as reason:
        return str(reason)
    raise AssertionError('it succeeded')


@case('progress in pieces and in heaps')
def chunks():
    text, feedback = run(r"say(b'prog', b'ress 1', b'2.5\nprogress 25\nhello\nprogress 50', "
                         r"b'.0\n', b'progress\n', b'progress 75 per cent\n')")
    assert feedback.steps == [12.5, 25, 50], feedback.steps
    assert text == 'hello\nprogress\nprogress 75 per cent', text


@case('bytes that are no text, and a last line without an end')
def odd_bytes():
    text, _ = run(r"say(b'caf\xe9 \xff\n', b'last')")
    assert text.startswith('caf') and text.endswith('last')


@case('more than a pipe holds, on both streams')
def much():
    text, feedback = run("for i in range(20000): print('x' * 50)\n"
                         "for i in range(2000):\n"
                         "    print('s2clr predict: warning: w', file=sys.stderr)")
    assert len(text.splitlines()) == 20000 and len(feedback.warned) == 2000


@case('the message is the last one that the program signs, with all its lines')
def messages():
    text = failure("print('s2clr predict: warning: first\\ns2clr predict: map.tif: exists;\\n"
                   "  remedy', file=sys.stderr); sys.exit(1)")
    assert text == 'map.tif: exists;\n  remedy', text
    assert 'code 7' in failure('sys.exit(7)')
    assert 'SIGKILL' in failure('import os, signal; os.kill(os.getpid(), signal.SIGKILL)')
    assert 'SIGSEGV' in failure('import os, signal; os.kill(os.getpid(), signal.SIGSEGV)')


@case('a program that does not heed SIGTERM is told again, then ended')
def stubborn():
    from s2clr_provider import runner
    patience, runner.PATIENCE, runner.ENOUGH = (runner.PATIENCE, runner.ENOUGH), 3, 3
    feedback = Listener()
    feedback.progressChanged.connect(lambda step: feedback.cancel())
    began = time.monotonic()
    try:
        run("import os, signal\n"
            "signal.signal(signal.SIGTERM, lambda *a: os.write(1, b'told\\n'))\n"
            "say(b'progress 1\\n')\nwhile True: time.sleep(0.1)", feedback)
        raise AssertionError('it ended by itself')
    except runner.Cancelled:
        pass
    finally:
        runner.PATIENCE, runner.ENOUGH = patience
    assert feedback.told.count('told') == 2, feedback.told
    assert time.monotonic() - began < 30


@case('a child that cannot be started')
def cannot_start():
    from s2clr_provider.runner import Run
    try:
        Run(os.path.abspath('scene.tif'), ['info', '--'], Listener())()
    except QgsProcessingException as reason:
        assert 'cannot be run' in str(reason)
        return
    raise AssertionError('it ran')
