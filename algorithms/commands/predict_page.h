/* The page that predict --report makes of a finished map. */
#ifndef S2CLR_COMMANDS_PREDICT_PAGE_H
#define S2CLR_COMMANDS_PREDICT_PAGE_H

#include "commands/params.h"
#include "predict/predict.h"

/* Is the name that of a page? */
s2clr_status s2clr_predict_page_check(const s2clr_predict_settings *settings);

/* Does nothing without settings->report. The map stands already, whatever becomes of the page. */
s2clr_status s2clr_predict_page_write(const s2clr_args *args,
                                      const s2clr_predict_settings *settings,
                                      const s2clr_predict_result *result);

#endif
