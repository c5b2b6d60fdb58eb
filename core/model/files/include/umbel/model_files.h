/* A model on disk: one file, or a folder with files in it, at any depth. */
#ifndef UMBEL_MODEL_FILES_H
#define UMBEL_MODEL_FILES_H
#include <umbel/model.h>

#define MODEL_FILES       5000u
#define MODEL_FILE_DEPTH  8u            /* folders within one another */
#define MODEL_FILE_BYTES  (64u << 20)   /* of all files */

/* Reads PATH into L: a file, or all .yaml, .yml and .xml files of a folder and its folders, by name; names that begin with a
 * dot are passed over, symbolic links in folders are not followed. Files are named in messages as PATH names them.
 * UM_ENOTFOUND: there is no such file, or no model in the folder; UM_EIO; else as umbel/model.h. Blocks. */
UM_CHECK_RESULT um_err um_model_files_read(struct um_model_list *l, const char *path, struct um_model_error *error);

#endif
