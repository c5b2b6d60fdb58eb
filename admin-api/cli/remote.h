/* What surrounds the calls: login, watch, top, completion. */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H
int remote_run(int argc, char **argv);       /* ARGV begins with the command's first word */
void remote_usage(void);
#endif
