/* Answers for eyes: lists as tables, objects as lines. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H
#include <jansson.h>
#include <stdio.h>

/* WIDTH: columns of the terminal; 0: nothing is cut. Control characters of the server's texts never reach the terminal. */
void show(const json_t *answer, int width, FILE *f);
int show_width(void);                                        /* of standard output; 0: it is no terminal */

#endif
