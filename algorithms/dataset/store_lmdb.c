/*
 * The values of a store: LMDB (https://www.symas.com/lmdb), one file, keys in byte order.
 *
 * LMDB's locks are those of the process, and opening a file a second time breaks the first: every
 * environment is therefore opened once per process and shared, in the cache `environments`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "dataset/pstore.h"

/* Address space, not disk: LMDB maps this much and grows the file as needed. */
#define MAP_LARGEST ((uint64_t)1 << 40)
#define MAP_SMALLEST ((uint64_t)1 << 28)
enum { READERS = 4094 };

struct s2clr_values {
    char *path;
    dev_t device;
    ino_t inode;
    pid_t process;
    bool writable;
    MDB_env *env;
    MDB_dbi dbi;
    int users;
    s2clr_values *next;
};

static pthread_mutex_t environments_mutex = PTHREAD_MUTEX_INITIALIZER;
static s2clr_values *environments;

/* ---- errors ---- */

static const struct {
    int code;
    s2clr_status status;
    const char *text;
} failures[] = {
    {ENOSPC, S2CLR_ERR_IO,
     "the disk is full; free some space and run the same command again, with --append: what is "
     "committed stays"},
    {EDQUOT, S2CLR_ERR_IO,
     "the disk quota is used up; free some space and run the same command again, with --append: "
     "what is committed stays"},
    {EFBIG, S2CLR_ERR_IO,
     "the file would become larger than the file system or ulimit -f allows; raise the limit or "
     "use another disk"},
    {EIO, S2CLR_ERR_IO,
     "the disk reported an error, or is full; look at the system's log, then run the same command "
     "again"},
    {EACCES, S2CLR_ERR_IO, "permission denied; give this user the right to read and write it"},
    {EROFS, S2CLR_ERR_IO, "the disk is read-only; copy the store to one that can be written to"},
    {ENOMEM, S2CLR_ERR_MEMORY, "out of memory or address space (ulimit -v); free some"},
    {MDB_MAP_FULL, S2CLR_ERR_MEMORY,
     "the address space set aside for it is full (1 TiB, less under ulimit -v); make several "
     "stores, or lift the limit"},
    {MDB_MAP_RESIZED, S2CLR_ERR_IO, "another program made it larger; open it again"},
    {MDB_CORRUPTED, S2CLR_ERR_FORMAT, "damaged; fetch or make the store again"},
    {MDB_PAGE_NOTFOUND, S2CLR_ERR_FORMAT, "damaged (a page is missing); fetch or make it again"},
    {MDB_PANIC, S2CLR_ERR_FORMAT, "damaged, or written to while it was read; open it again"},
    {MDB_INVALID, S2CLR_ERR_FORMAT, "not an LMDB file, or damaged; fetch or make the store again"},
    {MDB_VERSION_MISMATCH, S2CLR_ERR_UNSUPPORTED,
     "written by an incompatible version of LMDB; make it again, or copy it with mdb_dump and "
     "mdb_load of both versions"},
    {MDB_INCOMPATIBLE, S2CLR_ERR_FORMAT,
     "holds something else than names and values; wanted: a store as s2clr-dataset(5) has it"},
    {MDB_READERS_FULL, S2CLR_ERR_IO,
     "too many readers at once; close some, or delete " S2CLR_STORE_VALUES
     "-lock when no program uses the store"},
    {MDB_BAD_VALSIZE, S2CLR_ERR_ARGUMENT, "a name or value of a size that LMDB does not take"},
};

static s2clr_status failed(const char *path, int code)
{
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        if (failures[i].code == code)
            return s2clr_error_set(failures[i].status, "%s: %s", path, failures[i].text);
    return s2clr_error_set(S2CLR_ERR_IO, "%s: LMDB says: %s", path, mdb_strerror(code));
}

/* ---- opening ---- */

/* Opens with as much address space as there is. */
static int open_mapped(const char *path, unsigned flags, MDB_env **out)
{
    uint64_t map = MAP_LARGEST;
    while (map > SIZE_MAX / 4) map /= 2;
    for (;; map /= 2) {
        MDB_env *env;
        int code = mdb_env_create(&env);
        if (code) return code;
        code = mdb_env_set_mapsize(env, (size_t)map);
        if (!code) code = mdb_env_set_maxreaders(env, READERS);
        if (!code) code = mdb_env_open(env, path, flags, 0666);
        if (!code) {
            *out = env;
            return 0;
        }
        mdb_env_close(env);
        if (code != ENOMEM || map / 2 < MAP_SMALLEST) return code;
    }
}

/* Readers open for writing too when they may: a writer of the same process has to share the
 * environment. Where even the lock file cannot be written, nobody else writes either. */
