#include "commands/store_parts.h"

#include "base/memory.h"
#include "dataset/balance.h"

bool s2clr_store_has_parts(const s2clr_store *store)
{
    for (size_t i = 0; i < s2clr_store_count(store); i++)
        if (s2clr_store_row_at(store, i)->split[0]) return true;
    return false;
}

static s2clr_status balance(const char *path, const s2clr_store *store, uint64_t seed,
                            const char **split)
{
    const size_t count = s2clr_store_count(store);
    for (size_t i = 0; i < count; i++) split[i] = s2clr_store_row_at(store, i)->split;
    if (!s2clr_store_has_parts(store))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: no patch belongs to a part yet; \"s2clr dataset split "
                               "--balance\" makes balanced parts",
                               path);
    S2CLR_TRY(s2clr_split_balance(store, seed, split));
    return s2clr_store_set(path, "split", split, count);
}

s2clr_status s2clr_store_balance(const char *path, uint64_t seed)
{
    s2clr_store *store;
    const char **split = NULL;
    S2CLR_TRY(s2clr_store_open(path, &store));
    s2clr_status status =
        s2clr_alloc(s2clr_store_count(store), sizeof *split, "parts", (void **)&split);
    if (status == S2CLR_OK) status = balance(path, store, seed, split);
    s2clr_free(split);
    s2clr_store_close(store);
    return status;
}
