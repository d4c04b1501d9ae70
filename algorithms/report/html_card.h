/* What a model's card says, as rows of a table of facts (html_page.h), for every page that shows a
 * model's work. The warning is not among them: it belongs where nobody overlooks it. */
#ifndef S2CLR_REPORT_HTML_CARD_H
#define S2CLR_REPORT_HTML_CARD_H

#include <stdio.h>

#include "file/card.h"

void s2clr_html_card(FILE *to, const s2clr_card *card);

#endif
