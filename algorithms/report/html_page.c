#include "report/html_page.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"

/* Colours have a contrast of at least 4.5 to their background in both modes; --c are those of
 * marks, told apart by lightness as well. Charts keep their size and scroll where there is no room:
 * shrunk to a telephone nobody could read them. */
static const char style[] =
    ":root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;"
    "--c0:#0b5cad;--c1:#b35900;--c2:#6e7781;--fill:#dbe9f9;--low:#b2182b;--high:#2166ac;"
    "--mid:#f7f7f7;--ink:#1b1f24}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#0d1117;--text:#e6edf3;--soft:#9ea7b3;"
    "--line:#3d444d;--c0:#6cb6ff;--c1:#f69d50;--c2:#adbac7;--fill:#1b3350;--low:#f4726b;"
    "--high:#6cb6ff;--mid:#21262d;--ink:#e6edf3}}\n"
    "@page{margin:1.5cm}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.5rem clamp(.8rem,3vw,1.5rem);max-width:64rem;"
    "background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}\n"
    "p,li{max-width:46rem;overflow-wrap:anywhere}a{color:var(--c0)}\n"
    "h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0 1rem;overflow-wrap:anywhere}"
    "h2{font-size:1.2rem;margin:2.4rem 0 .8rem;padding-bottom:.2rem;"
    "border-bottom:2px solid var(--line)}h3{font-size:1rem;margin:1.4rem 0 "
    ".4rem;overflow-wrap:anywhere}\n"
    "figure,.wide{margin:1rem 0;overflow-x:auto}figcaption,caption{text-align:left;"
    "color:var(--soft);padding:.2rem 0}caption{font-weight:600}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:right;"
    "vertical-align:top}th:first-child{text-align:left;font-weight:normal;padding-left:0}"
    "thead th,thead th:first-child{font-weight:600;color:var(--soft)}"
    ".facts td{text-align:left;overflow-wrap:anywhere;min-width:11rem}"
    ".facts th{color:var(--soft)}\n"
    ".warning{border-left:.3rem solid var(--c1);background:var(--mid);padding:.4rem .8rem}\n"
    "pre{margin:1rem 0;padding:.6rem .8rem;background:var(--mid);overflow-x:auto;"
    "white-space:pre-wrap;overflow-wrap:anywhere}code{font:.9em ui-monospace,monospace}\n"
    "footer{margin-top:2.4rem;color:var(--soft);font-size:.9rem}\n"
    "@media print{:root{--back:#fff;--text:#000;--soft:#444;--line:#bbb;--c0:#0b5cad;--c1:#b35900;"
    "--c2:#6e7781;--fill:#dbe9f9;--low:#b2182b;--high:#2166ac;--mid:#f7f7f7;--ink:#000}"
    "figure,tr{break-inside:avoid}h2,caption{break-after:avoid}"
    "body{font-size:10.5pt;max-width:none;padding:0}}\n"
    ":focus-visible{outline:3px solid var(--c0);outline-offset:2px}\n"
    "svg{max-width:100%;min-width:36rem;height:auto;display:block}svg text{fill:var(--text);"
    "font:12px system-ui,sans-serif}svg .soft{fill:var(--soft)}\n";

const char s2clr_html_policy[] =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'\">\n";

bool s2clr_html_named(const char *path)
{
    const char *end = strrchr(path, '.');
    return end && (strcasecmp(end, ".html") == 0 || strcasecmp(end, ".htm") == 0);
}

void s2clr_html_text(FILE *to, const char *text)
{
    for (size_t step; *text; text += step ? step : 1) {
        const char c = *text;
        step = s2clr_utf8_step(text);
        if (step != 1)
            fwrite(step ? text : "?", 1, step ? step : 1, to);
        else if (c == '&')
            fputs("&amp;", to);
        else if (c == '<')
            fputs("&lt;", to);
        else if (c == '>')
            fputs("&gt;", to);
        else if (c == '"')
            fputs("&quot;", to);
        else
            putc((unsigned char)c < ' ' || c == 127 ? ' ' : c, to);
    }
}

void s2clr_html_section(FILE *to, const char *title)
{
    fputs("</section>\n<section>\n<h2>", to);
    s2clr_html_text(to, title);
    fputs("</h2>\n", to);
}

