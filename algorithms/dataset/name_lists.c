/* VSIStatBufL is a struct stat64. */
#define _LARGEFILE64_SOURCE
#include "dataset/name_lists.h"

#include <cpl_vsi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/gdal_watch.h"

enum { FILE_BYTES_MAX = 256 << 20, FILES_MAX = 64 };

typedef struct entry {
    const char *name;  /* in the text of its file */
    const char *split; /* static */
    int file;          /* index of its list */
    bool seen;
} entry;

/* Entries in order of name; equal names side by side. */
typedef struct name_set {
    entry *entries;
    size_t count, room;
} name_set;

struct s2clr_name_lists {
    name_set take, leave;
    bool restricted; /* there are lists: what they do not name is not taken */
    int files;
    char *text[FILES_MAX], *path[FILES_MAX];
};

/* What stands before '=' and what it means. */
static const struct {
    const char *prefix, *split;
} splits[] = {{"train=", "train"},
              {"validation=", "validation"},
              {"val=", "validation"},
              {"test=", "test"},
              {"", ""}};

static s2clr_status read_text(const char *path, char **out)
{
    VSIStatBufL info;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    VSILFILE *file =
        VSIStatL(path, &info) == 0 && !VSI_ISDIR(info.st_mode) ? VSIFOpenL(path, "rb") : NULL;
    s2clr_gdal_watch_end(&watch);
    if (!file)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read; wanted: a list of patch names",
                               path);
    char *text = NULL;
    s2clr_status status;
    const size_t size = info.st_size > 0 ? (size_t)info.st_size : 0;
    if (size == 0 || size > FILE_BYTES_MAX)
        status = s2clr_error_set(S2CLR_ERR_FORMAT,
                                 "%s: has %zu bytes; wanted: a list of patch names, at most %d MiB",
                                 path, size, FILE_BYTES_MAX >> 20);
    else
        status = s2clr_alloc(size + 1, 1, "list of names", (void **)&text);
    if (status == S2CLR_OK && VSIFReadL(text, 1, size, file) != size)
        status = s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read to its end", path);
    if (status == S2CLR_OK && memchr(text, 0, size))
        status = s2clr_error_set(S2CLR_ERR_FORMAT,
                                 "%s: holds zero bytes; wanted: a text file with one patch name "
                                 "per line",
                                 path);
    VSIFCloseL(file);
    if (status == S2CLR_OK)
        *out = text;
    else
        s2clr_free(text);
    return status;
}

static s2clr_status set_add(name_set *set, const entry *item)
{
    if (set->count == set->room) {
        const size_t room = set->room ? 2 * set->room : 256;
        entry *bigger;
        S2CLR_TRY(s2clr_alloc(room, sizeof *bigger, "list of names", (void **)&bigger));
        if (set->count) memcpy(bigger, set->entries, set->count * sizeof *bigger);
        s2clr_free(set->entries);
        set->entries = bigger;
        set->room = room;
    }
    set->entries[set->count++] = *item;
    return S2CLR_OK;
}

/* Cuts the first column out of a line, in place. */
static char *first_column(char *line)
{
    line += strspn(line, " \t");
    if (*line == '"') {
        char *end = strchr(++line, '"');
        if (end) *end = '\0';
        return line;
    }
    line[strcspn(line, ",;\t\r")] = '\0';
    size_t n = strlen(line);
    while (n && line[n - 1] == ' ') line[--n] = '\0';
    return line;
}

static bool is_heading(const char *name)
{
    static const char *const headings[] = {"name", "patch", "patch_name", "patch_id"};
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++)
        if (strcmp(name, headings[i]) == 0) return true;
    return false;
}

static s2clr_status add_names(char *text, const char *split, int file, name_set *set)
{
    bool first = true;
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3;
    while (*text) {
        char *line = text;
        text += strcspn(text, "\n");
        if (*text) *text++ = '\0';
        const entry item = {.name = first_column(line), .split = split, .file = file};
        const bool heading = first && is_heading(item.name);
        first = false;
        if (*item.name && !heading) S2CLR_TRY(set_add(set, &item));
    }
    return S2CLR_OK;
}

