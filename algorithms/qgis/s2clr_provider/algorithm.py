"""One command of the program as an algorithm of Processing."""
import json
import os

from qgis.core import (QgsProcessingAlgorithm, QgsProcessingContext, QgsProcessingException,
                       QgsProcessingOutputNumber, QgsProcessingOutputString,
                       QgsProcessingParameterDefinition, QgsProcessingParameterFileDestination,
                       QgsProcessingUtils)
from qgis.PyQt.QtGui import QIcon

from . import catalogue, help_text, parameters as table, settings, sources
from .runner import Cancelled, Run
from .styles import Styler
from .words import Words

ICON = os.path.join(settings.HERE, 's2clr.svg')


class Algorithm(QgsProcessingAlgorithm):
    def __init__(self, command, models):
        super().__init__()
        self.command = command
        self.models = models
        self.rows = catalogue.rows(command)
        # A command that need not write a file has its answer in what it says.
        self.answers = not any(row['required'] and row['type'].startswith('output-')
                               for row in self.rows)
        self.promised = command.get('results', [])
        self.page_wanted = None  # before anybody has asked for a run: not known

    def createInstance(self):
        return Algorithm(self.command, self.models)

    # ---- what it is called ----

    def name(self):
        return self.command['name'].replace(' ', '_')

    def displayName(self):
        return self.command['title']

    def group(self):
        return self.command['section']

    def groupId(self):
        return self.command['section'].lower().replace(' ', '_')

    def shortDescription(self):
        return self.command['summary']

    def shortHelpString(self):
        return help_text.short_help(self.command, self.rows)

    def tags(self):
        return ['s2clr', 'sentinel-2', 'irrigation'] + self.command['name'].split()

    def icon(self):
        return QIcon(ICON)

    def svgIconPath(self):
        return ICON

    # ---- parameters ----

    def initAlgorithm(self, configuration=None):
        for row in self.rows:
            for parameter in table.make(row, self.models):
                self.addParameter(parameter)
        if self.answers:
            self.addOutput(QgsProcessingOutputString('TEXT', 'What the command said'))
        for result in self.promised:
            kind = {'real': QgsProcessingOutputNumber, 'text': QgsProcessingOutputString}
            self.addOutput(kind[result['type']](table.name_of(result), result['label']))

    def hasHtmlOutputs(self):
        """QGIS's dialog asks after a run, and then says that a page was made, whether it was or
        not. The values of the run were shown to this very object just before it."""
        return super().hasHtmlOutputs() and self.page_wanted is not False

    def wants_page(self, parameters):
        return any(not sources.blank(parameters.get(one.name()))
                   for one in self.parameterDefinitions()
                   if isinstance(one, QgsProcessingParameterFileDestination)
                   and 'htm' in one.fileFilter())

    @staticmethod
    def program():
        try:
            return settings.find()
        except settings.Trouble as reason:
            raise QgsProcessingException(str(reason))

    def canExecute(self):
        try:
            settings.find()
        except settings.Trouble as reason:
            return False, str(reason)
        return True, ''

    def checkParameterValues(self, parameters, context):
        """As QGIS would, but for what is picked somewhere: QGIS refuses names that the program
        opens, and cannot know that one of two parameters is enough."""
        self.page_wanted = self.wants_page(parameters)
        for row in self.rows:
            names = [name for name, _ in table.places(row)]
            if names and row['required'] and all(
                    sources.blank(parameters.get(name)) for name in names):
                return False, '%s (%s) is missing: %s' % (row['label'], names[0], row['help'])
            if not names:
                problem = self.problem(table.name_of(row), parameters, context)
                if problem:
                    return False, problem
        return True, ''

    def problem(self, name, parameters, context):
        definition = self.parameterDefinition(name)
        value = parameters.get(name)
        if sources.blank(value) and not definition.isDestination():
            value = definition.defaultValue()
        optional = definition.flags() & QgsProcessingParameterDefinition.FlagOptional
        if sources.blank(value) and optional:
            return ''
        if not definition.checkValueIsAcceptable(value, context):
            return '%s (%s): found %r, wanted %s' % (definition.description(), name, value,
                                                     self.wanted(definition))
        if definition.isDestination():
            # Looking at a destination puts it down for loading: not in the context of the run.
            good, reason = definition.isSupportedOutputValue(value, QgsProcessingContext())
            return '' if good else '%s (%s): %s' % (definition.description(), name, reason)
        return ''

    def wanted(self, definition):
        row = next(row for row in self.rows if table.name_of(row) == definition.name())
        if 'choices' in row:
            return 'one of ' + ', '.join(row['choices'])
        if 'minimum' in row:
            return '%s from %.10g to %.10g' % (
                'a whole number' if row['type'] == 'integer' else 'a number', row['minimum'],
                row['maximum'])
        return row['help']

    # ---- a run ----

    def processAlgorithm(self, parameters, context, feedback):
        words = Words(self, parameters, context, feedback)
        line = words.line
        if any(row['name'] == 'progress' for row in self.command['parameters']):
            line.insert(line.index('--'), '--progress=lines')
        told = None
        if self.promised:
            told = QgsProcessingUtils.generateTempFilename('results.json')
            line.insert(line.index('--'), '--results=' + told)
        try:
            text = Run(self.program(), line, feedback)()
        except Cancelled:
            # What a run goes on from lies beside the output proper, not beside pages and areas.
            proper = next((table.name_of(row) for row in self.rows
                           if row['required'] and row['type'].startswith('output-')), None)
            temporary = words.made.get(proper, '').startswith(QgsProcessingUtils.tempFolder())
            raise QgsProcessingException(
                help_text.after_cancel(self.rows, words.given, temporary)) from None
        except QgsProcessingException as reason:
            raise QgsProcessingException(
                help_text.in_words_of_dialog(str(reason), self.rows)) from None
        return dict(self.results(words.made, text, context, feedback), **self.told(told))

    def told(self, path):
        """Numbers and texts of the result that this run has; a dry run has none."""
        if not path or not os.path.exists(path):
            return {}
        with open(path, encoding='utf-8') as file:
            whole = json.load(file)
        os.remove(path)
        found = {}
        for row in self.promised:
            at = whole
            for key in row['place'].split('.'):
                if isinstance(at, list) and key.isdigit() and int(key) < len(at):
                    at = at[int(key)]
                else:
                    at = at.get(key) if isinstance(at, dict) else None
            if at is not None:
                found[table.name_of(row)] = at
        return found

    def results(self, made, text, context, feedback):
        """What there is now; a dry run, for one, leaves nothing."""
        results = {'TEXT': text} if self.answers else {}
        loads = context.layersToLoadOnCompletion()
        for name, path in made.items():
            if os.path.exists(path):
                results[name] = path
                self.load_late(name, path, loads, context)
            else:
                feedback.pushInfo('Nothing was written to %s' % path)
                loads.pop(path, None)
        context.setLayersToLoadOnCompletion(loads)
        return results

    def load_late(self, name, path, loads, context):
        """A file that turned out to be a layer (samples that were drawn) is shown as well, and
        every layer gets the style that lies beside it."""
        if path not in loads and path.endswith('.gpkg') and context.project() and isinstance(
                self.parameterDefinition(name), table.QgsProcessingParameterFileDestination):
            loads[path] = QgsProcessingContext.LayerDetails(os.path.basename(path),
                                                            context.project(), name)
        if path in loads:
            loads[path].setPostProcessor(Styler.create())