void s2clr_html_paragraph(FILE *to, const char *text)
{
    fputs("<p>", to);
    s2clr_html_text(to, text);
    fputs("</p>\n", to);
}

void s2clr_html_mind(FILE *to, const char *text)
{
    if (!text[0]) return;
    fputs("<p class=\"warning\"><strong>Mind:</strong> ", to);
    s2clr_html_text(to, text);
    fputs("</p>\n", to);
}

/* Wide tables scroll by themselves, with the keyboard as well. */
static void begin_table(FILE *to, const char *caption, const char *class)
{
    fputs("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"", to);
    s2clr_html_text(to, caption);
    fprintf(to, "\">\n<table%s>\n<caption>", class);
    s2clr_html_text(to, caption);
    fputs("</caption>\n", to);
}

void s2clr_html_table_begin(FILE *to, const char *caption, const char *const *columns)
{
    begin_table(to, caption, "");
    fputs("<thead><tr>", to);
    for (; *columns; columns++) {
        fputs("<th scope=\"col\">", to);
        s2clr_html_text(to, *columns);
        fputs("</th>", to);
    }
    fputs("</tr></thead>\n<tbody>\n", to);
}

void s2clr_html_facts_begin(FILE *to, const char *caption)
{
    begin_table(to, caption, " class=\"facts\"");
    fputs("<tbody>\n", to);
}

void s2clr_html_fact(FILE *to, const char *name, const char *format, ...)
{
    char text[4096];
    va_list list;
    va_start(list, format);
    const int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (length <= 0) return;
    s2clr_html_row_begin(to, name);
    fputs("<td>", to);
    s2clr_html_text(to, text);
    fputs("</td>", to);
    s2clr_html_row_end(to);
}

void s2clr_html_row_begin(FILE *to, const char *heading)
{
    fputs("<tr><th scope=\"row\">", to);
    s2clr_html_text(to, heading);
    fputs("</th>", to);
}

void s2clr_html_cell(FILE *to, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    fputs("<td>", to);
    s2clr_html_text(to, text);
    fputs("</td>", to);
}

void s2clr_html_row_end(FILE *to)
{
    fputs("</tr>\n", to);
}

void s2clr_html_table_end(FILE *to)
{
    fputs("</tbody>\n</table>\n</div>\n", to);
}

static s2clr_status write_page(FILE *to, const char *title, const char *const *head,
                               s2clr_status (*body)(FILE *to, void *context), void *context)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"generator\" content=\"s2clr " S2CLR_VERSION "\">\n<title>",
          to);
    s2clr_html_text(to, title);
    fprintf(to, "</title>\n<style>\n%s</style>\n", style);
    for (; *head; head++) fputs(*head, to);
    fputs("</head>\n<body>\n<main>\n<section>\n<h1>", to);
    s2clr_html_text(to, title);
    fputs("</h1>\n", to);
    S2CLR_TRY(body(to, context));
    fputs("</section>\n</main>\n</body>\n</html>\n", to);
    return S2CLR_OK;
}

static s2clr_status refuse(const char *path, int error)
{
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: cannot be written: %s; choose a folder that exists, with room",
                           path, strerror(error));
}

s2clr_status s2clr_html_write(const char *path, const char *title,
                              s2clr_status (*body)(FILE *to, void *context), void *context)
{
    static const char *const head[] = {s2clr_html_policy, NULL};
    return s2clr_html_write_with(path, title, head, body, context);
}

s2clr_status s2clr_html_write_with(const char *path, const char *title, const char *const *head,
                                   s2clr_status (*body)(FILE *to, void *context), void *context)
{
    char *part;
    const size_t bytes = strlen(path) + sizeof ".part";
    S2CLR_TRY(s2clr_alloc(bytes, 1, path, (void **)&part));
    snprintf(part, bytes, "%s.part", path);
    FILE *to = fopen(part, "w");
    s2clr_status status = to ? write_page(to, title, head, body, context) : refuse(path, errno);
    const bool failed = to && ferror(to);
    const bool unclosed = to && fclose(to) != 0;
    if (status == S2CLR_OK && (failed || unclosed)) status = refuse(path, errno);
    if (status == S2CLR_OK && rename(part, path) != 0) status = refuse(path, errno);
    if (to && status != S2CLR_OK) unlink(part);
    s2clr_free(part);
    return status;
}
