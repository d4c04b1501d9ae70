#include "predict/tasks.h"

#include "base/memory.h"
#include "base/pool.h"
#include "predict/pengine.h"

/* Blocks of a run, so that filling and draining the pipeline does not show. */
#define BLOCKS_WANTED 32
/* Units per session and block, so that the last ones of a block leave nobody idle for long. */
#define UNITS_PER_SESSION 16
/* What libraries and code hold, besides everything that is counted; those of a device with memory
 * of its own hold more. */
#define BASE_BYTES ((size_t)48 << 20)
#define BASE_BYTES_APART ((size_t)256 << 20)

typedef struct cut {
    int columns, rows;
} cut;

/* Bytes that blocks may take. */
typedef struct block_room {
    size_t host, device;
} block_room;

static int round_up(int64_t value, int unit, int limit)
{
    const int64_t rounded = (value + unit - 1) / unit * unit;
    return rounded < limit ? (int)rounded : limit;
}

/* Reader's block, queued block, computed block, and the rows a strip hands to the next one. */
static size_t bytes_of(const s2clr_engine *engine, cut size)
{
    return s2clr_engine_block_bytes(engine, size.columns, size.rows) +
           S2CLR_BLOCKS_IN_FLIGHT * s2clr_engine_read_bytes(engine, size.columns, size.rows);
}

static bool fits(const s2clr_engine *engine, cut size, const block_room *room)
{
    return bytes_of(engine, size) <= room->host &&
           s2clr_engine_strip_bytes(engine, size.columns, size.rows) <= room->device;
}

/* Full-width strips read every row once; *out is the one of the height that suits best. */
static bool strip(const s2clr_engine *engine, const int window[4], const block_room *room, cut *out)
{
    const int unit_rows = engine->kind->unit_rows(engine);
    const int across = (window[2] - 1) / engine->kind->unit_columns(engine) + 1;
    const int64_t down = ((int64_t)UNITS_PER_SESSION * engine->runtime->sessions - 1) / across + 1;
    const int least = round_up(down * unit_rows, unit_rows, window[3]);
    int wanted = round_up(window[3] / BLOCKS_WANTED, unit_rows, window[3]);
    if (wanted < least) wanted = least;
    while (wanted > least && !fits(engine, (cut){window[2], wanted}, room))
        wanted = round_up((wanted + least) / 2 - unit_rows / 2, unit_rows, wanted - 1);
    *out = (cut){window[2], wanted < least ? least : wanted};
    return fits(engine, *out, room);
}

/* When no strip fits: the block whose halo is the smallest share of what is read. */
static bool rectangle(const s2clr_engine *engine, const int window[4], const block_room *room,
                      cut *out)
{
    const int unit_rows = engine->kind->unit_rows(engine);
    const int unit_columns = engine->kind->unit_columns(engine);
    double best = 0;
    for (int64_t want = unit_rows;; want *= 2) {
        cut size = {window[2], round_up(want, unit_rows, window[3])};
        while (size.columns > unit_columns && !fits(engine, size, room))
            size.columns = round_up(size.columns / 2, unit_columns, size.columns - 1);
        if (!fits(engine, size, room)) return best > 0;
        const double use = (double)size.columns * size.rows /
                           (double)s2clr_engine_read_bytes(engine, size.columns, size.rows);
        if (use > best) {
            best = use;
            *out = size;
        }
        if (size.rows == window[3]) return true;
    }
}

/* End of the block that starts at `first`: where units end, if that leaves anything. */
static int block_end(int first, int count, int end, int whole)
{
    if (first + count >= end) return end;
    return whole > first ? whole : first + count;
}