static s2clr_status add_file(s2clr_name_lists *lists, const char *spec, bool with_split,
                             name_set *set)
{
    const size_t rows = sizeof splits / sizeof splits[0];
    size_t row = with_split ? 0 : rows - 1;
    while (strncmp(spec, splits[row].prefix, strlen(splits[row].prefix)) != 0) row++;
    const char *path = spec + strlen(splits[row].prefix);
    if (lists->files == FILES_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "more than %d lists of names; join some",
                               FILES_MAX);
    const size_t before = set->count;
    const int file = lists->files;
    S2CLR_TRY(s2clr_strdup(path, &lists->path[file]));
    lists->files++;
    S2CLR_TRY(read_text(path, &lists->text[file]));
    S2CLR_TRY(add_names(lists->text[file], splits[row].split, file, set));
    if (set->count > before) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: names no patch; wanted: one name per line", path);
}

static int by_name(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : x->file - y->file;
}

/* A name may stand in several lists, but not in two splits. */
static s2clr_status merge_equal(const s2clr_name_lists *lists, name_set *set)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        entry *item = &set->entries[i], *last = kept ? &set->entries[kept - 1] : NULL;
        if (!last || strcmp(last->name, item->name) != 0) {
            set->entries[kept++] = *item;
            continue;
        }
        if (*last->split && *item->split && strcmp(last->split, item->split) != 0)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%.200s is in two splits: %s (%s) and %s (%s); take it out of "
                                   "one",
                                   item->name, last->split, lists->path[last->file], item->split,
                                   lists->path[item->file]);
        if (!*last->split) last->split = item->split;
    }
    set->count = kept;
    return S2CLR_OK;
}

static s2clr_status load(const s2clr_import_options *options, s2clr_name_lists *lists)
{
    for (size_t i = 0; options->lists && options->lists[i]; i++)
        S2CLR_TRY(add_file(lists, options->lists[i], true, &lists->take));
    for (size_t i = 0; options->exclude && options->exclude[i]; i++)
        S2CLR_TRY(add_file(lists, options->exclude[i], false, &lists->leave));
    lists->restricted = lists->take.count > 0;
    name_set *const sets[] = {&lists->take, &lists->leave};
    for (size_t i = 0; i < 2; i++) {
        if (sets[i]->count) qsort(sets[i]->entries, sets[i]->count, sizeof(entry), by_name);
        S2CLR_TRY(merge_equal(lists, sets[i]));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_name_lists_open(const s2clr_import_options *options, s2clr_name_lists **out)
{
    s2clr_name_lists *lists;
    S2CLR_TRY(s2clr_alloc(1, sizeof *lists, "lists of names", (void **)&lists));
    const s2clr_status status = load(options, lists);
    if (status == S2CLR_OK)
        *out = lists;
    else
        s2clr_name_lists_free(lists);
    return status;
}

void s2clr_name_lists_free(s2clr_name_lists *lists)
{
    if (!lists) return;
    for (int i = 0; i < lists->files; i++) {
        s2clr_free(lists->text[i]);
        s2clr_free(lists->path[i]);
    }
    s2clr_free(lists->take.entries);
    s2clr_free(lists->leave.entries);
    s2clr_free(lists);
}

static entry *find(const name_set *set, const char *name)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(set->entries[middle].name, name);
        if (order == 0) return &set->entries[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool s2clr_name_lists_take(s2clr_name_lists *lists, const char *name, const char **split)
{
    entry *item = find(&lists->take, name);
    if (item) item->seen = true;
    if ((lists->restricted && !item) || find(&lists->leave, name)) return false;
    *split = item ? item->split : "";
    return true;
}

s2clr_status s2clr_name_lists_missing(const s2clr_name_lists *lists,
                                      const s2clr_import_options *options)
{
    for (size_t i = 0; i < lists->take.count; i++) {
        const entry *item = &lists->take.entries[i];
        if (!item->seen)
            S2CLR_TRY(s2clr_import_skip(options, item->name, "named in %s, but not in the archive",
                                        lists->path[item->file]));
    }
    return S2CLR_OK;
}
