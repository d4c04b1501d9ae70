/* What decides the bytes of an output: written into the journal, compared when a run is resumed. */
#include <cpl_string.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "predict/ppredict.h"
#include "sentinel2/stack_files.h"

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

static s2clr_status add_files(const s2clr_predict_job *job, char ***list)
{
    s2clr_stack_files files;
    char key[32];
    S2CLR_TRY(s2clr_stack_files_list(job->stack, &files));
    for (int i = 0; files.local[i]; i++) {
        snprintf(key, sizeof key, "FILE_%d", i + 1);
        *list = add_file(*list, key, files.local[i]);
    }
    if (job->settings->aoi) *list = add_file(*list, "AOI_FILE", job->settings->aoi);
    s2clr_stack_files_free(&files);
    return S2CLR_OK;
}

s2clr_status s2clr_predict_identity(const s2clr_predict_job *job, char ***out)
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
    const s2clr_status status = add_files(job, &list);
    if (status != S2CLR_OK) {
        CSLDestroy(list);
        return status;
    }
    for (int i = 0; job->tags && job->tags[i]; i++) list = CSLAddString(list, job->tags[i]);
    *out = list;
    return S2CLR_OK;
}
