"""Runs the program as a child process, shows what it says as it says it, and stops it when asked.

The program prints "progress 12.5" lines and information on standard output, warnings and at last an
error on standard error. It stops at SIGTERM, having put down what a later run can go on from.
"""
import os
import queue
import re
import shlex
import signal
import subprocess
import threading
import time

from qgis.core import QgsProcessingException
from qgis.PyQt.QtCore import QCoreApplication, QThread

PROGRESS = re.compile(r'^progress (\d+(?:\.\d+)?)$')
LOOK = 0.1  # seconds between two looks at the Cancel button
PATIENCE = 30  # seconds for the program to put things down, before it is told a second time
ENOUGH = 5  # and then, before it is ended


class Cancelled(Exception):
    pass


class Run:
    def __init__(self, program, words, feedback):
        self.line = [program] + words
        self.prefix = 's2clr %s: ' % ' '.join(word for word in words[:words.index('--')]
                                              if not word.startswith('-'))
        self.feedback = feedback
        self.said = []  # lines of standard output but progress
        self.complaints = []  # lines of standard error but warnings
        self.heard = queue.Queue()  # (line or None at the end, is it of standard error?)

    def __call__(self):
        """What the program printed. Raises what it said when it failed."""
        self.feedback.pushCommandInfo(' '.join(shlex.quote(word) for word in self.line))
        try:
            child = subprocess.Popen(
                self.line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, encoding='utf-8', errors='replace')
        except OSError as reason:
            raise QgsProcessingException('%s cannot be run: %s' % (self.line[0], reason))
        for stream, failing in ((child.stdout, False), (child.stderr, True)):
            threading.Thread(target=self.listen, args=(stream, failing), daemon=True).start()
        try:
            self.attend(child)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        return self.judge(child.returncode)

    def listen(self, stream, failing):
        for line in stream:
            self.heard.put((line.rstrip('\r\n'), failing))
        stream.close()
        self.heard.put((None, failing))

    def attend(self, child):
        """Until both streams have ended and the child is gone."""
        window = QCoreApplication.instance()
        in_main_thread = window and QThread.currentThread() == window.thread()
        open_streams, asked, told = 2, None, 0
        while open_streams or child.poll() is None:
            try:
                line, failing = self.heard.get(timeout=LOOK)
                if line is None:
                    open_streams -= 1
                else:
                    self.hear(line, failing)
            except queue.Empty:
                pass
            if in_main_thread:
                QCoreApplication.processEvents()  # or nobody could press Cancel
            if self.feedback.isCanceled():
                asked = asked or time.monotonic()
                told = self.stop(child, time.monotonic() - asked, told)

    @staticmethod
    def stop(child, waited, told):
        """Once politely; a second signal ends the program at once; then there is no choice."""
        due = 1 + (waited > PATIENCE) + (waited > PATIENCE + ENOUGH)
        if due > told and child.poll() is None:
            child.kill() if due == 3 else child.terminate()
        return due

    def hear(self, line, failing):
        step = None if failing else PROGRESS.match(line)
        if step:
            self.feedback.setProgress(float(step.group(1)))
        elif not failing:
            self.said.append(line)
            self.feedback.pushInfo(line)
        elif line.startswith(self.prefix + 'warning: '):
            self.feedback.pushWarning(line[len(self.prefix + 'warning: '):])
        elif line.strip():
            self.complaints.append(line)

    def judge(self, code):
        text = '\n'.join(self.said)
        if self.feedback.isCanceled() and code != 0:
            raise Cancelled()
        if code == 0:
            for line in self.complaints:
                self.feedback.pushWarning(line)
            return text
        raise QgsProcessingException(self.reason(code))

    def reason(self, code):
        """The program's own message, from where it names itself to the end."""
        starts = [i for i, line in enumerate(self.complaints) if line.startswith(self.prefix)]
        if starts:
            lines = self.complaints[starts[-1]:]
            return '\n'.join([lines[0][len(self.prefix):]] + lines[1:])
        told = '\n'.join(self.complaints)
        if code >= 0 or os.name == 'nt':
            return told or 's2clr ended with code %d and said nothing' % code
        name = signal.Signals(-code).name if -code in list(signal.Signals) else str(-code)
        hint = (' (memory may have run out: try a smaller "Memory in MB")'
                if -code == signal.SIGKILL else '')
        return '\n'.join([told] * bool(told) + ['s2clr was ended by %s%s' % (name, hint)])
