"""Texts of an algorithm, made from the program's table."""
import html
import re

from . import parameters as table


def groups(rows):
    """(heading, rows) in the order in which headings come first; folded-away rows at the end."""
    found = {}
    for row in sorted(rows, key=lambda row: row['advanced']):
        found.setdefault('Advanced' if row['advanced'] else row['group'], []).append(row)
    return list(found.items())


def limits(row):
    parts = []
    if 'minimum' in row:
        parts.append('%.10g to %.10g' % (row['minimum'], row['maximum']))
    if 'default' in row:
        parts.append('default %s' % row['default'])
    return ' (%s)' % '; '.join(parts) if parts else ''


def item(row):
    return '<p><b>%s</b><br>%s%s</p>' % (html.escape(row['label']), html.escape(table.explain(row)),
                                         html.escape(limits(row)))


def short_help(command, rows):
    """What stands beside the dialog."""
    parts = ['<p>%s</p>' % html.escape(command['description'])]
    for heading, members in groups(rows):
        parts.append('<h3>%s</h3>' % html.escape(heading))
        parts += [item(row) for row in members]
    parts.append('<h3>In a shell</h3><p><code>%s</code></p>' % html.escape(command['example']))
    return '\n'.join(parts)


def in_words_of_dialog(message, rows):
    """The program's messages name options; says what they are called here."""
    names = ['--%s is "%s"' % (row['name'], row['label']) for row in rows
             if re.search(r'--%s(?![\w-])' % re.escape(row['name']), message)]
    return '%s\n(Here, %s.)' % (message, ', '.join(names)) if names else message


def after_cancel(rows, given, temporary):
    """How to go on from what was kept."""
    known = {row['name']: row for row in rows}
    if 'resume' in known and known['resume']['dialog_on']:
        label = known['resume']['label']
        if not given['resume']:
            return 'Stopped. Nothing was kept: for that, tick "%s".' % label
        if temporary:
            return ('Stopped. The output was a temporary one; with a file of your own as output, '
                    'what is done would be kept and the next run would go on from it.')
        return ('Stopped. What is done was kept beside the output: run it again with the same '
                'settings and the same output to go on. With other settings it begins anew.')
    for name in ('resume', 'append'):
        if name in known:
            return ('Stopped. To go on, run it again with the same settings and the same output, '
                    'and tick "%s".' % known[name]['label'])
    return 'Stopped. Nothing was left behind.'
