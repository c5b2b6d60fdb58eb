/* The keys of native handlers. */
#include <umbel/conf.h>
#include <umbel/native.h>

#define AT(f) .at = offsetof(struct um_native_conf, f)
static const struct um_conf_key keys[] = {
    { "operation.handlers.dir", NULL, "", "folder of the libraries (NAME.so) that registrations name libumbel:NAME; "
      "empty: none. It and they belong to root or to the core's user, and nobody else may write them", UM_CONF_STR, 0, AT(dir), .max = 4096 },
    { "operation.handlers.program", NULL, "", "the program that runs them; empty: umbel-handler beside the core's own",
      UM_CONF_STR, 0, AT(program), .max = 4096 },
    { "operation.handlers.timeout", NULL, "10s", "time for one call of a library, and for loading it, then its process is ended; "
      "one that waits for its turn longer fails",
      UM_CONF_DURATION_MS, 0, AT(timeout_ms), .min = 10, .max = 3600000 },
    { "operation.handlers.memory", NULL, "256MB", "address space of a library's process",
      UM_CONF_SIZE, 0, AT(memory), .min = 32 << 20, .max = 1LL << 40 },
    { "operation.handlers.files", NULL, "64", "open files of a library's process",
      UM_CONF_INT, 0, AT(files), .min = 16, .max = 100000 },
    { "operation.handlers.max-answer", NULL, "1MB", "largest answer of a library",
      UM_CONF_SIZE, 0, AT(max_answer), .min = 1024, .max = 64 << 20 },
    { "operation.handlers.max-waiting", NULL, "1000", "calls that wait for libraries, those under way included; "
      "beyond it a call fails at once",
      UM_CONF_INT, 0, AT(max_waiting), .min = 1, .max = 1000000 },
    { "operation.handlers.max-waiting-bytes", NULL, "64MB", "the same for what they say",
      UM_CONF_SIZE, 0, AT(max_waiting_bytes), .min = 1, .max = 1LL << 40 },
};
const struct um_conf_table um_native_conf_table = UM_CONF_TABLE("Handlers as shared objects", keys);
