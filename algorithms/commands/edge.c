#include "commands/edge.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <gdal.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/device_select.h"
#include "commands/interrupt.h"
#include "commands/pargs.h"
#include "commands/say.h"
#include "file/file_replace.h"
#include "predict/output_file.h"

const char *s2clr_edge_name(const s2clr_args *args)
{
    return args->command->name;
}

static void CPL_STDCALL on_gdal_message(CPLErr class, CPLErrorNum number, const char *message)
{
    const s2clr_args *args = CPLGetErrorHandlerUserData();
    if (class == CE_Warning)
        s2clr_edge_warn(args, message);
    else if (class != CE_Failure)
        CPLDefaultErrorHandler(class, number, message);
}

void s2clr_edge_gdal(const s2clr_args *args)
{
    const char *const *pair;
    const size_t count = s2clr_args_list(args, "config", &pair);
    const long memory = s2clr_args_int(args, "memory");
    if (memory) {
        /* GDAL's block cache is a part of the promise, not on top of it. */
        char bytes[32];
        snprintf(bytes, sizeof bytes, "%ld", memory * 1024 * 1024 / 8);
        CPLSetConfigOption("GDAL_CACHEMAX", bytes);
    }
    for (size_t i = 0; i < count; i++) {
        char key[256];
        const size_t length = strcspn(pair[i], "=");
        snprintf(key, sizeof key, "%.*s", (int)(length < 255 ? length : 255), pair[i]);
        CPLSetConfigOption(key, pair[i] + length + 1);
    }
    CPLSetErrorHandlerEx(on_gdal_message, (void *)args);
    GDALAllRegister();
}

void s2clr_edge_end(void)
{
    CPLSetErrorHandler(NULL);
}

int s2clr_edge_fail(const s2clr_args *args, s2clr_status status)
{
    const int signal_number = s2clr_interrupt_signal();
    if (signal_number == SIGPIPE)
        return S2CLR_EXIT_SIGNAL + SIGPIPE; /* whoever listened has heard enough */
    if (status == S2CLR_ERR_CANCELLED) {
        s2clr_say_error(s2clr_edge_name(args), "interrupted");
        return S2CLR_EXIT_SIGNAL + (signal_number ? signal_number : SIGINT);
    }
    s2clr_say_error(s2clr_edge_name(args), s2clr_error_text());
    return status == S2CLR_ERR_ARGUMENT ? S2CLR_EXIT_USAGE : S2CLR_EXIT_FAILED;
}

void s2clr_edge_warn(const s2clr_args *args, const char *text)
{
    if (!s2clr_args_flag(args, "quiet")) s2clr_say_warning(s2clr_edge_name(args), text);
}

/* What --device comes to, NULL where that fails. `auto` is opened for a look: what it cannot do is
 * said before the work. */
static const s2clr_backend *look(const s2clr_args *args, const char *wish)
{
    const char *const wanted = s2clr_args_text(args, "precision");
    s2clr_precision precision = S2CLR_F32;
    const s2clr_backend *backend = NULL;
    s2clr_device *device;
    char text[S2CLR_BACKEND_TEXT];
    if (strcmp(wish, "auto") != 0)
        s2clr_backend_find(wish, &backend);
    else if ((!wanted || s2clr_precision_parse(wanted, &precision) == S2CLR_OK) &&
             s2clr_device_select(wish, precision, &backend, &device) == S2CLR_OK)
        backend->device_close(device);
    s2clr_error_clear();
    if (s2clr_backend_passed_over(text)) s2clr_edge_warn(args, text);
    return backend;
}

void s2clr_edge_warn_slow(const s2clr_args *args)
{
    const char *wish = s2clr_args_text(args, "device");
    const s2clr_backend_entry *entry;
    char text[1200];
    if (!wish || (strcmp(wish, "auto") != 0 && strcmp(wish, "cpu") != 0)) return;
    const s2clr_backend *const taken = look(args, wish);
    if (!taken || strcmp(taken->name, "portable") != 0) return;
    const size_t count = s2clr_backend_list(&entry);
    for (size_t i = 0; i < count; i++) {
        if (!entry[i].built || !entry[i].cpu || entry[i].backend) continue;
        snprintf(text, sizeof text,
                 "computing with the portable backend, ten times slower than %s, which this "
                 "installation should have: %s",
                 entry[i].name, entry[i].why);
        s2clr_edge_warn(args, text);
    }
}

s2clr_status s2clr_edge_pool(const s2clr_args *args, s2clr_pool **out)
{
    return s2clr_pool_new((int)s2clr_args_int(args, "threads"), out);
}

s2clr_status s2clr_edge_device(const s2clr_args *args, s2clr_machine *out)
{
    s2clr_precision precision;
    S2CLR_TRY(s2clr_precision_parse(s2clr_args_text(args, "precision"), &precision));
    return s2clr_machine_open(s2clr_args_text(args, "device"), precision, out);
}

s2clr_status s2clr_edge_go_on(void)
{
    if (!s2clr_interrupt_signal()) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_CANCELLED, "interrupted");
}

s2clr_progress s2clr_edge_progress(const s2clr_args *args, s2clr_terminal *terminal)
{
    const char *mode = s2clr_args_text(args, "progress");
    const bool quiet = s2clr_args_flag(args, "quiet");
    if (quiet && !s2clr_args_given(args, "progress")) mode = "none";
    s2clr_progress progress = s2clr_terminal_start(terminal, s2clr_edge_name(args), mode);
    if (quiet) progress.warn = NULL;
    return progress;
}

s2clr_status s2clr_edge_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "standard output: cannot be written; is it closed, or the "
                                         "disk full?");
}

bool s2clr_edge_wants_json(const s2clr_args *args)
{
    return s2clr_args_flag(args, "json") || s2clr_args_text(args, "results");
}

s2clr_status s2clr_edge_check_results(const s2clr_args *args)
{
    const char *path = s2clr_args_text(args, "results");
    if (!path) return S2CLR_OK;
    if (access(path, F_OK) != 0) return s2clr_output_check(path, false);
    return s2clr_error_set(S2CLR_ERR_EXISTS, "%s: exists already; --results wants a new name",
                           path);
}

static s2clr_status write_results(const char *path, const json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for the results", path);
    const s2clr_piece piece = {text, strlen(text)};
    const s2clr_status status = s2clr_file_replace(path, &piece, 1);
    free(text);
    return status;
}

s2clr_status s2clr_edge_result(const s2clr_args *args, json_t *json)
{
    const char *path = s2clr_args_text(args, "results");
    if (json && path) {
        s2clr_status status = s2clr_edge_check_results(args); /* another output may have its name */
        if (status == S2CLR_OK) status = write_results(path, json);
        if (status != S2CLR_OK) {
            json_decref(json);
            return status;
        }
    }
    if (!json || s2clr_args_flag(args, "json")) return s2clr_edge_json(json);
    json_decref(json);
    return S2CLR_OK;
}

s2clr_status s2clr_edge_json(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(json);
    if (!text)
        return s2clr_error_set(S2CLR_ERR_MEMORY,
                               "the result cannot be written as JSON: a name is not UTF-8, or "
                               "memory ran out");
    puts(text);
    free(text);
    return s2clr_edge_flush();
}
