/* Commands that have a file of their own. ARGV holds what stands behind the command's name. Returns the exit status. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H
int migrate_store(int argc, char **argv);
#endif
