/* What journal.c (the file) and journal_scan.c (what of it counts) share. */
#ifndef S2CLR_PREDICT_PJOURNAL_H
#define S2CLR_PREDICT_PJOURNAL_H

#include <nettle/sha2.h>
#include <stdint.h>
#include <sys/types.h>

#include "predict/journal.h"

#define S2CLR_JOURNAL_MAGIC "S2CLRJ1\n"
#define S2CLR_JOURNAL_ORDER 0x01020304u /* reads otherwise on a machine of other byte order */
#define S2CLR_JOURNAL_RECORD 0x4a324353u

/* Begins the file; followed by the identity (lines) and the SHA-256 of both. */
typedef struct s2clr_journal_head {
    char magic[8];
    uint32_t order, planes;
    uint64_t text_bytes;
} s2clr_journal_head;

typedef enum s2clr_journal_kind { S2CLR_JOURNAL_PIECE, S2CLR_JOURNAL_FINISH } s2clr_journal_kind;

/* Begins a record; followed by its bytes and the SHA-256 of both. */
typedef struct s2clr_journal_entry {
    uint32_t magic, kind;
    int32_t column, row, columns, rows;
    uint64_t bytes;
} s2clr_journal_entry;

typedef struct s2clr_journal_piece {
    s2clr_journal_entry entry;
    off_t at; /* of the entry in the file */
} s2clr_journal_piece;

struct s2clr_journal {
    char *path;
    int file;
    int planes;
    bool ours;                  /* opened with success: of this run */
    bool removed;               /* deleted already */
    s2clr_journal_piece *piece; // (pieces), room for piece_room
    size_t pieces, piece_room;
    bool finished;
    uint64_t finished_file[2]; /* device and inode */
    off_t end;                 /* where the next record goes */
    double synced;             /* when the file was last brought to disk */
};

/* Reads or writes exactly that many bytes. */
bool s2clr_journal_read(const s2clr_journal *journal, off_t at, void *to, size_t bytes);
bool s2clr_journal_write(const s2clr_journal *journal, off_t at, const void *from, size_t bytes);

s2clr_status s2clr_journal_note(s2clr_journal *journal, const s2clr_journal_entry *entry, off_t at);

/* Collects the records from journal->end on that are whole and in order, and moves end behind them.
 */
s2clr_status s2clr_journal_scan(s2clr_journal *journal);

#endif
