#include "commands/predict_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "commands/pargs.h"
#include "commands/predict_report.h"
#include "predict/model_share.h"
#include "report/html_page.h"
#include "report/map_report.h"
#include "sentinel2/gdal_watch.h"

enum { OPTIONS_MAX = 64, WARNINGS_MAX = 12, VALUE_ROOM = 1024 };

typedef struct page {
    s2clr_report_setting setting[OPTIONS_MAX];
    char value[OPTIONS_MAX][VALUE_ROOM];
    const char *warning[WARNINGS_MAX];
    char odd[300]; /* what looks wrong with the values */
    char made[40];
} page;

/* All values of an option, one behind the other. */
static void tell_value(const s2clr_args *args, const s2clr_param_row *row, char out[VALUE_ROOM])
{
    const char *const *list = NULL, *text = s2clr_args_text(args, row->name);
    const size_t count = s2clr_args_list(args, row->name, &list);
    size_t used = 0;
    out[0] = '\0';
    if (row->type == S2CLR_TYPE_FLAG)
        snprintf(out, VALUE_ROOM, "%s", s2clr_args_flag(args, row->name) ? "yes" : "no");
    else if (count == 0)
        snprintf(out, VALUE_ROOM, "%s", text ? text : "");
    for (size_t i = 0; row->type != S2CLR_TYPE_FLAG && i < count && used < VALUE_ROOM; i++)
        used += (size_t)snprintf(out + used, VALUE_ROOM - used, "%s%s", i ? " " : "", list[i]);
}

static size_t list_settings(const s2clr_args *args, page *p)
{
    const s2clr_param_row *row;
    size_t count = 0;
    for (size_t i = 0; count < OPTIONS_MAX && (row = s2clr_command_row(args->command, i)); i++) {
        const bool shown = strcmp(row->name, "help") != 0 && strcmp(row->name, "version") != 0;
        if (!shown) continue;
        tell_value(args, row, p->value[count]);
        p->setting[count] = (s2clr_report_setting){.name = row->name,
                                                   .value = p->value[count],
                                                   .given = s2clr_args_given(args, row->name)};
        count++;
    }
    return count;
}

static size_t list_warnings(const s2clr_predict_result *result, page *p)
{
    size_t count = 0;
    for (int i = 0; i < result->stack.warnings && count < WARNINGS_MAX - 1; i++)
        p->warning[count++] = result->stack.warning[i];
    if (s2clr_predict_oddity(result, p->odd, sizeof p->odd)) p->warning[count++] = p->odd;
    return count;
}

static void tell_time(page *p)
{
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc)) strftime(p->made, sizeof p->made, "%Y-%m-%d %H:%M:%S UTC", &utc);
}

static s2clr_status write_page(const s2clr_args *args, const s2clr_predict_settings *settings,
                               const s2clr_predict_result *result, page *p)
{
    const s2clr_model *model;
    s2clr_map_report report = {.settings = settings,
                               .result = result,
                               .setting = p->setting,
                               .setting_count = list_settings(args, p),
                               .warning = p->warning,
                               .warnings = list_warnings(result, p),
                               .made = p->made};
    tell_time(p);
    S2CLR_TRY(s2clr_model_acquire(settings->model_path, &model));
    report.model = model;
    const s2clr_status status = s2clr_map_report_write(settings->report, &report);
    s2clr_model_release(model);
    return status;
}

s2clr_status s2clr_predict_page_check(const s2clr_predict_settings *settings)
{
    if (!settings->report || s2clr_html_named(settings->report)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--report %s: a page of HTML is written; wanted: a name that ends with "
                           ".html",
                           settings->report);
}

s2clr_status s2clr_predict_page_write(const s2clr_args *args,
                                      const s2clr_predict_settings *settings,
                                      const s2clr_predict_result *result)
{
    page *p;
    s2clr_gdal_watch watch;
    if (!settings->report) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(1, sizeof *p, "report", (void **)&p));
    s2clr_gdal_watch_begin(&watch);
    const s2clr_status status = write_page(args, settings, result, p);
    s2clr_gdal_watch_end(&watch);
    s2clr_free(p);
    return status;
}
