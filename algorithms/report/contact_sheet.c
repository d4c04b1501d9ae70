#include "report/contact_sheet.h"

#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/contact_sheet_text.h"
#include "report/html_page.h"

enum { KEY_BYTES = 8, NAME_ROOM = 256 };

/* Pictures are shown this wide, in CSS pixels, whatever their patches have. */
enum { PICTURE_WIDE = 190, BORDERS = 30 };

/* Nothing from outside, whatever a name in the page says. */
static const char policy[] =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<style>\n";

typedef struct page {
    const s2clr_sheet *sheet;
    const char *path;
} page;

s2clr_status s2clr_sheet_new(size_t count, s2clr_sheet *sheet)
{
    s2clr_sheet_patch *patch;
    S2CLR_TRY(s2clr_alloc(count, sizeof *patch, "patches of a sheet", (void **)&patch));
    for (size_t i = 0; i < count; i++)
        patch[i].probability = patch[i].longitude = patch[i].latitude = NAN;
    *sheet = (s2clr_sheet){.model = "",
                           .positive = "",
                           .source = "",
                           .choice = "",
                           .warning = "",
                           .command = "",
                           .count = count,
                           .patch = patch};
    return S2CLR_OK;
}

void s2clr_sheet_clear(s2clr_sheet *sheet)
{
    for (size_t i = 0; i < sheet->count; i++) {
        s2clr_free(sheet->patch[i].name);
        for (int k = 0; k < S2CLR_SHEET_PICTURES; k++) s2clr_free(sheet->patch[i].picture[k]);
    }
    s2clr_free(sheet->patch);
    *sheet = (s2clr_sheet){0};
}

static void attribute(FILE *to, const char *name, const char *text)
{
    fprintf(to, " %s=\"", name);
    s2clr_html_text(to, text);
    fputc('"', to);
}

/* Marks of another sheet must not show up in this one: what the browser keeps them under. */
static void put_key(FILE *to, const s2clr_sheet *sheet)
{
    struct sha256_ctx hash;
    uint8_t digest[KEY_BYTES];
    sha256_init(&hash);
    sha256_update(&hash, strlen(sheet->model) + 1, (const uint8_t *)sheet->model);
    for (size_t i = 0; i < sheet->count; i++) {
        const s2clr_sheet_patch *patch = &sheet->patch[i];
        sha256_update(&hash, strlen(patch->name) + 1, (const uint8_t *)patch->name);
        sha256_update(&hash, sizeof patch->probability, (const uint8_t *)&patch->probability);
    }
    sha256_digest(&hash, sizeof digest, digest);
    fputs(" data-key=\"", to);
    for (int i = 0; i < KEY_BYTES; i++) fprintf(to, "%02x", digest[i]);
    fputc('"', to);
}

/* SHEET.csv for FOLDER/SHEET.html. */
static void csv_name(const char *path, char out[NAME_ROOM])
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    const size_t length = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    snprintf(out, NAME_ROOM, "%.*s.csv", (int)(length < 200 ? length : 200), base);
}

/* Four digits, and never 1 for what is less. */
static void probability_text(double p, char out[32])
{
    snprintf(out, 32, "= %.4f", p);
    if (p < 1 && strcmp(out, "= 1.0000") == 0) snprintf(out, 32, "&gt; 0.9999");
}

static void put_place(FILE *to, const s2clr_sheet_patch *patch)
{
    const double x = patch->longitude, y = patch->latitude;
    if (isnan(x) || isnan(y)) return;
    fprintf(to,
            "<p class=\"where\"><a target=\"_blank\" rel=\"noreferrer\" "
            "href=\"https://www.openstreetmap.org/"
            "?mlat=%.6f&amp;mlon=%.6f#map=15/%.6f/%.6f\">%.5f&deg; %c, %.5f&deg; %c</a></p>\n",
            y, x, y, x, fabs(y), y < 0 ? 'S' : 'N', fabs(x), x < 0 ? 'W' : 'E');
}

static void put_pictures(FILE *to, const s2clr_sheet *sheet, size_t index)
{
    fputs("<div class=\"pictures\">\n", to);
    for (int k = 0; k < sheet->pictures; k++) {
        const char *name = sheet->picture[k].name;
        fprintf(to, "<figure><img alt=\"%s of patch %zu\" src=\"%s\">", name, index + 1,
                sheet->patch[index].picture[k]);
        fprintf(to, "<figcaption>%s</figcaption></figure>\n", name);
    }
    fputs("</div>\n", to);
}

static void put_marks(FILE *to, size_t index)
{
    static const char *const marks[] = {"right", "wrong", "unsure"};
    fprintf(to, "<div class=\"marks\" role=\"group\" aria-label=\"Patch %zu is\">", index + 1);
    for (int i = 0; i < 3; i++)
        fprintf(to, "<button type=\"button\" data-is=\"%s\" aria-pressed=\"false\">%s</button>",
                marks[i], marks[i]);
    fputs("</div>\n", to);
}

