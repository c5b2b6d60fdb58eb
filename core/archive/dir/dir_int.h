/* The directory as a place. A key's segments are folders with the ending .d, the last one is a file with the ending .o, so
 * that the keys `a` and `a/b` can stand side by side. Unfinished files (.t) stand in our own folder, .umbel.d. */
#ifndef ARCHIVE_DIR_INT_H
#define ARCHIVE_DIR_INT_H
#include "place.h"
#include "key.h"

enum { DIR_NAME_SIZE = ARCHIVE_SEGMENT_MAX + 3 };     /* a segment, its ending, the terminator */
#define DIR_OWN ARCHIVE_OWN ".d"

um_err dir_errno(const char *what);                   /* of errno; logs what an operator should know */

/* --- path.c: folders, always below the root, never through a symbolic link --- */
/* Opens the folder of KEY's file; NAME gets the file's name. MAKE: folders that miss are made, and durable. */
um_err dir_open_folder(int root, const char *key, bool make, int *out, char name[DIR_NAME_SIZE]) UM_CHECK_RESULT;
void dir_prune(int root, const char *key);            /* removes the folders of KEY that are empty now */

/* --- file.c: one object's file: a head with length and CRC-32C, then the bytes --- */
enum { DIR_HEAD_BYTES = 24 };
/* Writes a new file in folder OWN and makes it durable. *FD holds the lock that keeps it from being cleaned; NAME is its
 * name. On error nothing is left. */
um_err dir_write_temporary(int own, struct um_span bytes, int *fd, char name[DIR_NAME_SIZE]) UM_CHECK_RESULT;
um_err dir_read_file(int folder, const char *name, size_t max_bytes, struct um_bytes **out) UM_CHECK_RESULT;
void dir_clean(int own);                              /* removes unfinished files that no process writes any more */

/* --- list.c --- */
um_err dir_list(int root, const char *prefix, const char *after, struct archive_page *pg) UM_CHECK_RESULT;

#endif
