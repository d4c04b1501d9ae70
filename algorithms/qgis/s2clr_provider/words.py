"""From the values of a dialog to the words of a command line, one list entry for each word."""
import os
import re

from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingException, QgsProcessingUtils

from . import catalogue, parameters as table, settings, sources

BARE_EXTENT = re.compile(r'^\s*[-+.\deE]+\s*(,\s*[-+.\deE]+\s*){3}$')


class Words:
    """Reads the parameters of one run. Afterwards `line` is the command line without the program,
    and `made` maps names of output parameters to paths."""

    def __init__(self, algorithm, parameters, context, feedback):
        self.algorithm = algorithm
        self.parameters = parameters
        self.context = context
        self.feedback = feedback
        self.made = {}
        self.given = {row['name']: self.of_row(row) for row in algorithm.rows}
        self.let_go()
        self.line = self.join()

    def let_go(self):
        """What a cancelled run kept makes way for other settings. An output that is there does so
        only where that is ticked, by the same option."""
        keeps = any(row['name'] == 'resume' and row['dialog_on'] for row in self.algorithm.rows)
        keeps = keeps and not self.given.get('shard')  # whose parts have names of their own
        if keeps and self.given['resume'] and not any(map(os.path.exists, self.made.values())):
            self.given['overwrite'] = ['']

    def join(self):
        """Options first; "--" keeps a file called "-x" from being one."""
        options, positional = [], []
        for row in self.algorithm.rows:
            for value in self.given[row['name']]:
                if row['positional']:
                    positional.append(value)
                elif row['type'] == 'flag':
                    options.append('--' + row['name'])
                else:
                    options.append('--%s=%s' % (row['name'], value))
        return self.algorithm.command['name'].split() + options + ['--'] + positional

    # ---- values of one row, as a list of words ----

    def of_row(self, row):
        if row['type'] == 'window-real':
            return self.extent(row)
        if row['type'] == 'vector':
            path = sources.vector(self.algorithm, self.parameters, table.name_of(row),
                                  self.context, self.feedback)
            return [path] if path else []
        if 'takes' in row:
            return self.picked(row)
        if row['type'].startswith('output-'):
            return self.destination(row)
        return self.plain(row)

    def picked(self, row):
        found = []
        for name, place in table.places(row):
            for value in sources.values(self.parameters, name, self.context):
                found.append(str(value) if place in ('words', 'zoo') else
                             sources.raster(value, self.context, self.feedback))
        # An untouched list beside a file that was picked has its default, which nobody meant.
        if len(found) > 1 and not row['repeat'] and found[0] == row.get('default'):
            found = found[1:]
        if len(found) > 1 and not row['repeat']:
            raise QgsProcessingException(
                '%s: found %s, wanted one of them: leave the others empty'
                % (row['label'], ' and '.join('"%s"' % one for one in found)))
        return [] if found == [row.get('default')] else found

    def plain(self, row):
        name = table.name_of(row)
        value = self.parameters.get(name)
        read = self.algorithm
        if row['type'] == 'flag':
            return [''] if read.parameterAsBool(self.parameters, name, self.context) else []
        if sources.blank(value):
            return []
        if row['repeat']:
            several = value if isinstance(value, (list, tuple)) else read.parameterAsString(
                self.parameters, name, self.context).splitlines()
            return [str(one).strip() for one in several if str(one).strip()]
        if row['type'] == 'integer':
            text = str(read.parameterAsInt(self.parameters, name, self.context))
        elif row['type'] == 'real':
            text = repr(read.parameterAsDouble(self.parameters, name, self.context))
        elif row['type'] == 'choice':
            text = read.parameterAsEnumString(self.parameters, name, self.context)
        else:
            text = read.parameterAsString(self.parameters, name, self.context).strip()
        if row['type'] == 'window-integer':
            text = ','.join(text.replace(',', ' ').split())
        return [] if self.is_default(row, text) else [text]

    @staticmethod
    def is_default(row, text):
        """Leaving a default away says that nobody asked for it, which some commands look at."""
        default = row.get('default')
        if default is not None and row['type'] in ('integer', 'real'):
            return float(text) == float(default)
        return text in ('', default)

    def destination(self, row):
        name = table.name_of(row)
        read = self.algorithm
        if sources.blank(self.parameters.get(name)):
            return []
        kind = read.parameterDefinition(name).type()
        if kind in ('rasterDestination', 'vectorDestination'):
            path = read.parameterAsOutputLayer(self.parameters, name, self.context)
            path = self.with_suffix(path, row)
        else:
            path = read.parameterAsFileOutput(self.parameters, name, self.context)
        if path:
            self.made[name] = path
        return [path] if path else []

    def with_suffix(self, path, row):
        """A temporary output is called .tif whatever it is; a VRT should not be."""
        wanted = '.' + row['suffixes'][0]
        temporary = path.startswith(QgsProcessingUtils.tempFolder())
        if not temporary or wanted == '.tif' or not path.endswith('.tif'):
            return path
        renamed = path[:-len('.tif')] + wanted
        loads = self.context.layersToLoadOnCompletion()
        if path in loads:
            loads[renamed] = loads.pop(path)
            self.context.setLayersToLoadOnCompletion(loads)
        return renamed

    # ---- extents, in the coordinates of the input ----

    def extent(self, row):
        name = table.name_of(row)
        value = self.parameters.get(name)
        if sources.blank(value):
            return []
        crs = QgsCoordinateReferenceSystem()
        if not (isinstance(value, str) and BARE_EXTENT.match(value)):
            crs = self.input_crs()
        box = self.algorithm.parameterAsExtent(self.parameters, name, self.context, crs)
        return ['%r,%r,%r,%r' % (box.xMinimum(), box.yMaximum(), box.xMaximum(), box.yMinimum())]

    def input_crs(self):
        """The reference system of the scene, from the program that will read it."""
        words, inputs = [], []
        for row in self.algorithm.rows:
            if row['type'] == 'input' and row['positional']:
                inputs += self.of_row(row)
            elif row['name'] in ('model', 'level', 'input-bands', 'boa-offset'):
                words += ['--%s=%s' % (row['name'], value) for value in self.of_row(row)]
        try:
            said = catalogue.ask(self.algorithm.program(), 'info', *words, '--', *inputs)
        except settings.Trouble as reason:
            raise QgsProcessingException(str(reason))
        return QgsCoordinateReferenceSystem.fromWkt(said.get('input', said).get('crs') or '')