static void put_patch(FILE *to, const s2clr_sheet *sheet, size_t index)
{
    const s2clr_sheet_patch *patch = &sheet->patch[index];
    char shown[32], longitude[32] = "", latitude[32] = "";
    probability_text(patch->probability, shown);
    if (!isnan(patch->longitude) && !isnan(patch->latitude)) {
        snprintf(longitude, sizeof longitude, "%.7f", patch->longitude);
        snprintf(latitude, sizeof latitude, "%.7f", patch->latitude);
    }
    fprintf(to,
            "<li class=\"patch\" tabindex=\"-1\" aria-label=\"Patch %zu, probability %s\" "
            "data-rank=\"%zu\" data-probability=\"%.9g\" data-longitude=\"%s\" "
            "data-latitude=\"%s\"",
            index + 1, shown, index + 1, patch->probability, longitude, latitude);
    attribute(to, "data-name", patch->name);
    fprintf(to, ">\n<p class=\"head\"><span>%zu</span><span>p %s</span></p>\n", index + 1, shown);
    put_pictures(to, sheet, index);
    fputs("<p class=\"name\">", to);
    s2clr_html_text(to, patch->name);
    fputs("</p>\n", to);
    put_place(to, patch);
    put_marks(to, index);
    fputs("</li>\n", to);
}

static void put_facts(FILE *to, const s2clr_sheet *sheet)
{
    s2clr_html_paragraph(to, sheet->source);
    s2clr_html_paragraph(to, sheet->choice);
    if (sheet->warning[0]) {
        fputs("<p class=\"warning\">", to);
        s2clr_html_text(to, sheet->warning);
        fputs("</p>\n", to);
    }
    fputs("<p>All patches of this sheet are stretched alike, so that their brightness can be "
          "compared. What is not valid is transparent.</p>\n<ul>\n",
          to);
    for (int k = 0; k < sheet->pictures; k++) {
        fprintf(to, "<li>%s: ", sheet->picture[k].name);
        s2clr_html_text(to, sheet->picture[k].rule);
        fputs("</li>\n", to);
    }
    fputs("</ul>\n<p>Made by <code>", to);
    s2clr_html_text(to, sheet->command);
    fputs("</code></p>\n", to);
}

static void put_bar(FILE *to, const s2clr_sheet *sheet)
{
    fputs("<p class=\"keys\">Is each patch really ", to);
    s2clr_html_text(to, sheet->positive[0] ? sheet->positive : "what it is taken for");
    fputs("? Say so with the buttons, or with the keys <kbd>1</kbd> right, <kbd>2</kbd> wrong, "
          "<kbd>3</kbd> unsure, <kbd>0</kbd> no mark, and the arrows. "
          "<code>s2clr evaluate</code> makes the saved file into the precision and its "
          "interval.</p>\n<noscript><p class=\"warning\">Marking and saving need JavaScript, "
          "which is switched off.</p></noscript>\n"
          "<div id=\"bar\" class=\"bar\" hidden><output id=\"count\" aria-live=\"polite\"></output>"
          "<button type=\"button\" id=\"save\">Save CSV</button>"
          "<span id=\"note\" class=\"note\" role=\"status\" hidden>This browser keeps no marks for "
          "this page: save them before you close it.</span></div>\n",
          to);
}

static s2clr_status body(FILE *to, void *context)
{
    const page *p = context;
    const s2clr_sheet *sheet = p->sheet;
    char file[NAME_ROOM];
    csv_name(p->path, file);
    put_facts(to, sheet);
    put_bar(to, sheet);
    fprintf(to, "<ol id=\"sheet\" class=\"sheet\" style=\"--wide:%dpx\"",
            PICTURE_WIDE * sheet->pictures + BORDERS);
    attribute(to, "data-model", sheet->model);
    attribute(to, "data-positive", sheet->positive);
    attribute(to, "data-file", file);
    put_key(to, sheet);
    fputs(">\n", to);
    for (size_t i = 0; i < sheet->count; i++) put_patch(to, sheet, i);
    fprintf(to, "</ol>\n<script>\n%s</script>\n", s2clr_contact_sheet_script);
    return S2CLR_OK;
}

s2clr_status s2clr_contact_sheet_write(const char *path, const s2clr_sheet *sheet)
{
    const char *const head[] = {policy, s2clr_contact_sheet_style, "</style>\n", NULL};
    char title[NAME_ROOM];
    page p = {.sheet = sheet, .path = path};
    snprintf(title, sizeof title, "%.100s: %zu patches by %.100s",
             sheet->positive[0] ? sheet->positive : "Contact sheet", sheet->count,
             sheet->model[0] ? sheet->model : "a map");
    return s2clr_html_write_with(path, title, head, body, &p);
}