static s2clr_status list_blocks(const s2clr_engine *engine, const int window[4], cut size,
                                s2clr_tasks *out)
{
    const s2clr_engine_kind *kind = engine->kind;
    const int right = window[0] + window[2], bottom = window[1] + window[3];
    size_t room = 0, count = 0;
    s2clr_task_block *list = NULL;
    /* Twice the same walk: count, then fill. */
    for (int pass = 0; pass < 2; pass++) {
        count = 0;
        for (int row = window[1], next_row; row < bottom; row = next_row) {
            next_row = block_end(row, size.rows, bottom, kind->row_end(engine, row + size.rows));
            for (int column = window[0], next; column < right; column = next, count++) {
                next = block_end(column, size.columns, right,
                                 kind->column_end(engine, column + size.columns));
                if (count < room)
                    list[count] =
                        (s2clr_task_block){column, row, next - column, next_row - row, false};
            }
        }
        if (pass == 0) {
            room = count;
            S2CLR_TRY(s2clr_alloc(room, sizeof *list, "list of blocks", (void **)&list));
        }
    }
    out->block = list;
    out->count = count;
    return S2CLR_OK;
}

size_t s2clr_tasks_memory(size_t megabytes)
{
    const size_t least = (size_t)512 << 20;
    if (megabytes) return megabytes << 20;
    const size_t share = s2clr_memory_available() / 4;
    return share > least ? share : least;
}

size_t s2clr_tasks_cache_bytes(size_t memory)
{
    return memory / 4;
}

/* What the smallest block needs, and where there is no room for it. */
static s2clr_status no_room(const s2clr_engine *engine, size_t memory, size_t held,
                            const block_room *room)
{
    const cut least = {engine->kind->unit_columns(engine), engine->kind->unit_rows(engine)};
    const size_t strip = s2clr_engine_strip_bytes(engine, least.columns, least.rows);
    const size_t fixed = s2clr_engine_fixed_bytes(engine) + bytes_of(engine, least);
    if (strip > room->device)
        return s2clr_error_set(S2CLR_ERR_MEMORY,
                               "%s: %zu MB of the device's memory are left for pixels beside %zu "
                               "MB for the model, computed %d times at once, and its smallest "
                               "block has %zu MB: allow more memory, end what else uses the "
                               "device, or use --device cpu",
                               engine->runtime->backend->name, room->device >> 20, held >> 20,
                               engine->runtime->sessions, (strip >> 20) + 1);
    return s2clr_error_set(S2CLR_ERR_MEMORY,
                           "%zu MB of memory are too few for this model on %d threads: it "
                           "needs about %zu MB; allow more memory or use fewer threads",
                           memory >> 20, engine->threads, (fixed / 5 * 8 >> 20) + 1);
}

s2clr_status s2clr_tasks_plan(const s2clr_engine *engine, const int window[4], size_t memory,
                              size_t device_memory, s2clr_tasks *out)
{
    const size_t cache = s2clr_tasks_cache_bytes(memory);
    const size_t libraries = engine->runtime->backend->memory ? BASE_BYTES_APART : BASE_BYTES;
    const size_t base = libraries < memory / 8 ? libraries : memory / 8;
    const size_t held = s2clr_engine_fixed_bytes(engine) + cache + base;
    block_room room = {.host = memory > held ? memory - held : 0};
    size_t device_held;
    cut size;
    S2CLR_TRY(s2clr_engine_device_bytes(engine, device_memory, &device_held, &room.device));
    if (!strip(engine, window, &room, &size) && !rectangle(engine, window, &room, &size))
        return no_room(engine, memory, device_held, &room);
    const size_t on_device = s2clr_engine_strip_bytes(engine, size.columns, size.rows);
    s2clr_tasks tasks = {.bytes = held - cache - base + bytes_of(engine, size)};
    if (room.device < SIZE_MAX) {
        tasks.device_bytes = device_held + on_device;
        tasks.device_limit = device_held + room.device;
    }
    S2CLR_TRY(list_blocks(engine, window, size, &tasks));
    *out = tasks;
    return S2CLR_OK;
}

void s2clr_tasks_free(s2clr_tasks *tasks)
{
    s2clr_free(tasks->block);
    *tasks = (s2clr_tasks){0};
}
