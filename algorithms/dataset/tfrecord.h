/*
 * TFRecord files: records of bytes one after the other (format: TensorFlow documentation,
 * "TFRecord and tf.train.Example", section "TFRecords format details").
 *
 *     uint64 length | uint32 masked CRC-32C of it | data | uint32 masked CRC-32C of the data
 *
 * all little-endian; masked: rotated right by 15 bits, plus 0xa282ead8.
 *
 *     S2CLR_TRY(s2clr_tfrecord_open("part-0.tfrecord", &file));
 *     while (... s2clr_tfrecord_next(file, &record) == S2CLR_OK && record.data) ...
 *     s2clr_tfrecord_close(file);
 *
 * Nothing is believed unchecked: a length is checked by its CRC and against what is left of the
 * file before memory is taken for it. What breaks the framing ends the file with an error; wrong
 * data within sound framing is for the caller to judge.
 */
#ifndef S2CLR_DATASET_TFRECORD_H
#define S2CLR_DATASET_TFRECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* ---- reading ---- */

typedef struct s2clr_tfrecord {
    const unsigned char *data; // (size) borrowed until the next call; NULL: the end
    size_t size;
    size_t number; /* from 0 */
    bool damaged;  /* the CRC of the data is another one */
} s2clr_tfrecord;

typedef struct s2clr_tfrecord_file s2clr_tfrecord_file;

s2clr_status s2clr_tfrecord_open(const char *path, s2clr_tfrecord_file **out);
void s2clr_tfrecord_close(s2clr_tfrecord_file *file);
s2clr_status s2clr_tfrecord_next(s2clr_tfrecord_file *file, s2clr_tfrecord *out);
/* Share of the file's bytes read, 0..1. */
double s2clr_tfrecord_done(const s2clr_tfrecord_file *file);

/* True for a file that begins with a sound length, and for an empty one named *.tfrecord. */
bool s2clr_tfrecord_identify(const char *path);

/* ---- writing ---- */

typedef struct s2clr_tfrecord_writer s2clr_tfrecord_writer;

/* Creates or replaces `path`. */
s2clr_status s2clr_tfrecord_create(const char *path, s2clr_tfrecord_writer **out);
s2clr_status s2clr_tfrecord_write(s2clr_tfrecord_writer *writer, const void *data, size_t size);
/* Closes and frees, whatever it returns. keep: all bytes reach the disk; else the file is
 * removed, as it is after an error. */
s2clr_status s2clr_tfrecord_finish(s2clr_tfrecord_writer *writer, bool keep);

#endif
