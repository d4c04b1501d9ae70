/*
 * Status codes and the error text of the calling thread.
 *
 *     if (s2clr_net_shapes(net, in, shapes) != S2CLR_OK)
 *         fprintf(stderr, "%s\n", s2clr_error_text());
 *
 * Who detects an error writes the one message with s2clr_error_set() (file, item, value found,
 * value wanted, remedy) and returns its code; everyone else propagates with S2CLR_TRY. Nothing
 * below the commands prints, exits or aborts: this code runs inside other people's processes.
 */
#ifndef S2CLR_BASE_STATUS_H
#define S2CLR_BASE_STATUS_H

/* The numbers are part of the interface: they never change, new ones go at the end. */
typedef enum s2clr_status {
    S2CLR_OK = 0,
    S2CLR_ERR_ARGUMENT = 1,    /* the caller or user asked for something that makes no sense */
    S2CLR_ERR_MEMORY = 2,      /* allocation failed or a size overflowed */
    S2CLR_ERR_IO = 3,          /* open, read, write, rename failed */
    S2CLR_ERR_FORMAT = 4,      /* a file is not what it claims to be */
    S2CLR_ERR_MISMATCH = 5,    /* two valid things do not fit each other (card/weights/raster) */
    S2CLR_ERR_UNSUPPORTED = 6, /* valid, but not something this build or backend does */
    S2CLR_ERR_CANCELLED = 7,   /* the progress callback or a signal said stop */
    S2CLR_ERR_EXISTS = 8,      /* output exists and overwriting was not allowed */
    S2CLR_ERR_BACKEND = 9      /* the arithmetic library reported a failure */
} s2clr_status;

/* Sets the calling thread's error text (printf style, truncated at 1023 bytes); returns `code`,
 * so that detection sites read `return s2clr_error_set(S2CLR_ERR_IO, ...)`. */
s2clr_status s2clr_error_set(s2clr_status code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The macro shows the compiler that `code` itself comes back: without it every result written on
 * success only looks "maybe uninitialized" behind S2CLR_TRY. */
static inline s2clr_status s2clr_error_returns(s2clr_status code, s2clr_status same)
{
    (void)same;
    return code;
}
#define s2clr_error_set(code, ...)                                                                 \
    s2clr_error_returns((code), (s2clr_error_set)((code), __VA_ARGS__))

/* The calling thread's last error text, "" if none. Borrowed; valid until the next error. */
const char *s2clr_error_text(void);

void s2clr_error_clear(void);

/* A short lower-case name ("format"), for logs and JSON. Never NULL. */
const char *s2clr_status_name(s2clr_status code);

/* Evaluates a status expression and returns from the calling function if it failed. */
#define S2CLR_TRY(expression)                                                                      \
    do {                                                                                           \
        const s2clr_status s2clr_try_status_ = (expression);                                       \
        if (s2clr_try_status_ != S2CLR_OK) return s2clr_try_status_;                               \
    } while (0)

#endif
