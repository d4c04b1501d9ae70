/* Reader of the TFRecords that SimCLR-S2 was trained on; both variants, told record by record. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "dataset/name_lists.h"
#include "dataset/pimport.h"
#include "dataset/pstore.h"
#include "dataset/ptfrecord.h"
#include "dataset/tfrecord.h"

struct s2clr_import {
    s2clr_import_options options;
    s2clr_tf_positive positive;
    s2clr_name_lists *lists;
    s2clr_tf_files files;
    size_t at;                 /* of the open file, or of the next one */
    s2clr_tfrecord_file *open; /* or NULL */
    s2clr_strings names;       /* that came */
    s2clr_tf_patch patch;
    bool told_missing;
};

static bool identify(const char *path)
{
    struct stat info;
    s2clr_tf_files files = {.glance = true};
    if (stat(path, &info) != 0) return false;
    if (!S_ISDIR(info.st_mode)) return s2clr_tfrecord_identify(path);
    const bool found = s2clr_tf_files_list(&path, 1, &files) == S2CLR_OK && files.count > 0 &&
                       s2clr_tfrecord_identify(files.file[0].path);
    s2clr_tf_files_clear(&files);
    s2clr_error_clear(); /* "no" is an answer, not an error */
    return found;
}

static void close_import(s2clr_import *import)
{
    if (!import) return;
    s2clr_tfrecord_close(import->open);
    s2clr_name_lists_free(import->lists);
    s2clr_tf_files_clear(&import->files);
    s2clr_strings_clear(&import->names);
    s2clr_free(import);
}

static s2clr_status open_import(const char *const *inputs, size_t count,
                                const s2clr_import_options *options, s2clr_import **out)
{
    s2clr_import *import;
    S2CLR_TRY(s2clr_alloc(1, sizeof *import, "reader of TFRecords", (void **)&import));
    import->options = *options;
    s2clr_status status = s2clr_tf_positive_read(options->positive, &import->positive);
    if (status == S2CLR_OK) status = s2clr_name_lists_open(options, &import->lists);
    if (status == S2CLR_OK) status = s2clr_tf_files_list(inputs, count, &import->files);
    if (status == S2CLR_OK)
        *out = import;
    else
        close_import(import);
    return status;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The next record of all files; data NULL: there is none. */
static s2clr_status next_record(s2clr_import *import, s2clr_tfrecord *out)
{
    while (import->at < import->files.count) {
        if (!import->open)
            S2CLR_TRY(s2clr_tfrecord_open(import->files.file[import->at].path, &import->open));
        S2CLR_TRY(s2clr_tfrecord_next(import->open, out));
        if (out->data) return S2CLR_OK;
        s2clr_tfrecord_close(import->open);
        import->open = NULL;
        import->at++;
    }
    *out = (s2clr_tfrecord){.data = NULL};
    return S2CLR_OK;
}

/* Whether the patch is taken. */
static s2clr_status choose(s2clr_import *import, s2clr_patch_record *record, bool *taken)
{
    const char *split, *kept;
    *taken = false;
    if (!s2clr_name_lists_take(import->lists, record->name, &split)) return S2CLR_OK;
    if (s2clr_strings_find(&import->names, record->name) >= 0)
        return s2clr_import_skip(&import->options, record->name,
                                 "came before; it is there once more in %s",
                                 import->files.file[import->at].path);
    S2CLR_TRY(s2clr_strings_put(&import->names, record->name, &kept));
    if (*split) record->split = split;
    *taken = true;
    return S2CLR_OK;
}

static s2clr_status read_record(s2clr_import *import, const s2clr_tfrecord *found,
                                s2clr_patch_record *record, bool *taken)
{
    const s2clr_tf_file *file = &import->files.file[import->at];
    char subject[600];
    snprintf(subject, sizeof subject, "%.560s record %zu", file->path, found->number);
    *taken = false;
    if (found->damaged)
        return s2clr_import_skip(&import->options, subject,
                                 "the data have a wrong CRC; fetch the file again");
    *record = (s2clr_patch_record){.source = file_name(file->path), .split = file->split};
    const s2clr_status status = s2clr_tf_patch_read(found->data, found->size, subject,
                                                    &import->positive, &import->patch, record);
    if (status == S2CLR_ERR_MISMATCH) return status; /* of what was asked for, not of the patch */
    if (status != S2CLR_OK) return s2clr_import_skip_failure(&import->options, subject, status);
    return choose(import, record, taken);
}

static s2clr_status next(s2clr_import *import, s2clr_patch_record *record, bool *end)
{
    for (bool taken = false; !taken;) {
        s2clr_tfrecord found;
        S2CLR_TRY(next_record(import, &found));
        if (!found.data) {
            const bool told = import->told_missing;
            import->told_missing = true;
            if (!told) S2CLR_TRY(s2clr_name_lists_missing(import->lists, &import->options));
            *end = true;
            return S2CLR_OK;
        }
        S2CLR_TRY(read_record(import, &found, record, &taken));
    }
    *end = false;
    return S2CLR_OK;
}

static double done(const s2clr_import *import)
{
    if (import->at >= import->files.count) return 1;
    const s2clr_tf_file *file = &import->files.file[import->at];
    const double here = import->open ? s2clr_tfrecord_done(import->open) : 0;
    if (import->files.bytes == 0) return 0;
    return ((double)file->before + here * (double)file->bytes) / (double)import->files.bytes;
}

const s2clr_import_kind s2clr_import_tfrecord = {
    "tfrecord",   "TFRecords of SimCLR-S2: BigEarthNet, California, croplands; files or folders",
    identify,     open_import,
    next,         done,
    close_import,
};
