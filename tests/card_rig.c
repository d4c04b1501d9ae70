#include "card_rig.h"

#include <string.h>

#include "harness.h"

void card_rig_same(const s2clr_card *a, const s2clr_card *b)
{
    s2clr_card plain_a = *a, plain_b = *b;
    for (int i = 0; i < S2CLR_CARD_TEXTS; i++) {
        CU_ASSERT_PTR_NOT_EQUAL(a->text[i], b->text[i]);
        CU_ASSERT_STRING_EQUAL(a->text[i], b->text[i]);
        plain_a.text[i] = plain_b.text[i] = NULL;
    }
    /* Both start zeroed, so padding is equal too. */
    CU_ASSERT_EQUAL(memcmp(&plain_a, &plain_b, sizeof plain_a), 0);
}