static s2clr_status open_env(s2clr_values *values, bool write)
{
    const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
    int code = EACCES;
    values->writable = write || access(values->path, W_OK) == 0;
    if (values->writable) code = open_mapped(values->path, flags, &values->env);
    if (code && !write && (code == EACCES || code == EROFS || code == EPERM)) {
        values->writable = false;
        code = open_mapped(values->path, flags | MDB_RDONLY, &values->env);
        if (code == EACCES || code == EROFS || code == EPERM)
            code = open_mapped(values->path, flags | MDB_RDONLY | MDB_NOLOCK, &values->env);
    }
    return code ? failed(values->path, code) : S2CLR_OK;
}

static s2clr_status open_dbi(s2clr_values *values)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(values->env, NULL, MDB_RDONLY, &txn);
    if (code) return failed(values->path, code);
    code = mdb_dbi_open(txn, NULL, 0, &values->dbi);
    if (code) {
        mdb_txn_abort(txn);
        return failed(values->path, code);
    }
    code = mdb_txn_commit(txn);
    return code ? failed(values->path, code) : S2CLR_OK;
}

/* A page beyond the end of the file would end the process with SIGBUS. */
static s2clr_status check_length(const s2clr_values *values)
{
    MDB_envinfo info;
    MDB_stat stat_of;
    struct stat file;
    if (mdb_env_info(values->env, &info) || mdb_env_stat(values->env, &stat_of) ||
        stat(values->path, &file) != 0)
        return failed(values->path, EIO);
    const uint64_t length = (uint64_t)file.st_size;
    const uint64_t pages = (uint64_t)info.me_last_pgno + 1;
    if (pages <= length / stat_of.ms_psize || info.me_last_pgno <= 1) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: truncated: it has %llu bytes, wanted: %llu pages of %u bytes; copy "
                           "or fetch it again",
                           values->path, (unsigned long long)length, (unsigned long long)pages,
                           stat_of.ms_psize);
}

static void dispose(s2clr_values *values)
{
    if (values->env) mdb_env_close(values->env);
    s2clr_free(values->path);
    s2clr_free(values);
}

static s2clr_status identify(const char *path, bool write, struct stat *info)
{
    if (stat(path, info) != 0)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot open: %s; wanted: the values of a store",
                               path, strerror(errno));
    if (!S_ISREG(info->st_mode) || (!write && info->st_size == 0))
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: empty or not a file; wanted: LMDB data",
                               path);
    return S2CLR_OK;
}

static s2clr_status open_new(const char *path, bool write, const struct stat *info,
                             s2clr_values **out)
{
    s2clr_values *values;
    int dead;
    S2CLR_TRY(s2clr_alloc(1, sizeof *values, "store", (void **)&values));
    values->device = info->st_dev;
    values->inode = info->st_ino;
    values->process = getpid();
    s2clr_status status = s2clr_strdup(path, &values->path);
    if (status == S2CLR_OK) status = open_env(values, write);
    if (status == S2CLR_OK) status = check_length(values);
    if (status == S2CLR_OK) status = open_dbi(values);
    if (status != S2CLR_OK) {
        dispose(values);
        return status;
    }
    /* Slots of readers that were killed; they would keep a writer from using pages again. */
    if (values->writable) mdb_reader_check(values->env, &dead);
    *out = values;
    return S2CLR_OK;
}

/* With the mutex held. An environment inherited by fork() is no longer of use. */
static s2clr_status open_shared(const char *path, bool write, s2clr_values **out)
{
    struct stat info;
    S2CLR_TRY(identify(path, write, &info));
    for (s2clr_values *v = environments; v; v = v->next) {
        if (v->device != info.st_dev || v->inode != info.st_ino || v->process != getpid()) continue;
        if (write && !v->writable)
            return s2clr_error_set(S2CLR_ERR_IO,
                                   "%s: is open for reading in this program already; close that "
                                   "first",
                                   path);
        v->users++;
        *out = v;
        return S2CLR_OK;
    }
    s2clr_values *values;
    S2CLR_TRY(open_new(path, write, &info, &values));
    values->users = 1;
    values->next = environments;
    environments = values;
    *out = values;
    return S2CLR_OK;
}

s2clr_status s2clr_values_open(const char *folder, bool write, s2clr_values **out)
{
    char *path;
    S2CLR_TRY(s2clr_store_path(folder, S2CLR_STORE_VALUES, &path));
    pthread_mutex_lock(&environments_mutex);
    const s2clr_status status = open_shared(path, write, out);
    pthread_mutex_unlock(&environments_mutex);
    s2clr_free(path);
    return status;
}

void s2clr_values_close(s2clr_values *values)
{
    if (!values) return;
    pthread_mutex_lock(&environments_mutex);
    if (--values->users == 0) {
        s2clr_values **link = &environments;
        while (*link != values) link = &(*link)->next;
        *link = values->next;
        dispose(values);
    }
    pthread_mutex_unlock(&environments_mutex);
}

const char *s2clr_values_path(const s2clr_values *values)
{
    return values->path;
}

/* ---- transactions ---- */

s2clr_status s2clr_values_begin(s2clr_values *values, bool write, MDB_txn **out)
{
    MDB_txn *txn;
    const int code = mdb_txn_begin(values->env, NULL, write ? 0 : MDB_RDONLY, &txn);
    if (code) return failed(values->path, code);
    *out = txn;
    return S2CLR_OK;
}

