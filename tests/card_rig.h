/*
 * Cards compared, for the tests of what is written and read again.
 */
#ifndef S2CLR_TESTS_CARD_RIG_H
#define S2CLR_TESTS_CARD_RIG_H

#include "file/card.h"

/* Fails the case unless every field and every text is equal, and no text is shared. */
void card_rig_same(const s2clr_card *a, const s2clr_card *b);

#endif
