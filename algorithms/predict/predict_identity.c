/* What decides the bytes of an output: written into the journal, compared when a run is resumed. */
#include <cpl_string.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "predict/ppredict.h"

/* Name, size and time of change; a file that cannot be looked at has none of the two. */
static char **add_file(char **list, const char *key, const char *path)
{
    struct stat found;
    memset(&found, 0, sizeof found);
    if (stat(path, &found) != 0) return CSLSetNameValue(list, key, path);
    return CSLSetNameValue(list, key,
                           CPLSPrintf("%s, %lld bytes of %lld.%09ld s", path,
                                      (long long)found.st_size, (long long)found.st_mtim.tv_sec,
                                      found.st_mtim.tv_nsec));
}

static char **add_files(char **list, const s2clr_predict_job *job)
{
    char key[32];
    for (int i = 0; job->files.local[i]; i++) {
        snprintf(key, sizeof key, "FILE_%d", i + 1);
        list = add_file(list, key, job->files.local[i]);
    }
    if (job->settings->aoi) list = add_file(list, "AOI_FILE", job->settings->aoi);
    return list;
}

char **s2clr_predict_identity(const s2clr_predict_job *job)
{
    const s2clr_predict_settings *settings = job->settings;
    const int *window = job->window;
    char **list = NULL;
    list = CSLSetNameValue(list, "BANDS", settings->bands ? settings->bands : "probability");
    list = CSLSetNameValue(list, "TYPE", settings->byte_output ? "Byte" : "Float32");
    list = CSLSetNameValue(list, "FORMAT", settings->format);
    for (int i = 0; settings->creation && settings->creation[i]; i++)
        list = CSLSetNameValue(list, CPLSPrintf("CREATION_%d", i + 1), settings->creation[i]);
    list =
        CSLSetNameValue(list, "ROWS", CPLSPrintf("%d to %d", window[1], window[1] + window[3] - 1));
    list = add_files(list, job);
    for (int i = 0; job->tags && job->tags[i]; i++) list = CSLAddString(list, job->tags[i]);
    return list;
}
