/* Which TFRecord files there are below the inputs. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "dataset/ptfrecord.h"

enum { DEPTH_MAX = 8, GLANCE_MAX = 4096 };

/* ---- splits ---- */

static const char *split_of_word(const char *name, size_t length)
{
    static const struct {
        const char *word, *split;
    } words[] = {
        {"train", "train"}, {"validation", "validation"}, {"val", "validation"}, {"test", "test"}};
    size_t letters = 0;
    while (letters < length && ((name[letters] | 32) >= 'a' && (name[letters] | 32) <= 'z'))
        letters++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].word) == letters && strncmp(name, words[i].word, letters) == 0)
            return words[i].split;
    return "";
}

const char *s2clr_tf_files_split(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *split = split_of_word(name, strcspn(name, "."));
    if (*split || !slash || strncmp(name, "part-", 5) != 0) return split;
    const char *start = slash;
    while (start > path && start[-1] != '/') start--;
    return split_of_word(start, (size_t)(slash - start));
}

/* ---- listing ---- */

static bool is_named_so(const char *name)
{
    const char *suffix = strstr(name, ".tfrecord");
    if (!suffix || name[0] == '.') return false;
    suffix += strlen(".tfrecord");
    return !*suffix || strcmp(suffix, "s") == 0 || *suffix == '-';
}

/* Takes the path over. */
static s2clr_status add(s2clr_tf_files *files, char *path, uint64_t bytes)
{
    if (files->count == files->room) {
        const size_t room = files->room ? 2 * files->room : 64;
        s2clr_tf_file *bigger;
        const s2clr_status status =
            s2clr_alloc(room, sizeof *bigger, "list of files", (void **)&bigger);
        if (status != S2CLR_OK) {
            s2clr_free(path);
            return status;
        }
        if (files->count) memcpy(bigger, files->file, files->count * sizeof *bigger);
        s2clr_free(files->file);
        files->file = bigger;
        files->room = room;
    }
    files->file[files->count++] =
        (s2clr_tf_file){.path = path, .bytes = bytes, .split = s2clr_tf_files_split(path)};
    return S2CLR_OK;
}

static s2clr_status join(const char *folder, const char *name, char **out)
{
    const size_t length = strlen(folder), room = length + strlen(name) + 2;
    char *path;
    S2CLR_TRY(s2clr_alloc(room, 1, "path", (void **)&path));
    const bool slash = length && folder[length - 1] == '/';
    snprintf(path, room, "%s%s%s", folder, slash ? "" : "/", name);
    *out = path;
    return S2CLR_OK;
}

static s2clr_status walk(const char *folder, int depth, s2clr_tf_files *files);

static s2clr_status look_at(const char *folder, const char *name, int depth, s2clr_tf_files *files)
{
    struct stat info;
    char *path;
    s2clr_status status = S2CLR_OK;
    if (name[0] == '.') return S2CLR_OK;
    if (files->glance && (files->count || files->looked++ >= GLANCE_MAX)) return S2CLR_OK;
    S2CLR_TRY(join(folder, name, &path));
    const bool there = stat(path, &info) == 0;
    if (there && S_ISREG(info.st_mode) && is_named_so(name))
        return add(files, path, (uint64_t)info.st_size);
    if (there && S_ISDIR(info.st_mode) && depth < DEPTH_MAX) status = walk(path, depth + 1, files);
    s2clr_free(path);
    return status;
}

static s2clr_status walk(const char *folder, int depth, s2clr_tf_files *files)
{
    DIR *open = opendir(folder);
    s2clr_status status = S2CLR_OK;
    if (!open)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot list the folder: %s", folder,
                               strerror(errno));
    for (struct dirent *entry; status == S2CLR_OK && (entry = readdir(open));)
        status = look_at(folder, entry->d_name, depth, files);
    closedir(open);
    return status;
}

static s2clr_status add_input(const char *input, s2clr_tf_files *files)
{
    struct stat info;
    const size_t before = files->count;
    char *path;
    if (stat(input, &info) != 0)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: cannot open: %s; wanted: a TFRecord file or a "
                               "folder of them",
                               input, strerror(errno));
    if (!S_ISDIR(info.st_mode)) {
        S2CLR_TRY(s2clr_strdup(input, &path));
        return add(files, path, (uint64_t)info.st_size);
    }
    S2CLR_TRY(walk(input, 0, files));
    if (files->count > before) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: holds no file named *.tfrecord", input);
}

static int by_path(const void *a, const void *b)
{
    const s2clr_tf_file *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static void drop_twins(s2clr_tf_files *files)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (kept && strcmp(files->file[kept - 1].path, files->file[i].path) == 0) {
            s2clr_free(files->file[i].path);
            continue;
        }
        files->file[i].before = files->bytes;
        files->bytes += files->file[i].bytes;
        files->file[kept++] = files->file[i];
    }
    files->count = kept;
}

s2clr_status s2clr_tf_files_list(const char *const *inputs, size_t count, s2clr_tf_files *out)
{
    for (size_t i = 0; i < count; i++) S2CLR_TRY(add_input(inputs[i], out));
    if (out->count) qsort(out->file, out->count, sizeof *out->file, by_path);
    drop_twins(out);
    return S2CLR_OK;
}

void s2clr_tf_files_clear(s2clr_tf_files *files)
{
    for (size_t i = 0; i < files->count; i++) s2clr_free(files->file[i].path);
    s2clr_free(files->file);
    *files = (s2clr_tf_files){0};
}