static MDB_val to_val(const void *bytes, size_t size)
{
    return (MDB_val){size, (void *)(uintptr_t)bytes};
}

s2clr_status s2clr_values_put(s2clr_values *values, MDB_txn *txn, const char *name,
                              const void *bytes, size_t size)
{
    MDB_val key = to_val(name, strlen(name)), value = to_val(bytes, size);
    const int code = mdb_put(txn, values->dbi, &key, &value, 0);
    return code ? failed(values->path, code) : S2CLR_OK;
}

s2clr_status s2clr_values_get(s2clr_values *values, MDB_txn *txn, const char *name,
                              const void **bytes, size_t *size)
{
    MDB_val key = to_val(name, strlen(name)), value = {0, NULL};
    const int code = mdb_get(txn, values->dbi, &key, &value);
    if (code && code != MDB_NOTFOUND) return failed(values->path, code);
    *bytes = code ? NULL : value.mv_data;
    *size = code ? 0 : value.mv_size;
    return S2CLR_OK;
}

s2clr_status s2clr_values_commit(s2clr_values *values, MDB_txn *txn)
{
    const int code = mdb_txn_commit(txn);
    return code ? failed(values->path, code) : S2CLR_OK;
}

s2clr_status s2clr_values_count(s2clr_values *values, size_t *out)
{
    MDB_stat info;
    const int code = mdb_env_stat(values->env, &info);
    if (code) return failed(values->path, code);
    *out = info.ms_entries;
    return S2CLR_OK;
}

/* ---- walks ---- */

/* Number of a key among the names, or -1. */
static int64_t find_key(const s2clr_strings *names, const MDB_val *key)
{
    char name[S2CLR_PATCH_NAME_MAX + 12]; /* LMDB's keys have at most 511 bytes */
    if (key->mv_size >= sizeof name || memchr(key->mv_data, 0, key->mv_size)) return -1;
    memcpy(name, key->mv_data, key->mv_size);
    name[key->mv_size] = 0;
    return s2clr_strings_find(names, name);
}

s2clr_status s2clr_values_locate(s2clr_values *values, MDB_txn *txn, const s2clr_strings *names,
                                 s2clr_place *places)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int code = mdb_cursor_open(txn, values->dbi, &cursor);
    if (code) return failed(values->path, code);
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        const int64_t number = find_key(names, &key);
        if (number < 0) continue;
        places[number].bytes = value.mv_data;
        places[number].size = (uint32_t)value.mv_size;
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? S2CLR_OK : failed(values->path, code);
}

/* ---- orphans ---- */

/* Pages that a deletion takes and gives back stay unwritten; the file gets its length before, so
 * that check_length() holds at any moment. */
static s2clr_status lengthen(s2clr_values *values, size_t deletions)
{
    MDB_envinfo info;
    MDB_stat stat_of;
    int descriptor;
    struct stat file;
    if (mdb_env_info(values->env, &info) || mdb_env_stat(values->env, &stat_of) ||
        mdb_env_get_fd(values->env, &descriptor) || fstat(descriptor, &file) != 0)
        return failed(values->path, EIO);
    const uint64_t pages = (uint64_t)info.me_last_pgno + 64 + 16 * (uint64_t)deletions;
    const off_t wanted = (off_t)(pages * stat_of.ms_psize);
    if (file.st_size < wanted && ftruncate(descriptor, wanted) != 0)
        return failed(values->path, errno);
    return S2CLR_OK;
}

/* Walks all keys; *known counts those that have a name in `names`. */
static int delete_unknown(MDB_txn *txn, MDB_dbi dbi, const s2clr_strings *names, size_t *known)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int code = mdb_cursor_open(txn, dbi, &cursor);
    if (code) return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (!code) {
        if (find_key(names, &key) >= 0)
            ++*known;
        else
            code = mdb_cursor_del(cursor, 0);
        if (!code) code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static s2clr_status rows_without_value(const s2clr_values *values, size_t rows, size_t found)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: only %zu of the %zu patches of " S2CLR_STORE_INDEX
                           " have a value; delete the rows that have none, or make the store again",
                           values->path, found, rows);
}

s2clr_status s2clr_values_prune(s2clr_values *values, const s2clr_strings *names)
{
    size_t count = 0, known = 0;
    MDB_txn *txn = NULL;
    S2CLR_TRY(s2clr_values_count(values, &count));
    if (count == names->count) return S2CLR_OK;
    if (count < names->count) return rows_without_value(values, names->count, count);
    S2CLR_TRY(lengthen(values, count - names->count));
    S2CLR_TRY(s2clr_values_begin(values, true, &txn));
    const int code = delete_unknown(txn, values->dbi, names, &known);
    if (code || known != names->count) {
        mdb_txn_abort(txn);
        return code ? failed(values->path, code) : rows_without_value(values, names->count, known);
    }
    return s2clr_values_commit(values, txn);
}
