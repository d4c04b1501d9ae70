#include "report/text_cell.h"

#include "base/utf8.h"

void s2clr_text_cell(FILE *to, const char *name, int width)
{
    for (; *name && width > 0; width--) {
        const size_t step = s2clr_utf8_step(name);
        if (step == 0 || (unsigned char)*name < ' ' || *name == 127)
            fputc(step ? ' ' : '?', to);
        else
            fwrite(name, 1, step, to);
        name += step ? step : 1;
    }
    fprintf(to, "%*s", width, "");
}
