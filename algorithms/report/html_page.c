#include "report/html_page.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"

/* Colours have a contrast of at least 4.5 to their background in both modes; --c are those of
 * marks, told apart by lightness as well. */
static const char style[] =
    ":root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;"
    "--c0:#0b5cad;--c1:#b35900;--c2:#6e7781;--fill:#dbe9f9;--low:#b2182b;--high:#2166ac;"
    "--mid:#f7f7f7;--ink:#1b1f24}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#0d1117;--text:#e6edf3;--soft:#9ea7b3;"
    "--line:#3d444d;--c0:#6cb6ff;--c1:#f69d50;--c2:#adbac7;--fill:#1b3350;--low:#f4726b;"
    "--high:#6cb6ff;--mid:#21262d;--ink:#e6edf3}}\n"
    "@media print{:root{--back:#fff;--text:#000;--soft:#444;--line:#bbb;--c0:#0b5cad;--c1:#b35900;"
    "--c2:#6e7781;--fill:#dbe9f9;--low:#b2182b;--high:#2166ac;--mid:#f7f7f7;--ink:#000}"
    "section,figure,table{break-inside:avoid}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.5rem;max-width:64rem;background:var(--back);color:var(--text);"
    "font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2.2rem;"
    "border-bottom:1px solid var(--line)}\n"
    "figure{margin:1rem 0;overflow-x:auto}figcaption,caption{text-align:left;color:var(--soft);"
    "padding:.2rem 0}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;"
    "margin:1rem 0}\n"
    "th,td{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:right}"
    "th:first-child{text-align:left;font-weight:normal}thead th{font-weight:bold}\n"
    "svg{max-width:100%;height:auto;display:block}svg text{fill:var(--text);"
    "font:12px system-ui,sans-serif}svg .soft{fill:var(--soft)}\n";

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

void s2clr_html_table_begin(FILE *to, const char *caption, const char *const *columns)
{
    fputs("<div class=\"wide\"><table>\n<caption>", to);
    s2clr_html_text(to, caption);
    fputs("</caption>\n<thead><tr>", to);
    for (; *columns; columns++) {
        fputs("<th scope=\"col\">", to);
        s2clr_html_text(to, *columns);
        fputs("</th>", to);
    }
    fputs("</tr></thead>\n<tbody>\n", to);
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
    fputs("</tbody></table></div>\n", to);
}

static s2clr_status write_page(FILE *to, const char *title, const char *const *head,
                               s2clr_status (*body)(FILE *to, void *context), void *context)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
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
    static const char *const nothing[] = {NULL};
    return s2clr_html_write_with(path, title, nothing, body, context);
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
